// The adjoint of each op of a scan's body that changes shapes: cotangents of the operands from those of the
// results, in recur ops.

#include "dialect/recur/Recur.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace sluice::recur;

using Cotangents = SmallVector<Value>;

static Value zeros(OpBuilder &builder, Location loc, Type type) {
  return ConstantOp::create(builder, loc, type, 0.0f);
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

Cotangents ExpandOp::buildAdjoint(OpBuilder &builder, ValueRange cotangents) {
  if (!cotangents[0])
    return {Value()};
  return {ReduceOp::create(builder, getLoc(), getX().getType(), cotangents[0], getDimensionsAttr())};
}

Cotangents ReduceOp::buildAdjoint(OpBuilder &builder, ValueRange cotangents) {
  if (!cotangents[0])
    return {Value()};
  return {ExpandOp::create(builder, getLoc(), getX().getType(), cotangents[0], getDimensionsAttr())};
}

Cotangents InterleaveOp::buildAdjoint(OpBuilder &builder, ValueRange cotangents) {
  if (!cotangents[0])
    return Cotangents(getParts().size());
  auto split =
      DeinterleaveOp::create(builder, getLoc(), getParts().getTypes(), cotangents[0], getDimensionAttr());
  return Cotangents(split.getParts());
}

Cotangents DeinterleaveOp::buildAdjoint(OpBuilder &builder, ValueRange cotangents) {
  if (llvm::none_of(cotangents, [](Value cotangent) { return bool(cotangent); }))
    return {Value()};
  Cotangents parts(cotangents);
  for (auto [part, result] : llvm::zip(parts, getParts()))
    if (!part)
      part = zeros(builder, getLoc(), result.getType());
  return {InterleaveOp::create(builder, getLoc(), getX().getType(), parts, getDimensionAttr())};
}

Cotangents DiagonalOp::buildAdjoint(OpBuilder &builder, ValueRange cotangents) {
  if (!cotangents[0])
    return {Value()};
  return {DiagonalPartOp::create(builder, getLoc(), getX().getType(), cotangents[0])};
}

Cotangents DiagonalPartOp::buildAdjoint(OpBuilder &builder, ValueRange cotangents) {
  if (!cotangents[0])
    return {Value()};
  return {DiagonalOp::create(builder, getLoc(), getX().getType(), cotangents[0])};
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static bool isStrict(Triangle triangle) {
  return triangle == Triangle::StrictlyLowerLhs || triangle == Triangle::StrictlyLowerResult;
}
static Triangle lowerLhs(bool strict) { return strict ? Triangle::StrictlyLowerLhs : Triangle::LowerLhs; }
static Triangle lowerResult(bool strict) {
  return strict ? Triangle::StrictlyLowerResult : Triangle::LowerResult;
}

namespace {
/// Builds the cotangents of one product; dz is the result's.
struct ProductAdjoint {
  OpBuilder &b;
  ProductOp op;
  Value dz;
  Location loc = op.getLoc();
  Value x = op.getX(), y = op.getY();
  bool tl = op.getTransposeLhs(), tr = op.getTransposeRhs();
  Triangle triangle = op.getTriangle();

  Value product(Value lhs, Value rhs, bool transposeLhs = false, bool transposeRhs = false,
                Triangle triangle = Triangle::Full) {
    return ProductOp::create(b, loc, lhs, rhs, transposeLhs, transposeRhs, triangle);
  }

  /// z = op(x) op(y): dx = dz op(y)^T, dy = op(x)^T dz, each transposed where the operand was.
  Cotangents full() {
    Value dx = tl ? product(y, dz, tr, true) : product(dz, y, false, !tr);
    Value dy = tr ? product(dz, x, true, tl) : product(x, dz, !tl, false);
    return {dx, dy};
  }

  /// z = op(tri x) op(y): dx is masked in the orientation in which x is stored.
  Cotangents ofLowerLhs() {
    bool strict = isStrict(triangle);
    // A lower result needs its right operand transposed; y^T as a product with the identity serves the rest.
    Value rows = tr ? transposed(y) : y;
    Value dx = tl ? product(rows, dz, false, true, lowerResult(strict))
                  : product(dz, rows, false, true, lowerResult(strict));
    Value dy = product(x, dz, !tl, false, lowerLhs(strict));
    return {dx, tr ? transposed(dy) : dy};
  }

  /// z = tri(x y^T): dx = tri(dz) y, dy = tri(dz)^T x.
  Cotangents ofLowerResult() {
    Triangle masked = lowerLhs(isStrict(triangle));
    return {product(dz, y, false, false, masked), product(dz, x, true, false, masked)};
  }

  Value transposed(Value matrix) {
    auto type = cast<RankedTensorType>(matrix.getType());
    int64_t rows = type.getDimSize(0);
    auto ones = RankedTensorType::get({rows}, type.getElementType());
    auto square = RankedTensorType::get({rows, rows}, type.getElementType());
    Value one = ConstantOp::create(b, loc, ones, 1.0f);
    return product(matrix, DiagonalOp::create(b, loc, square, one), true, false);
  }
};
} // namespace

Cotangents ProductOp::buildAdjoint(OpBuilder &builder, ValueRange cotangents) {
  if (!cotangents[0])
    return {Value(), Value()};
  ProductAdjoint adjoint{builder, *this, cotangents[0]};
  switch (getTriangle()) {
  case Triangle::Full:
    return adjoint.full();
  case Triangle::LowerLhs:
  case Triangle::StrictlyLowerLhs:
    return adjoint.ofLowerLhs();
  case Triangle::LowerResult:
  case Triangle::StrictlyLowerResult:
    return adjoint.ofLowerResult();
  }
  llvm_unreachable("all triangles are handled");
}

// dt = d((I - a)^-1) = t da t, so da = strictly_lower((t^T dt) t^T).
Cotangents UnitLowerInverseOp::buildAdjoint(OpBuilder &builder, ValueRange cotangents) {
  if (!cotangents[0])
    return {Value()};
  Value left = ProductOp::create(builder, getLoc(), getT(), cotangents[0], true, false, Triangle::LowerLhs);
  return {ProductOp::create(builder, getLoc(), left, getT(), false, true, Triangle::StrictlyLowerResult)};
}

// u = (I - a)^-1 b: db = t^T du, da = strictly_lower(db u^T).
Cotangents ApplyInverseOp::buildAdjoint(OpBuilder &builder, ValueRange cotangents) {
  if (!cotangents[0])
    return {Value(), Value(), Value()};
  Value db = ProductOp::create(builder, getLoc(), getT(), cotangents[0], true, false, Triangle::LowerLhs);
  Value da = ProductOp::create(builder, getLoc(), db, getU(), false, true, Triangle::StrictlyLowerResult);
  return {Value(), db, da};
}

//===----------------------------------------------------------------------===//
// Gates
//===----------------------------------------------------------------------===//

Cotangents CumulativeSumOp::buildAdjoint(OpBuilder &builder, ValueRange cotangents) {
  if (!cotangents[0])
    return {Value()};
  return {CumulativeSumOp::create(builder, getLoc(), getX().getType(), cotangents[0], !getReverse(),
                                  getExclusive())};
}

Cotangents DecayMatrixOp::buildAdjoint(OpBuilder &builder, ValueRange cotangents) {
  if (!cotangents[0])
    return {Value()};
  return {
      DecayMatrixAdjointOp::create(builder, getLoc(), getG().getType(), getD(), cotangents[0], getSpan())};
}

Cotangents DecayedScoresOp::buildAdjoint(OpBuilder &builder, ValueRange cotangents) {
  if (!cotangents[0])
    return {Value(), Value(), Value()};
  Type type = getX().getType();
  auto adjoint = DecayedScoresAdjointOp::create(builder, getLoc(), type, type, type, getX(), getK(), getG(),
                                                cotangents[0], getSpan(), getDiagonal());
  return {adjoint.getDx(), adjoint.getDk(), adjoint.getDg()};
}
