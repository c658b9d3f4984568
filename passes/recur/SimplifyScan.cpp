// Cleans up scans with upstream's folding and common subexpression elimination.

#include "passes/recur/SimplifyScan.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace sluice::recur;

namespace {

/// An expanded constant is a constant, which folds further.
struct FoldExpandedConstant : OpRewritePattern<ExpandOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ExpandOp op, PatternRewriter &rewriter) const override {
    auto constant = op.getX().getDefiningOp<ConstantOp>();
    if (!constant)
      return rewriter.notifyMatchFailure(op, "expected a constant");
    rewriter.replaceOpWithNewOp<ConstantOp>(op, op.getType(), constant.getValueAttr());
    return success();
  }
};

/// expand(expand(x)) along other dimensions is one expansion.
struct MergeExpands : OpRewritePattern<ExpandOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ExpandOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getX().getDefiningOp<ExpandOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "expected an expanded operand");
    SmallVector<int64_t> kept, dimensions(op.getDimensions());
    for (int64_t d = 0, rank = op.getY().getType().getRank(); d < rank; ++d)
      if (!llvm::is_contained(op.getDimensions(), d))
        kept.push_back(d);
    for (int64_t d : inner.getDimensions())
      dimensions.push_back(kept[d]);
    llvm::sort(dimensions);
    rewriter.replaceOpWithNewOp<ExpandOp>(op, op.getType(), inner.getX(),
                                          rewriter.getDenseI64ArrayAttr(dimensions));
    return success();
  }
};

/// -1 x = -x.
struct NegateByConstant : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MulOp op, PatternRewriter &rewriter) const override {
    for (auto [factor, other] : {std::pair(op.getX(), op.getY()), std::pair(op.getY(), op.getX())}) {
      auto constant = factor.getDefiningOp<ConstantOp>();
      if (!constant || !constant.getValue().isExactlyValue(-1))
        continue;
      rewriter.replaceOpWithNewOp<NegOp>(op, other);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "expected a factor of -1");
  }
};

} // namespace

LogicalResult sluice::recur::simplifyScan(ScanOp scan) {
  FrozenRewritePatternSet patterns = [&] {
    RewritePatternSet set(scan.getContext());
    set.add<FoldExpandedConstant, MergeExpands, NegateByConstant>(scan.getContext());
    for (RegisteredOperationName name : scan.getContext()->getRegisteredOperations())
      if (isa<RecurDialect>(name.getDialect()))
        name.getCanonicalizationPatterns(set, scan.getContext());
    return FrozenRewritePatternSet(std::move(set));
  }();
  IRRewriter rewriter(scan.getContext());
  for (bool changed = true; changed;) {
    changed = false;
    DominanceInfo dominance(scan);
    eliminateCommonSubExpressions(rewriter, dominance, scan, &changed);
    for (Region &region : scan->getRegions()) {
      bool rewritten = false;
      if (!region.empty() && failed(applyPatternsGreedily(region, patterns, {}, &rewritten)))
        return scan.emitOpError("expected simplification to end");
      changed |= rewritten;
    }
  }
  return success();
}
