// Kernels of triangular inverses, gates and layouts. Each is given buffers that obey Kernels.h.
#pragma once

#include "codegen/cpu/kernels/Code.h"

namespace sluice::cpu {

/// t = (I - a)^-1; entries of `a` on and above the diagonal are not used.
void emitUnitLowerInverse(Code &code, mlir::Value a, mlir::Value t);

struct SumDirection {
  bool reverse = false, exclusive = false;
};
/// Running sums along the first dimension.
void emitCumulativeSum(Code &code, mlir::Value x, mlir::Value y, SumDirection direction);

/// d[t,s] = e^(sum of g between s and t); `factors` is scratch of g's shape.
void emitDecayMatrix(Code &code, mlir::Value g, mlir::Value factors, mlir::Value d, bool between);
/// dg[i] = sum of d dd over the pairs whose span holds i.
void emitDecayMatrixAdjoint(Code &code, mlir::Value d, mlir::Value dd, mlir::Value dg, bool between);

void emitInterleave(Code &code, mlir::ValueRange parts, mlir::Value whole, int64_t dimension);
void emitDeinterleave(Code &code, mlir::Value whole, mlir::ValueRange parts, int64_t dimension);
void emitDiagonal(Code &code, mlir::Value x, mlir::Value y);
void emitDiagonalPart(Code &code, mlir::Value x, mlir::Value y);

/// factors = e^g, entry by entry.
void emitFactors(Code &code, mlir::Value g, mlir::Value factors);

} // namespace sluice::cpu
