// Pass cpu-scan-to-linalg: the elementwise part of scans as fused linalg.generic, in an order that suits
// buffers.

#include "codegen/cpu/Passes.h"
#include "dialect/recur/Recur.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace sluice::cpu {
#define GEN_PASS_DEF_CPUSCANTOLINALG
#include "codegen/cpu/Passes.h.inc"
} // namespace sluice::cpu

using namespace mlir;
using namespace sluice;
using namespace sluice::recur;

namespace {

//===--------------------------------------------------------------------===//
// Products that accumulate
//===--------------------------------------------------------------------===//

bool isPointwiseLike(Operation *op) { return isa<PointwiseOpInterface, ExpandOp, ReduceOp>(op); }

/// The operand of `add` that is a product without other users and with a full result, or -1.
int accumulatedOperand(AddOp add) {
  for (int i : {1, 0}) {
    auto product = add->getOperand(i).getDefiningOp<ProductOp>();
    if (!product || !product->hasOneUse() || product->getBlock() != add->getBlock())
      continue;
    if (product.getTriangle() == Triangle::LowerResult ||
        product.getTriangle() == Triangle::StrictlyLowerResult)
      continue;
    return i;
  }
  return -1;
}

/// Marks adds that a product does better in place: those whose sum is needed as a whole anyway.
unsigned markAccumulation(Block &body) {
  unsigned count = 0;
  for (AddOp add : body.getOps<AddOp>()) {
    int operand = accumulatedOperand(add);
    if (operand < 0)
      continue;
    Operation *other = add->getOperand(1 - operand).getDefiningOp();
    bool needed = !llvm::all_of(add->getUsers(), isPointwiseLike);
    if (!needed && (!other || isPointwiseLike(other)))
      continue;
    // The product comes second, so that lowering need not look.
    if (operand == 0)
      add->setOperands({add.getY(), add.getX()});
    add->setAttr(cpu::accumulateAttr, UnitAttr::get(add.getContext()));
    ++count;
  }
  return count;
}

//===--------------------------------------------------------------------===//
// Conversion to linalg.generic
//===--------------------------------------------------------------------===//

/// f(expand a, expand b) = expand f(a, b): arithmetic on the small tensors.
struct PointwiseOfExpand : OpInterfaceRewritePattern<PointwiseOpInterface> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(PointwiseOpInterface op, PatternRewriter &rewriter) const override {
    ExpandOp first;
    for (Value operand : op->getOperands())
      if (auto expand = operand.getDefiningOp<ExpandOp>())
        first = expand;
    if (!first)
      return rewriter.notifyMatchFailure(op, "expected an expand among the operands, got none");
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      if (auto expand = operand.getDefiningOp<ExpandOp>()) {
        if (expand.getDimensions() != first.getDimensions() ||
            expand.getX().getType() != first.getX().getType())
          return rewriter.notifyMatchFailure(op, "expected expands along the same dimensions");
        operands.push_back(expand.getX());
      } else if (auto constant = operand.getDefiningOp<ConstantOp>()) {
        operands.push_back(ConstantOp::create(rewriter, op.getLoc(), first.getX().getType(),
                                              constant.getValueAttr()));
      } else {
        return rewriter.notifyMatchFailure(op, "expected expands and constants only");
      }
    }
    OperationState state(op.getLoc(), op->getName().getStringRef(), operands,
                         first.getX().getType(), op->getAttrs());
    Operation *small = rewriter.create(state);
    rewriter.replaceOpWithNewOp<ExpandOp>(op, op->getResult(0).getType(), small->getResult(0),
                                          first.getDimensionsAttr());
    return success();
  }
};

SmallVector<AffineMap> identityMaps(RankedTensorType type, unsigned count) {
  return SmallVector<AffineMap>(
      count, AffineMap::getMultiDimIdentityMap(type.getRank(), type.getContext()));
}

/// Drops `dimensions` from the identity on `rank` dimensions.
AffineMap mapWithout(unsigned rank, ArrayRef<int64_t> dimensions, MLIRContext *context) {
  SmallVector<AffineExpr> kept;
  for (unsigned i = 0; i < rank; ++i)
    if (!llvm::is_contained(dimensions, int64_t(i)))
      kept.push_back(getAffineDimExpr(i, context));
  return AffineMap::get(rank, 0, kept, context);
}

Value emptyLike(OpBuilder &builder, Location loc, RankedTensorType type) {
  return tensor::EmptyOp::create(builder, loc, type.getShape(), type.getElementType());
}

void convertPointwise(PointwiseOpInterface op, RewriterBase &rewriter) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  Value init = emptyLike(rewriter, op.getLoc(), type);
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      rewriter, op.getLoc(), TypeRange(type), op->getOperands(), ValueRange(init),
      identityMaps(type, op->getNumOperands() + 1), iterators,
      [&](OpBuilder &builder, Location loc, ValueRange arguments) {
        Value result = op.buildScalar(builder, loc, arguments.drop_back());
        linalg::YieldOp::create(builder, loc, result);
      });
  rewriter.replaceOp(op, generic);
}

void convertExpand(ExpandOp op, RewriterBase &rewriter) {
  auto type = cast<RankedTensorType>(op.getY().getType());
  Value init = emptyLike(rewriter, op.getLoc(), type);
  AffineMap from = mapWithout(type.getRank(), op.getDimensions(), op.getContext());
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      rewriter, op.getLoc(), TypeRange(type), ValueRange(op.getX()), ValueRange(init),
      ArrayRef<AffineMap>{from, identityMaps(type, 1)[0]}, iterators,
      [](OpBuilder &builder, Location loc, ValueRange arguments) {
        linalg::YieldOp::create(builder, loc, arguments[0]);
      });
  rewriter.replaceOp(op, generic);
}

void convertReduce(ReduceOp op, RewriterBase &rewriter) {
  auto from = cast<RankedTensorType>(op.getX().getType());
  auto type = cast<RankedTensorType>(op.getY().getType());
  Value zero = arith::ConstantOp::create(
      rewriter, op.getLoc(), DenseElementsAttr::get(type, rewriter.getF32FloatAttr(0)));
  AffineMap to = mapWithout(from.getRank(), op.getDimensions(), op.getContext());
  SmallVector<utils::IteratorType> iterators(from.getRank(), utils::IteratorType::parallel);
  for (int64_t dimension : op.getDimensions())
    iterators[dimension] = utils::IteratorType::reduction;
  auto generic = linalg::GenericOp::create(
      rewriter, op.getLoc(), TypeRange(type), ValueRange(op.getX()), ValueRange(zero),
      ArrayRef<AffineMap>{identityMaps(from, 1)[0], to}, iterators,
      [](OpBuilder &builder, Location loc, ValueRange arguments) {
        Value sum = arith::AddFOp::create(builder, loc, arguments[1], arguments[0]);
        linalg::YieldOp::create(builder, loc, sum);
      });
  rewriter.replaceOp(op, generic);
}

void convertConstant(ConstantOp op, RewriterBase &rewriter) {
  auto type = cast<RankedTensorType>(op.getY().getType());
  rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, DenseElementsAttr::get(type, op.getValueAttr()));
}

void convertBody(Block &body) {
  IRRewriter rewriter(body.getParentOp()->getContext());
  for (Operation &op : llvm::make_early_inc_range(body)) {
    rewriter.setInsertionPoint(&op);
    if (op.hasAttr(cpu::accumulateAttr))
      continue;
    if (auto pointwise = dyn_cast<PointwiseOpInterface>(op))
      convertPointwise(pointwise, rewriter);
    else if (auto expand = dyn_cast<ExpandOp>(op))
      convertExpand(expand, rewriter);
    else if (auto reduce = dyn_cast<ReduceOp>(op))
      convertReduce(reduce, rewriter);
    else if (auto constant = dyn_cast<ConstantOp>(op))
      convertConstant(constant, rewriter);
  }
}

//===--------------------------------------------------------------------===//
// Fusion
//===--------------------------------------------------------------------===//

/// A body that only hands its input on.
bool isCopy(linalg::GenericOp op) {
  Block *body = op.getBlock();
  return op.getNumDpsInputs() == 1 && body->without_terminator().empty();
}

/// Cheap enough to be computed once for each use: a few instructions per vector.
bool isCheap(linalg::GenericOp op) {
  int64_t count = 0;
  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (isa<arith::DivFOp>(inner) || isa<math::MathDialect>(inner.getDialect()))
      return false;
    ++count;
  }
  return count <= 3;
}

bool isGeneric(Operation *op) { return isa<linalg::GenericOp>(op); }

/// A copy is always taken in. Arithmetic is not repeated along dimensions that its result lacks, and a result
/// with several users is computed again only if it is cheap and no user needs it in memory.
bool shouldFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !consumer || producer->getNumResults() != 1)
    return false;
  if (isCopy(producer))
    return true;
  if (producer.getNumLoops() != consumer.getMatchingIndexingMap(operand).getNumDims())
    return false;
  if (producer->hasOneUse())
    return true;
  return isCheap(producer) && producer.getNumDpsInputs() <= 3 &&
         llvm::all_of(producer->getUsers(), isGeneric);
}

LogicalResult fuse(Region &region) {
  MLIRContext *context = region.getContext();
  RewritePatternSet patterns(context);
  linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
  linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
  return applyPatternsGreedily(region, std::move(patterns));
}

//===--------------------------------------------------------------------===//
// Order
//===--------------------------------------------------------------------===//

/// Puts every op after what it needs, in the order in which the yield asks: outputs first. A state is thus
/// updated after its last read, and its update can be in place.
void reorder(Block &body) {
  Operation *yield = body.getTerminator();
  SmallVector<Operation *> order;
  DenseSet<Operation *> placed;
  // Depth first with an explicit stack: (op, next operand to look at).
  for (Value root : yield->getOperands()) {
    SmallVector<std::pair<Operation *, unsigned>> stack;
    auto visit = [&](Value value) {
      Operation *op = value.getDefiningOp();
      if (op && op->getBlock() == &body && placed.insert(op).second)
        stack.push_back({op, 0});
    };
    visit(root);
    while (!stack.empty()) {
      auto &[op, next] = stack.back();
      if (next == op->getNumOperands()) {
        order.push_back(op);
        stack.pop_back();
        continue;
      }
      visit(op->getOperand(next++));
    }
  }
  for (Operation *op : order)
    op->moveBefore(yield);
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body.without_terminator())))
    if (op.use_empty())
      op.erase();
}

struct ScanToLinalg : cpu::impl::CpuScanToLinalgBase<ScanToLinalg> {
  LogicalResult runOnRegion(Region &region) {
    if (region.empty())
      return success();
    MLIRContext *context = region.getContext();
    RewritePatternSet patterns(context);
    patterns.add<PointwiseOfExpand>(context);
    if (failed(applyPatternsGreedily(region, std::move(patterns))))
      return failure();
    accumulated += markAccumulation(region.front());
    convertBody(region.front());
    if (failed(fuse(region)))
      return failure();
    return success();
  }

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    for (auto scan : getOperation().getOps<ScanOp>()) {
      for (Region &region : scan->getRegions())
        if (failed(runOnRegion(region)))
          return signalPassFailure();
      DominanceInfo dominance(scan);
      eliminateCommonSubExpressions(rewriter, dominance, scan);
      for (Region &region : scan->getRegions()) {
        if (region.empty())
          continue;
        reorder(region.front());
        fused += llvm::range_size(region.front().getOps<linalg::GenericOp>());
      }
    }
  }
};

} // namespace
