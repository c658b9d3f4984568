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
  ChunkSolve(const TokenProgram &program, TokenEmitter &emitter, ScanBody &body, ChunkGates &gates);

  /// R_j = X~_j S0 + sum_w L_jw U_w.
  mlir::Value getRead(unsigned read);
  /// What the chunk adds to the decayed state: sum_w K^_w^T U_w; null if nothing is written.
  mlir::Value getUpdate();

private:
  Span getSpan(unsigned read) const;
  mlir::Value getKey(unsigned write);
  mlir::Value getTailedKey(unsigned write);
  mlir::Value getFinalKey(unsigned write);
  mlir::Value readState(unsigned read);
  Scores getScores(unsigned read, unsigned write);
  mlir::Value applyScores(unsigned read, unsigned write);
  mlir::Value applyBoundScores(unsigned read);

  mlir::Value getFreeValue(unsigned write);
  mlir::Value getBoundValues();
  mlir::Value interleave(mlir::ValueRange parts, int64_t dimension);
  mlir::Value addDiagonal(mlir::Value matrix, mlir::Value diagonal);
  mlir::Value buildBlock(const AffineForm &form, unsigned write);
  mlir::Value buildRightSide(const AffineForm &form);
  AffineForm getAffineForm(mlir::Value value);
  void accumulate(AffineForm &sum, const AffineForm &form, const LinearTerm &term);
  mlir::Value scaleTerm(mlir::Value x, const LinearTerm &term);

  const TokenProgram &program;
  TokenEmitter &emitter;
  ScanBody &body;
  ChunkGates &gates;
  llvm::SmallVector<unsigned> bound;
  mlir::Value boundValues;
  llvm::DenseMap<unsigned, mlir::Value> stateReads;
  llvm::DenseMap<mlir::Value, AffineForm> forms;
  std::map<std::pair<unsigned, unsigned>, Scores> scores;
};

} // namespace sluice::recur
