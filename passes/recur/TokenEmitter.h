// Turns the state-free arithmetic of a token program into tensor ops of a scan's body, one row per token,
// and keeps padding out of every sum.
#pragma once

#include "passes/recur/ScanBody.h"
#include "passes/recur/TokenSigns.h"

#include "llvm/ADT/DenseMap.h"
#include <functional>

namespace sluice::recur {

/// A token program's value in a scan. Per-head values have no rows.
struct Emitted {
  mlir::Value tensor;
  Kind kind;
  bool perToken;
  Signs signs;
};

/// Emits values on demand, each once.
class TokenEmitter {
public:
  /// `emitRead` builds what a read is worth, per token.
  using EmitRead = std::function<mlir::Value(ReadOp)>;

  TokenEmitter(RecurrenceOp recurrence, ScanBody &body, EmitRead emitRead)
      : recurrence(recurrence), body(body), emitRead(std::move(emitRead)) {}

  /// The value as it stands, whatever it holds in padding; per token.
  mlir::Value emitRows(mlir::Value value);
  /// A key that may be written: zero in padded rows and channels.
  mlir::Value emitWrittenKey(mlir::Value key);
  /// A log decay, clamped and zero in padded rows; per token.
  mlir::Value emitGate(mlir::Value gate);
  /// A scalar, or the number that a constant repeats; per token. A divisor is 1 in padded rows.
  mlir::Value emitScalar(mlir::Value uniform, bool divisor);

private:
  Emitted emit(mlir::Value value);
  Emitted emitArgument(mlir::BlockArgument argument);
  Emitted emitOp(mlir::Operation *op);
  Emitted emitConstant(ConstantOp op);
  Emitted emitPointwise(mlir::Operation *op);
  Emitted emitScale(ScaleOp op);
  Emitted emitBroadcast(BroadcastOp op);
  Emitted emitNormalize(NormalizeOp op);
  Emitted emitOuter(OuterOp op);
  Emitted emitProduct(mlir::Value x, mlir::Value y, Kind kind);
  Emitted sumChannels(Emitted x);

  bool hasPadding(const Emitted &x, Axis axis) const;
  Emitted mask(Emitted x, Axis axis, float fill);
  /// What a function that is undefined at 0 is applied to: `fill` in all padding that is not positive.
  Emitted maskDomain(Emitted x, float fill);
  Emitted keepInDomain(mlir::Operation *op, unsigned operand, Emitted x);
  /// Repeated along the axes of the kind and, if told, the rows.
  mlir::Value align(const Emitted &x, Kind kind, bool perToken);

  RecurrenceOp recurrence;
  ScanBody &body;
  EmitRead emitRead;
  llvm::DenseMap<mlir::Value, Emitted> emitted;
};

} // namespace sluice::recur
