// Loops over vectors for one linalg.generic on buffers.
#pragma once

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"

namespace sluice::cpu {

/// Lanes of the vectors that elementwise code works on.
constexpr int64_t lanes = 16;

/// Emits `op`, a tensor op, on memrefs: one per input and one per result (null: the result is not needed). All
/// maps must be projected permutations. A result may share the buffer of an input that is read by its map. Sums
/// run in an order that depends on the shape alone.
void emitGeneric(mlir::OpBuilder &builder, mlir::linalg::GenericOp op, mlir::ValueRange inputs,
                 mlir::ValueRange results);

} // namespace sluice::cpu
