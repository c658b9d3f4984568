// Brings a token program into the form that the other passes read; see recur-normalize in Passes.td.

#include "passes/recur/NormalizeForks.h"
#include "passes/recur/Passes.h"
#include "passes/recur/TokenProgram.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/STLExtras.h"

#include <numbers>

using namespace mlir;
using namespace sluice::recur;

namespace sluice::recur {
#define GEN_PASS_DEF_NORMALIZERECURRENCE
#include "passes/recur/Passes.h.inc"
} // namespace sluice::recur

namespace {

//===----------------------------------------------------------------------===//
// Upstream arithmetic
//===----------------------------------------------------------------------===//

/// An upstream op on f32 that recur has under another name.
template <typename From, typename To> struct RenameOp : OpRewritePattern<From> {
  using OpRewritePattern<From>::OpRewritePattern;
  LogicalResult matchAndRewrite(From op, PatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<To>(op, op->getResultTypes(), op->getOperands());
    return success();
  }
};

struct RewriteConstant : OpRewritePattern<arith::ConstantOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::ConstantOp op, PatternRewriter &rewriter) const override {
    auto number = dyn_cast<FloatAttr>(op.getValue());
    if (!number)
      return rewriter.notifyMatchFailure(op, "expected a number");
    rewriter.replaceOpWithNewOp<ConstantOp>(op, op.getType(), number);
    return success();
  }
};

/// exp2 x = e^(x ln 2).
struct RewriteExp2 : OpRewritePattern<math::Exp2Op> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::Exp2Op op, PatternRewriter &rewriter) const override {
    Value ln2 = ConstantOp::create(rewriter, op.getLoc(), op.getType(), std::numbers::ln2_v<float>);
    Value exponent = MulOp::create(rewriter, op.getLoc(), op.getOperand(), ln2);
    rewriter.replaceOpWithNewOp<ExpOp>(op, exponent);
    return success();
  }
};

/// log2 x = ln x / ln 2.
struct RewriteLog2 : OpRewritePattern<math::Log2Op> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::Log2Op op, PatternRewriter &rewriter) const override {
    Value log = LogOp::create(rewriter, op.getLoc(), op.getOperand());
    Value factor = ConstantOp::create(rewriter, op.getLoc(), op.getType(), std::numbers::log2e_v<float>);
    rewriter.replaceOpWithNewOp<MulOp>(op, log, factor);
    return success();
  }
};

struct RewriteFma : OpRewritePattern<math::FmaOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::FmaOp op, PatternRewriter &rewriter) const override {
    Value product = MulOp::create(rewriter, op.getLoc(), op.getA(), op.getB());
    rewriter.replaceOpWithNewOp<AddOp>(op, product, op.getC());
    return success();
  }
};

void addUpstreamPatterns(RewritePatternSet &patterns) {
  patterns
      .add<RewriteConstant, RewriteExp2, RewriteLog2, RewriteFma, RenameOp<arith::AddFOp, AddOp>,
           RenameOp<arith::SubFOp, SubOp>, RenameOp<arith::MulFOp, MulOp>, RenameOp<arith::DivFOp, DivOp>,
           RenameOp<arith::NegFOp, NegOp>, RenameOp<arith::MaximumFOp, MaxOp>,
           RenameOp<arith::MinimumFOp, MinOp>, RenameOp<math::AbsFOp, AbsOp>, RenameOp<math::ExpOp, ExpOp>,
           RenameOp<math::ExpM1Op, Expm1Op>, RenameOp<math::LogOp, LogOp>, RenameOp<math::Log1pOp, Log1pOp>,
           RenameOp<math::SqrtOp, SqrtOp>, RenameOp<math::RsqrtOp, RsqrtOp>, RenameOp<math::TanhOp, TanhOp>>(
          patterns.getContext());
}

//===----------------------------------------------------------------------===//
// Broadcasts
//===----------------------------------------------------------------------===//

/// The scalar that `value` repeats, made if it repeats a constant; null if it is no repetition.
Value getScalar(Value value, PatternRewriter &rewriter) {
  Value uniform = getUniform(value);
  if (!uniform || uniform.getType().isF32())
    return uniform;
  auto constant = uniform.getDefiningOp<ConstantOp>();
  return ConstantOp::create(rewriter, value.getLoc(), rewriter.getF32Type(), constant.getValueAttr());
}

/// Pointwise arithmetic on repeated scalars is the repetition of scalar arithmetic: fewer operations, and
/// coefficients of reads can be seen to be scalars.
struct LiftFromBroadcast : OpInterfaceRewritePattern<PointwiseOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;
  LogicalResult matchAndRewrite(PointwiseOpInterface op, PatternRewriter &rewriter) const override {
    Type type = op->getResult(0).getType();
    bool uniform = llvm::all_of(op->getOperands(), [](Value x) { return bool(getUniform(x)); });
    if (!isa<KeyType, ValueType, MatrixType>(type) || !uniform)
      return rewriter.notifyMatchFailure(op, "expected repeated scalars");
    SmallVector<Value> scalars;
    for (Value operand : op->getOperands())
      scalars.push_back(getScalar(operand, rewriter));
    OperationState state(op->getLoc(), op->getName(), scalars, rewriter.getF32Type(), op->getAttrs());
    Value scalar = rewriter.create(state)->getResult(0);
    rewriter.replaceOpWithNewOp<BroadcastOp>(op, type, scalar);
    return success();
  }
};

/// scale(broadcast(x), y) = broadcast(x y).
struct LiftFromScale : OpRewritePattern<ScaleOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ScaleOp op, PatternRewriter &rewriter) const override {
    if (!getUniform(op.getX()))
      return rewriter.notifyMatchFailure(op, "expected a repeated scalar");
    Value scalar = getScalar(op.getX(), rewriter);
    Value product = MulOp::create(rewriter, op.getLoc(), scalar, op.getBy());
    rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getType(), product);
    return success();
  }
};

bool isRecurOp(Operation &op) { return isa<RecurDialect>(op.getDialect()); }

struct NormalizeRecurrencePass : sluice::recur::impl::NormalizeRecurrenceBase<NormalizeRecurrencePass> {
  void runOnOperation() override {
    forkedReads += normalizeForks(getOperation());
    if (failed(normalize(getOperation())))
      signalPassFailure();
  }
};

} // namespace

LogicalResult sluice::recur::normalize(RecurrenceOp recurrence) {
  normalizeForks(recurrence);
  RewritePatternSet patterns(recurrence.getContext());
  addUpstreamPatterns(patterns);
  patterns.add<LiftFromBroadcast, LiftFromScale>(patterns.getContext());
  if (failed(applyPatternsGreedily(recurrence.getBody(), std::move(patterns))))
    return recurrence.emitOpError("expected normalization to end");
  assert(llvm::all_of(recurrence.getBody().front(), isRecurOp) &&
         "expected a pattern for each op that the verifier admits");
  return success();
}
