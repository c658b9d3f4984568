// Matrix products on buffers, in register tiles.
#pragma once

#include "codegen/cpu/kernels/Code.h"

namespace sluice::cpu {

/// z (+)= op(x) y. `panels` holds y as [n / tile.columns][k][tile.columns]: either all of it (`packed`), or
/// room for one panel, or nothing, in which case y is read where it lies.
struct Product {
  enum class Triangle { full, lhs, result };
  mlir::Value lhs, rhs, result, panels;
  int64_t rows = 0, columns = 0, inner = 0;
  bool transposeLhs = false, packed = false, accumulate = false;
  Triangle triangle = Triangle::full;
  bool strict = false;
  Ahead ahead; ///< Fetched meanwhile, if it has rows.
};

/// Whether the product has tiles enough to fetch rows with.
bool canPrefetch(const Product &product, const Tile &tile);

void emitProductCode(Code &code, const Product &product);

/// Part of a product whose bounds are only known at run time: for 16 rows from `row` and columns
/// [columnFrom, columnTo), result (+)= sum over k in [from, to) of op(lhs) rhs. All bounds are multiples
/// of 16.
struct BlockProduct {
  mlir::Value lhs, rhs, result, from, to;
  bool transposeLhs = false, accumulate = false;
};
void emitBlockProduct(Code &code, const BlockProduct &block, mlir::Value row, mlir::Value columnFrom,
                      mlir::Value columnTo);

/// The shape of all panels of a k x n right-hand side.
mlir::MemRefType panelsType(mlir::MemRefType rhs, bool transposed, const Tile &tile);
/// panels = y^T for y [n][k].
void emitTransposedPanels(Code &code, mlir::Value y, mlir::Value panels);
/// Transposes the 16 x 16 block of `source` at `from`: calls `write` with each row of the result.
void emitTransposedBlock(Code &code, mlir::Value source, mlir::ValueRange from,
                         llvm::function_ref<void(int64_t row, mlir::Value vector)> write);

} // namespace sluice::cpu
