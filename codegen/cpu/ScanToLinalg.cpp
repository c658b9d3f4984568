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

/// A product that nothing but this sum needs, with a full result.
bool canAccumulate(Value term) {
  auto product = term.getDefiningOp<ProductOp>();
  return product && product->hasOneUse() && product.getTriangle() != Triangle::LowerResult &&
         product.getTriangle() != Triangle::StrictlyLowerResult;
}

/// The terms of the sum whose last addition is `root`.
void collectTerms(AddOp root, SmallVectorImpl<Value> &terms) {
  for (Value operand : root->getOperands()) {
    auto inner = operand.getDefiningOp<AddOp>();
    if (inner && inner->hasOneUse())
      collectTerms(inner, terms);
    else
      terms.push_back(operand);
  }
}

struct SumBuilder {
  OpBuilder &builder;
  Location loc;
  unsigned accumulated = 0;

  Value add(Value x, Value y) { return AddOp::create(builder, loc, x.getType(), x, y); }
  Value accumulate(Value sum, Value product) {
    Value next = add(sum, product);
    next.getDefiningOp()->setAttr(cpu::accumulateAttr, builder.getUnitAttr());
    ++accumulated;
    return next;
  }
};

/// Sums of products: the products are added in place to each other, and to the rest of the sum if that must be
/// in memory anyway, because not only arithmetic uses the sum.
unsigned accumulateSum(AddOp root) {
  SmallVector<Value> terms, products, others;
  collectTerms(root, terms);
  for (Value term : terms)
    (canAccumulate(term) ? products : others).push_back(term);
  bool needed = !llvm::all_of(root->getUsers(), isPointwiseLike);
  if (products.empty() || (products.size() == 1 && (others.empty() || !needed)))
    return 0;
  OpBuilder builder(root);
  SumBuilder sum{builder, root.getLoc()};
  Value rest;
  for (Value other : others)
    rest = rest ? sum.add(rest, other) : other;
  bool ontoRest = needed && rest;
  Value total = ontoRest ? rest : products.front();
  for (Value product : llvm::drop_begin(products, ontoRest ? 0 : 1))
    total = sum.accumulate(total, product);
  if (rest && !ontoRest)
    total = sum.add(total, rest);
  root.replaceAllUsesWith(total);
  return sum.accumulated;
}

unsigned markAccumulation(Block &body) {
  SmallVector<AddOp> roots;
  for (AddOp add : body.getOps<AddOp>())
    if (!add->hasOneUse() || !isa<AddOp>(*add->user_begin()))
      roots.push_back(add);
  unsigned count = 0;
  for (AddOp root : roots)
    count += accumulateSum(root);
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

void eraseUnused(Block &body) {
  SmallVector<Operation *> ops = llvm::map_to_vector(body.without_terminator(), [](Operation &op) { return &op; });
  for (Operation *op : llvm::reverse(ops))
    if (op->use_empty())
      op->erase();
}

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
  eraseUnused(body);
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
    eraseUnused(region.front());
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
