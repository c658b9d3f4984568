// What a kernel touches in memory: the caller's tensors, strided and of any storage type, and its scratch.
#pragma once

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

#include <cstdint>
#include <map>

namespace sluice::cpu {

/// The scratch arena of a function. Buffers at constant offsets are created once, at the function's start.
class Arena {
public:
  /// `entry` is the block in whose scope `pointer`, an !llvm.ptr, is known; views stand after it.
  Arena(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value pointer);

  /// A memref of the tensor's or memref's shape.
  mlir::Value at(int64_t offset, mlir::ShapedType type);
  /// Likewise at an offset only known at run time, at the builder's insertion point.
  mlir::Value at(mlir::OpBuilder &builder, mlir::Value offset, mlir::ShapedType type);

private:
  mlir::OpBuilder entryBuilder;
  mlir::Location loc;
  mlir::Value bytes;  ///< memref<?xi8>
  std::map<std::pair<int64_t, void *>, mlir::Value> views;
};

/// Rows of a caller's tensor: row r, column j is element r * stride + j at `pointer`.
struct RowsView {
  mlir::Value pointer;             ///< !llvm.ptr
  mlir::Type storage;              ///< f32, f16 or bf16
  mlir::Value stride;              ///< i64, in elements.
  mlir::Value rows;                ///< index: rows that exist.
  int64_t columns = 0;             ///< Columns that exist, if `dynamicColumns` is null.
  mlir::Value dynamicColumns = {}; ///< index
  mlir::Value ahead = {};          ///< i64: elements from here to what will be asked for next, if known.
};

/// Fills `buffer`, memref<rows x columns x f32> of static shape, from `from`; what does not exist becomes 0.
void loadRows(mlir::OpBuilder &builder, mlir::Location loc, const RowsView &from, mlir::Value buffer);
/// Stores what exists, rounding to nearest even.
void storeRows(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value buffer, const RowsView &to);
/// Likewise for one element per row; `buffer` is memref<rows x f32>.
void loadScalars(mlir::OpBuilder &builder, mlir::Location loc, const RowsView &from, mlir::Value buffer);
void storeScalars(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value buffer, const RowsView &to);
/// Buffers of f32 in scratch.
void fillZero(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value buffer);
void copyBuffer(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value from, mlir::Value to);
void fillWith(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value scalar, mlir::Value buffer);

/// f32 scalars or vectors from and to a storage type, given as its bits for bf16.
mlir::Value fromStorage(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value stored, mlir::Type storage);
mlir::Value toStorage(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, mlir::Type storage);

} // namespace sluice::cpu
