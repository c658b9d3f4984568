// The scalar function of each pointwise op, in arith and math, for f32 or vectors of it. Forms are chosen so
// that nothing overflows on the way to a finite result.

#include "dialect/recur/Recur.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace sluice::recur;

namespace {

/// Builds scalar arithmetic at one place; all values have one type.
struct ScalarBuilder {
  OpBuilder &builder;
  Location loc;
  Type type;

  ScalarBuilder(OpBuilder &builder, Location loc, ValueRange operands)
      : builder(builder), loc(loc), type(operands[0].getType()) {}

  template <typename OpTy, typename... Args> Value make(Args... args) {
    return OpTy::create(builder, loc, args...);
  }
  Value constant(float number) {
    TypedAttr value = builder.getF32FloatAttr(number);
    if (auto vector = dyn_cast<ShapedType>(type))
      value = DenseElementsAttr::get(vector, number);
    return make<arith::ConstantOp>(value);
  }
  Value greater(Value x, Value y) { return make<arith::CmpFOp>(arith::CmpFPredicate::OGT, x, y); }
  Value select(Value condition, Value x, Value y) { return make<arith::SelectOp>(condition, x, y); }

  /// e^-|x|, never more than 1.
  Value expMinusAbs(Value x) { return make<math::ExpOp>(make<arith::NegFOp>(make<math::AbsFOp>(x))); }
  /// ln(1 + e^-|x|).
  Value softTail(Value x) { return make<math::Log1pOp>(expMinusAbs(x)); }

  Value sigmoid(Value x) {
    Value small = expMinusAbs(x);
    Value negative = greater(constant(0), x);
    Value numerator = select(negative, small, constant(1));
    return make<arith::DivFOp>(numerator, make<arith::AddFOp>(constant(1), small));
  }
};

} // namespace

#define SLUICE_SCALAR_BODY(OP, EXPRESSION)                                                                   \
  Value OP::buildScalar(OpBuilder &builder, Location loc, ValueRange operands) {                             \
    ScalarBuilder b(builder, loc, operands);                                                                 \
    [[maybe_unused]] Value x = operands[0];                                                                  \
    [[maybe_unused]] Value y = operands.back();                                                              \
    return EXPRESSION;                                                                                       \
  }

SLUICE_SCALAR_BODY(AddOp, b.make<arith::AddFOp>(x, y))
SLUICE_SCALAR_BODY(SubOp, b.make<arith::SubFOp>(x, y))
SLUICE_SCALAR_BODY(MulOp, b.make<arith::MulFOp>(x, y))
SLUICE_SCALAR_BODY(DivOp, b.make<arith::DivFOp>(x, y))
// maximumf and minimumf propagate NaN, unlike maxnumf.
SLUICE_SCALAR_BODY(MaxOp, b.make<arith::MaximumFOp>(x, y))
SLUICE_SCALAR_BODY(MinOp, b.make<arith::MinimumFOp>(x, y))
SLUICE_SCALAR_BODY(NegOp, b.make<arith::NegFOp>(x))
SLUICE_SCALAR_BODY(AbsOp, b.make<math::AbsFOp>(x))
SLUICE_SCALAR_BODY(ExpOp, b.make<math::ExpOp>(x))
SLUICE_SCALAR_BODY(Expm1Op, b.make<math::ExpM1Op>(x))
SLUICE_SCALAR_BODY(LogOp, b.make<math::LogOp>(x))
SLUICE_SCALAR_BODY(Log1pOp, b.make<math::Log1pOp>(x))
SLUICE_SCALAR_BODY(SqrtOp, b.make<math::SqrtOp>(x))
SLUICE_SCALAR_BODY(RsqrtOp, b.make<math::RsqrtOp>(x))
SLUICE_SCALAR_BODY(TanhOp, b.make<math::TanhOp>(x))
SLUICE_SCALAR_BODY(SigmoidOp, b.sigmoid(x))
SLUICE_SCALAR_BODY(SiluOp, b.make<arith::MulFOp>(x, b.sigmoid(x)))
SLUICE_SCALAR_BODY(SoftplusOp,
                   b.make<arith::AddFOp>(b.make<arith::MaximumFOp>(x, b.constant(0)), b.softTail(x)))
SLUICE_SCALAR_BODY(LogSigmoidOp,
                   b.make<arith::SubFOp>(b.make<arith::MinimumFOp>(x, b.constant(0)), b.softTail(x)))
SLUICE_SCALAR_BODY(ClampGateOp, b.make<arith::MaximumFOp>(x, b.constant(gateFloor)))
// A select, not a product: the cotangent at a gate of -inf may be anything.
SLUICE_SCALAR_BODY(ClampGateAdjointOp, b.select(b.greater(x, b.constant(gateFloor)), y, b.constant(0)))

Value StepOp::buildScalar(OpBuilder &builder, Location loc, ValueRange operands) {
  ScalarBuilder b(builder, loc, operands);
  Value equal = b.make<arith::CmpFOp>(arith::CmpFPredicate::OEQ, operands[0], operands[1]);
  Value otherwise = b.select(equal, b.constant(0.5f), b.constant(0));
  return b.select(b.greater(operands[0], operands[1]), b.constant(1), otherwise);
}

Value MaskOp::buildScalar(OpBuilder &builder, Location loc, ValueRange operands) {
  ScalarBuilder b(builder, loc, operands);
  Value real = b.make<arith::CmpFOp>(arith::CmpFPredicate::UNE, operands[1], b.constant(0));
  return b.select(real, operands[0], b.constant(getFill().convertToFloat()));
}

#undef SLUICE_SCALAR_BODY
