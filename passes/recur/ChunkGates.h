// The decays of one chunk: how much lies between two ops, in all the forms that the chunk program uses.
#pragma once

#include "passes/recur/TokenEmitter.h"
#include "passes/recur/TokenProgram.h"

namespace sluice::recur {

/// Gates of a token's decays, `tensor<C>` if all are scalars, else `tensor<CxK>`. Exponents are only ever
/// sums of gates, never differences, so that they are <= 0 and exact to rounding. Null exponents are 0:
/// a program without decays gets no gate ops.
class ChunkGates {
public:
  ChunkGates(const TokenProgram &program, TokenEmitter &emitter, ScanBody &body);

  bool empty() const { return gates.empty(); }
  unsigned size() const { return gates.size(); }
  /// The sum of a token's decays from `first` to before `last`, in order.
  mlir::Value sum(unsigned first, unsigned last);
  /// x e^exponent, row by row.
  mlir::Value decay(mlir::Value x, mlir::Value exponent);
  /// Log decay from the chunk's beginning up to and including token t, or, for span between, up to but
  /// without it.
  mlir::Value fromStart(Span span);
  /// Log decay after token t up to the chunk's end.
  mlir::Value toEnd();
  /// S e^(all decays of the chunk).
  mlir::Value decayState(mlir::Value state);
  /// l[t,s] = sum_c x[t,c] k[s,c] e^(sum of decays between s and t), lower triangular.
  mlir::Value scores(mlir::Value x, mlir::Value k, Span span, bool diagonal);

private:
  mlir::Value cumulativeSum(bool reverse, bool exclusive);

  ScanBody &body;
  llvm::SmallVector<mlir::Value> gates;
  bool channels = false;
};

} // namespace sluice::recur
