// What the writes of a chunk write: directly if they are free, by a triangular solve if they depend on
// reads (bound).
#pragma once

#include "passes/recur/ChunkGates.h"

#include <map>

namespace sluice::recur {

/// How the rows of a write reach the rows of a read within the chunk: l, lower triangular, plus a
/// diagonal that stands by itself (null if none).
struct Scores {
  mlir::Value matrix;
  Triangle triangle; ///< LowerLhs or StrictlyLowerLhs.
  mlir::Value diagonal;
};

/// u = offset + sum over reads j of coefficients[j] r_j; a null offset is 0, a null coefficient 1.
struct AffineForm {
  mlir::Value offset;
  std::map<unsigned, mlir::Value> coefficients;
};

/// Reads and writes of one chunk (derivation, section 3).
class ChunkSolve {
public:
  ChunkSolve(const TokenProgram &program, TokenEmitter &emitter, ScanBody &body, ChunkGates &gates)
      : program(program), emitter(emitter), body(body), gates(gates) {}

  /// R_j = X~_j S0 + sum_w L_jw U_w.
  mlir::Value getRead(unsigned read);
  /// U_w.
  mlir::Value getWritten(unsigned write);
  /// The keys of write w with the decays that follow it in its token.
  mlir::Value getTailedKey(unsigned write);

private:
  Span getSpan(unsigned read) const;
  mlir::Value getKey(unsigned write);
  mlir::Value readState(unsigned read);
  Scores getScores(unsigned read, unsigned write);
  mlir::Value applyScores(unsigned read, unsigned write);

  void solve();
  mlir::Value buildMatrix(llvm::ArrayRef<AffineForm> forms, llvm::ArrayRef<unsigned> bound);
  mlir::Value buildBlock(const AffineForm &form, unsigned write);
  mlir::Value buildRightSide(const AffineForm &form);
  AffineForm getAffineForm(mlir::Value value);
  void accumulate(AffineForm &sum, const AffineForm &form, const LinearTerm &term);
  mlir::Value scaleTerm(mlir::Value x, const LinearTerm &term);

  const TokenProgram &program;
  TokenEmitter &emitter;
  ScanBody &body;
  ChunkGates &gates;
  llvm::DenseMap<unsigned, mlir::Value> written, stateReads;
  llvm::DenseMap<mlir::Value, AffineForm> forms;
  std::map<std::pair<unsigned, unsigned>, Scores> scores;
};

} // namespace sluice::recur
