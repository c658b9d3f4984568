// Folds and canonicalisations of recur ops. 0 * x stays: it is not 0 where x is NaN or infinite.

#include "dialect/recur/Recur.h"

#include "mlir/IR/PatternMatch.h"

#include <cmath>

using namespace mlir;
using namespace sluice::recur;

static bool isConstant(Attribute attribute, double number) {
  auto constant = dyn_cast_or_null<FloatAttr>(attribute);
  return constant && constant.getValue().isExactlyValue(number);
}

static bool isZero(Attribute attribute) { return isConstant(attribute, 0.0) || isConstant(attribute, -0.0); }

/// The constant f(x), if x is a constant.
template <typename Function> static OpFoldResult foldUnary(Attribute x, Function f) {
  auto constant = dyn_cast_or_null<FloatAttr>(x);
  if (!constant)
    return {};
  return FloatAttr::get(constant.getType(), f(constant.getValue().convertToFloat()));
}

/// The constant f(x, y), if both are constants.
template <typename Function> static OpFoldResult foldBinary(Attribute x, Attribute y, Function f) {
  auto left = dyn_cast_or_null<FloatAttr>(x), right = dyn_cast_or_null<FloatAttr>(y);
  if (!left || !right)
    return {};
  return FloatAttr::get(left.getType(),
                        f(left.getValue().convertToFloat(), right.getValue().convertToFloat()));
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValueAttr(); }

OpFoldResult AddOp::fold(FoldAdaptor adaptor) {
  if (isZero(adaptor.getY()))
    return getX();
  if (isZero(adaptor.getX()))
    return getY();
  return foldBinary(adaptor.getX(), adaptor.getY(), [](float x, float y) { return x + y; });
}

OpFoldResult SubOp::fold(FoldAdaptor adaptor) {
  if (isZero(adaptor.getY()))
    return getX();
  return foldBinary(adaptor.getX(), adaptor.getY(), [](float x, float y) { return x - y; });
}

OpFoldResult MulOp::fold(FoldAdaptor adaptor) {
  if (isConstant(adaptor.getY(), 1.0))
    return getX();
  if (isConstant(adaptor.getX(), 1.0))
    return getY();
  return foldBinary(adaptor.getX(), adaptor.getY(), [](float x, float y) { return x * y; });
}

OpFoldResult DivOp::fold(FoldAdaptor adaptor) {
  if (isConstant(adaptor.getY(), 1.0))
    return getX();
  return foldBinary(adaptor.getX(), adaptor.getY(), [](float x, float y) { return x / y; });
}

OpFoldResult NegOp::fold(FoldAdaptor adaptor) {
  if (auto inner = getX().getDefiningOp<NegOp>())
    return inner.getX();
  return foldUnary(adaptor.getX(), [](float x) { return -x; });
}

OpFoldResult ExpOp::fold(FoldAdaptor adaptor) {
  return foldUnary(adaptor.getX(), [](float x) { return std::exp(x); });
}

OpFoldResult ClampGateOp::fold(FoldAdaptor adaptor) {
  if (getX().getDefiningOp<ClampGateOp>())
    return getX();
  return foldUnary(adaptor.getX(), [](float x) { return x <= gateFloor ? gateFloor : x; });
}

OpFoldResult ScaleOp::fold(FoldAdaptor adaptor) {
  if (isConstant(adaptor.getBy(), 1.0))
    return getX();
  return foldBinary(adaptor.getX(), adaptor.getBy(), [](float x, float y) { return x * y; });
}

OpFoldResult BroadcastOp::fold(FoldAdaptor adaptor) { return dyn_cast_or_null<FloatAttr>(adaptor.getX()); }

//===----------------------------------------------------------------------===//
// Decays by e^0
//===----------------------------------------------------------------------===//

OpFoldResult DecayOp::fold(FoldAdaptor adaptor) {
  return isZero(adaptor.getGate()) ? OpFoldResult(getState()) : OpFoldResult();
}

OpFoldResult DecayValuesOp::fold(FoldAdaptor adaptor) {
  return isZero(adaptor.getGate()) ? OpFoldResult(getState()) : OpFoldResult();
}

OpFoldResult DecayEntriesOp::fold(FoldAdaptor adaptor) {
  return isZero(adaptor.getGate()) ? OpFoldResult(getState()) : OpFoldResult();
}

//===----------------------------------------------------------------------===//
// Signs move into sums
//===----------------------------------------------------------------------===//

/// From(x, -y) becomes To(x, y).
template <typename From, typename To> struct AbsorbNegation : OpRewritePattern<From> {
  using OpRewritePattern<From>::OpRewritePattern;
  LogicalResult matchAndRewrite(From op, PatternRewriter &rewriter) const override {
    auto negation = op.getY().template getDefiningOp<NegOp>();
    if (!negation)
      return rewriter.notifyMatchFailure(op, "the second operand is no negation");
    rewriter.replaceOpWithNewOp<To>(op, op.getX(), negation.getX());
    return success();
  }
};

/// (-x) + y becomes y - x.
struct SwapNegation : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AddOp op, PatternRewriter &rewriter) const override {
    auto negation = op.getX().getDefiningOp<NegOp>();
    if (!negation)
      return rewriter.notifyMatchFailure(op, "the first operand is no negation");
    rewriter.replaceOpWithNewOp<SubOp>(op, op.getY(), negation.getX());
    return success();
  }
};

void AddOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<AbsorbNegation<AddOp, SubOp>, SwapNegation>(context);
}

void SubOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<AbsorbNegation<SubOp, AddOp>>(context);
}
