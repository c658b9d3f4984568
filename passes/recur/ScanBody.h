// Builds the body of a forward scan: its ports, and short names for the tensor ops that passes use.
#pragma once

#include "dialect/recur/Recur.h"
#include "passes/recur/Passes.h"

#include "mlir/IR/Builders.h"

namespace sluice::recur {

/// A forward scan under construction. Ops are added at the end of its body; masks become inputs when they
/// are first asked for.
class ScanBody {
public:
  /// Inserts the scan @NAME_suffix after the recurrence, with one input per argument and one output per
  /// result, carrying the state.
  ScanBody(RecurrenceOp recurrence, llvm::StringRef suffix, int64_t step, const ScanOptions &options);

  ScanOp getScan() const { return scan; }
  int64_t getStep() const { return ScanOp(scan).getStep(); }
  /// Whether key channels past K exist.
  bool padsKeys() const { return keysArePadded; }
  mlir::Value getArgument(unsigned index) { return block->getArgument(index); }
  mlir::Value getState() { return block->getArguments().back(); }
  /// 1 where an element is real, 0 in padding: tensor<C> for scalars, tensor<K> for keys, tensor<V> for
  /// values.
  mlir::Value getMask(Kind kind);
  /// The type of a value of this kind; with C rows if it is per token and steps have rows.
  mlir::RankedTensorType getType(Kind kind, bool perToken) const;
  void finish(mlir::ValueRange results, mlir::Value nextState);

  void setLocation(mlir::Location location) { loc = location; }
  mlir::Location getLocation() const { return loc; }
  mlir::OpBuilder &getBuilder() { return builder; }

  mlir::Value constant(mlir::Type type, float number);
  mlir::Value add(mlir::Value x, mlir::Value y); ///< Null operands are zero.
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value exp(mlir::Value x);
  mlir::Value expand(mlir::Value x, llvm::ArrayRef<int64_t> dimensions, mlir::Type type);
  mlir::Value reduce(mlir::Value x, int64_t dimension);
  mlir::Value product(mlir::Value x, mlir::Value y, Triangle triangle = Triangle::Full);
  mlir::Value productTransposed(mlir::Value x, mlir::Value y, Triangle triangle); ///< x y^T
  /// x with row t times s[t]; a null s is 1.
  mlir::Value scaleRows(mlir::Value x, mlir::Value s);

private:
  ScanOp scan;
  mlir::Block *block;
  mlir::OpBuilder builder;
  mlir::Location loc;
  bool keysArePadded;
  mlir::Value masks[3];
};

/// The kind of a token program's value.
Kind getKind(mlir::Type type);
mlir::RankedTensorType getTensorType(mlir::Value tensor);

} // namespace sluice::recur
