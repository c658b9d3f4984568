// The adjoint of each pointwise op: cotangents of the operands from that of the result, in recur ops.

#include "dialect/recur/Recur.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace sluice::recur;

namespace {

/// Builds pointwise arithmetic on one type at one op.
struct PointwiseBuilder {
  OpBuilder &builder;
  Location loc;
  Type type;

  PointwiseBuilder(OpBuilder &builder, Operation *op)
      : builder(builder), loc(op->getLoc()), type(op->getResult(0).getType()) {}

  template <typename OpTy, typename... Args> Value make(Args... args) {
    return OpTy::create(builder, loc, args...);
  }
  Value constant(float number) { return make<ConstantOp>(type, number); }
  Value add(Value x, Value y) { return make<AddOp>(x, y); }
  Value sub(Value x, Value y) { return make<SubOp>(x, y); }
  Value mul(Value x, Value y) { return make<MulOp>(x, y); }
  Value div(Value x, Value y) { return make<DivOp>(x, y); }
  Value neg(Value x) { return make<NegOp>(x); }
  Value step(Value x, Value y) { return make<StepOp>(x, y); }
  Value oneMinus(Value x) { return sub(constant(1), x); }
};

using Cotangents = SmallVector<Value>;

} // namespace

// `d` is the cotangent of the result `r`; `x` and `y` are the operands, one and the same if there is one.
#define SLUICE_POINTWISE_ADJOINT(OP, ...)                                                                    \
  SmallVector<Value> OP::buildAdjoint(OpBuilder &builder, ValueRange cotangents) {                           \
    [[maybe_unused]] PointwiseBuilder b(builder, *this);                                                     \
    [[maybe_unused]] Value d = cotangents[0], x = (*this)->getOperand(0);                                    \
    [[maybe_unused]] Value y = (*this)->getOperands().back(), r = (*this)->getResult(0);                     \
    if (!d)                                                                                                  \
      return Cotangents((*this)->getNumOperands());                                                          \
    return Cotangents __VA_ARGS__;                                                                           \
  }

SLUICE_POINTWISE_ADJOINT(AddOp, {d, d})
SLUICE_POINTWISE_ADJOINT(SubOp, {d, b.neg(d)})
SLUICE_POINTWISE_ADJOINT(MulOp, {b.mul(d, y), b.mul(d, x)})
SLUICE_POINTWISE_ADJOINT(DivOp, {b.div(d, y), b.neg(b.mul(b.div(d, y), r))})
SLUICE_POINTWISE_ADJOINT(MaxOp, {b.mul(d, b.step(x, y)), b.mul(d, b.step(y, x))})
SLUICE_POINTWISE_ADJOINT(MinOp, {b.mul(d, b.step(y, x)), b.mul(d, b.step(x, y))})
SLUICE_POINTWISE_ADJOINT(StepOp, {Value(), Value()})
SLUICE_POINTWISE_ADJOINT(NegOp, {b.neg(d)})
SLUICE_POINTWISE_ADJOINT(AbsOp, {b.mul(d, b.sub(b.step(x, b.constant(0)), b.step(b.constant(0), x)))})
SLUICE_POINTWISE_ADJOINT(ExpOp, {b.mul(d, r)})
// Not r + 1, which loses e^x where it is small.
SLUICE_POINTWISE_ADJOINT(Expm1Op, {b.mul(d, b.make<ExpOp>(x))})
SLUICE_POINTWISE_ADJOINT(LogOp, {b.div(d, x)})
SLUICE_POINTWISE_ADJOINT(Log1pOp, {b.div(d, b.add(b.constant(1), x))})
SLUICE_POINTWISE_ADJOINT(SqrtOp, {b.div(b.mul(d, b.constant(0.5f)), r)})
SLUICE_POINTWISE_ADJOINT(RsqrtOp, {b.mul(b.mul(d, b.constant(-0.5f)), b.mul(r, b.mul(r, r)))})
SLUICE_POINTWISE_ADJOINT(TanhOp, {b.mul(d, b.oneMinus(b.mul(r, r)))})
SLUICE_POINTWISE_ADJOINT(SigmoidOp, {b.mul(d, b.mul(r, b.oneMinus(r)))})
SLUICE_POINTWISE_ADJOINT(LogSigmoidOp, {b.mul(d, b.make<SigmoidOp>(b.neg(x)))})
SLUICE_POINTWISE_ADJOINT(SoftplusOp, {b.mul(d, b.make<SigmoidOp>(x))})
SLUICE_POINTWISE_ADJOINT(ClampGateOp, {b.make<ClampGateAdjointOp>(x, d)})
SLUICE_POINTWISE_ADJOINT(ClampGateAdjointOp, {Value(), b.make<ClampGateAdjointOp>(x, d)})

// y = x s with s = sigmoid(x): y' = s + y (1 - s).
SmallVector<Value> SiluOp::buildAdjoint(OpBuilder &builder, ValueRange cotangents) {
  if (!cotangents[0])
    return {Value()};
  PointwiseBuilder b(builder, *this);
  Value s = b.make<SigmoidOp>(getX());
  return {b.mul(cotangents[0], b.add(s, b.mul(getY(), b.oneMinus(s))))};
}

SmallVector<Value> MaskOp::buildAdjoint(OpBuilder &builder, ValueRange cotangents) {
  if (!cotangents[0])
    return {Value(), Value()};
  return {MaskOp::create(builder, getLoc(), cotangents[0], getMask(), builder.getF32FloatAttr(0)), Value()};
}

#undef SLUICE_POINTWISE_ADJOINT
