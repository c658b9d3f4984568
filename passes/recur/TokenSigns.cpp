// Signs of pointwise functions in padding.

#include "passes/recur/TokenSigns.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sluice::recur;

Sign sluice::recur::getProductSign(Sign x, Sign y) {
  if (x == Sign::zero || y == Sign::zero)
    return Sign::zero;
  return x == Sign::positive && y == Sign::positive ? Sign::positive : Sign::any;
}

static Sign getSumSign(Sign x, Sign y) {
  if (x == Sign::any || y == Sign::any)
    return Sign::any;
  return x == Sign::zero ? y : Sign::positive;
}

static Sign getMaxSign(Sign x, Sign y) {
  if (x == Sign::positive || y == Sign::positive)
    return Sign::positive;
  return x == Sign::zero && y == Sign::zero ? Sign::zero : Sign::any;
}

Sign sluice::recur::getPointwiseSign(Operation *op, ArrayRef<Sign> operands) {
  Sign x = operands.front(), y = operands.back();
  return llvm::TypeSwitch<Operation *, Sign>(op)
      .Case([&](AddOp) { return getSumSign(x, y); })
      .Case([&](SubOp) { return y == Sign::zero ? x : Sign::any; })
      .Case([&](MulOp) { return getProductSign(x, y); })
      .Case([&](DivOp) { return x; })
      .Case([&](MaxOp) { return getMaxSign(x, y); })
      .Case([&](MinOp) { return x == y ? x : Sign::any; })
      .Case([&](NegOp) { return x == Sign::zero ? x : Sign::any; })
      .Case<AbsOp, Expm1Op, Log1pOp, TanhOp, SiluOp, ClampGateOp>([&](auto) { return x; })
      .Case<ExpOp, SigmoidOp, SoftplusOp, SqrtOp, RsqrtOp>([](auto) { return Sign::positive; })
      .Default([](Operation *) { return Sign::any; });
}
