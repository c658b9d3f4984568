// Loops over vectors for one linalg.generic on buffers.
//
// The last dimension is walked in vectors where its extent and every operand allow it. Loops stand in the
// order: parallel dimensions, then the vector dimension (if parallel), then reductions (the vector dimension
// last), so that sums stay in registers. Loads and arithmetic are emitted in the outermost loop that knows their
// indices, on scalars where the vector dimension does not matter.

#include "codegen/cpu/GenericLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace sluice::cpu {
namespace {

struct Loop {
  unsigned dimension;
  int64_t step;     ///< 1, or lanes times the number of vectors unrolled.
  bool reduction;
  bool vector;
};

/// A value of the body at one level: one scalar, or one vector for each unrolled step.
struct Element {
  SmallVector<Value> copies;  ///< One entry if the vector dimension does not matter.
  bool vector = false;
  unsigned level = 0;
};

class GenericLoops {
public:
  GenericLoops(OpBuilder &builder, linalg::GenericOp op, ValueRange inputs, ValueRange results)
      : builder(builder), loc(op.getLoc()), op(op), inputs(inputs), results(results),
        extents(op.getStaticLoopRanges()), indices(extents.size()) {
    chooseLoops();
  }

  void run() { emitLevel(0, {}); }

private:
  void chooseLoops();
  bool canVectorise() const;
  int64_t chooseUnroll(bool reduction) const;
  AffineMap inputMap(unsigned i) { return op.getMatchingIndexingMap(op.getDpsInputOperand(i)); }
  AffineMap resultMap(unsigned i) { return op.getMatchingIndexingMap(op.getDpsInitOperand(i)); }
  bool usesVector(AffineMap map) const;
  unsigned levelOf(AffineMap map) const;
  bool accumulates(unsigned result);

  SmallVector<Value> emitLevel(unsigned level, SmallVector<Value> sums);
  SmallVector<Value> emitReductionLoop(unsigned level, SmallVector<Value> sums);
  void emitParallelLoop(unsigned level);
  void materialise(unsigned level);
  void loadInput(unsigned input, unsigned level);
  void compute(Operation &inner, unsigned level);
  Element &elementOf(Value value);
  Value copyOf(const Element &element, unsigned copy, bool asVector);
  SmallVector<Value> addToSums(SmallVector<Value> sums);
  void storeElements();
  void storeSums(ArrayRef<Value> sums);
  SmallVector<Value> zeroSums();
  SmallVector<Value> indicesOf(AffineMap map, unsigned copy);
  Value indexConstant(int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  VectorType vectorType() const { return VectorType::get({lanes}, builder.getF32Type()); }

  OpBuilder &builder;
  Location loc;
  linalg::GenericOp op;
  ValueRange inputs, results;
  SmallVector<int64_t> extents;
  SmallVector<Value> indices;  ///< By dimension, once its loop is open.
  SmallVector<Loop> loops;
  int vectorDimension = -1;
  bool vectorReduced = false;
  int64_t unroll = 1;
  unsigned firstReduction = 0;  ///< Level from which on all loops are reductions.
  DenseMap<Value, Element> elements;
};

//===--------------------------------------------------------------------===//
// Choice of loops
//===--------------------------------------------------------------------===//

bool GenericLoops::usesVector(AffineMap map) const {
  return vectorDimension >= 0 && map.isFunctionOfDim(vectorDimension);
}

/// A result whose yielded value is the sum of its own block argument and a term.
bool GenericLoops::accumulates(unsigned result) {
  return op.payloadUsesValueFromOperand(op.getDpsInitOperand(result));
}

bool GenericLoops::canVectorise() const {
  if (extents.empty() || extents.back() % lanes != 0)
    return false;
  unsigned last = extents.size() - 1;
  auto op = this->op;
  for (AffineMap map : op.getIndexingMapsArray()) {
    if (!map.isFunctionOfDim(last))
      continue;
    if (map.getResult(map.getNumResults() - 1) != getAffineDimExpr(last, map.getContext()))
      return false;
  }
  return true;
}

/// Vectors in flight: sums need several against latency, cheap bodies a few against loop overhead.
int64_t GenericLoops::chooseUnroll(bool reduction) const {
  auto op = this->op;
  int64_t vectors = extents.back() / lanes;
  int64_t size = op.getBlock()->getOperations().size() + op.getNumDpsInputs();
  bool heavy = llvm::any_of(op.getBlock()->without_terminator(), [](Operation &inner) {
    return isa<math::MathDialect>(inner.getDialect());
  });
  int64_t wanted = heavy ? 1 : size > 12 ? 2 : reduction ? 8 : 4;
  while (vectors % wanted != 0)
    wanted /= 2;
  return wanted;
}

void GenericLoops::chooseLoops() {
  auto iterators = op.getIteratorTypesArray();
  auto isReduction = [&](unsigned i) { return iterators[i] == utils::IteratorType::reduction; };
  if (canVectorise()) {
    vectorDimension = extents.size() - 1;
    vectorReduced = isReduction(vectorDimension);
    bool reduces = llvm::any_of(llvm::seq<unsigned>(0, extents.size()), isReduction);
    unroll = chooseUnroll(reduces);
  }
  auto add = [&](unsigned i, bool vector) {
    loops.push_back({i, vector ? lanes * unroll : 1, isReduction(i), vector});
  };
  for (unsigned i = 0; i < extents.size(); ++i)
    if (!isReduction(i) && int(i) != vectorDimension)
      add(i, false);
  if (vectorDimension >= 0 && !vectorReduced)
    add(vectorDimension, true);
  firstReduction = loops.size();
  for (unsigned i = 0; i < extents.size(); ++i)
    if (isReduction(i) && int(i) != vectorDimension)
      add(i, false);
  if (vectorDimension >= 0 && vectorReduced)
    add(vectorDimension, true);
}

/// The level (number of open loops) at which all dimensions of `map` are known.
unsigned GenericLoops::levelOf(AffineMap map) const {
  unsigned level = 0;
  for (auto [i, loop] : llvm::enumerate(loops))
    if (map.isFunctionOfDim(loop.dimension))
      level = i + 1;
  return level;
}

//===--------------------------------------------------------------------===//
// Elements
//===--------------------------------------------------------------------===//

SmallVector<Value> GenericLoops::indicesOf(AffineMap map, unsigned copy) {
  SmallVector<Value> found;
  for (AffineExpr expr : map.getResults()) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
      found.push_back(indexConstant(constant.getValue()));
      continue;
    }
    unsigned dimension = cast<AffineDimExpr>(expr).getPosition();
    Value index = indices[dimension];
    if (int(dimension) == vectorDimension && copy > 0)
      index = arith::AddIOp::create(builder, loc, index, indexConstant(copy * lanes));
    found.push_back(index);
  }
  return found;
}

void GenericLoops::loadInput(unsigned input, unsigned level) {
  AffineMap map = inputMap(input);
  Element element{{}, usesVector(map), level};
  for (unsigned copy = 0; copy < (element.vector ? unroll : 1); ++copy) {
    SmallVector<Value> at = indicesOf(map, copy);
    element.copies.push_back(
        element.vector ? vector::LoadOp::create(builder, loc, vectorType(), inputs[input], at).getResult()
                       : memref::LoadOp::create(builder, loc, inputs[input], at).getResult());
  }
  elements[op.getBlock()->getArgument(input)] = element;
}

Element &GenericLoops::elementOf(Value value) {
  auto found = elements.find(value);
  if (found != elements.end())
    return found->second;
  // From outside the generic: a scalar constant that folding left there.
  Element element;
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  assert(constant && "expected a constant from outside a generic");
  element.copies.push_back(builder.clone(*constant)->getResult(0));
  return elements[value] = element;
}

Value GenericLoops::copyOf(const Element &element, unsigned copy, bool asVector) {
  if (element.vector)
    return element.copies[copy];
  Value scalar = element.copies[0];
  if (!asVector)
    return scalar;
  return vector::BroadcastOp::create(builder, loc, VectorType::get({lanes}, scalar.getType()), scalar);
}

void GenericLoops::compute(Operation &inner, unsigned level) {
  Element element{{}, false, level};
  for (Value operand : inner.getOperands())
    element.vector |= elementOf(operand).vector;
  for (unsigned copy = 0; copy < (element.vector ? unroll : 1); ++copy) {
    OperationState state(loc, inner.getName());
    for (Value operand : inner.getOperands())
      state.operands.push_back(copyOf(elementOf(operand), copy, element.vector));
    Type type = inner.getResult(0).getType();
    state.types.push_back(element.vector ? VectorType::get({lanes}, type) : type);
    state.attributes = inner.getAttrs();
    if (isa<arith::ArithFastMathInterface>(inner))
      state.attributes.set("fastmath",
                           arith::FastMathFlagsAttr::get(inner.getContext(), arith::FastMathFlags::contract));
    element.copies.push_back(builder.create(state)->getResult(0));
  }
  elements[inner.getResult(0)] = element;
}

/// Emits what is known at `level` and not before.
void GenericLoops::materialise(unsigned level) {
  for (unsigned i = 0; i < inputs.size(); ++i)
    if (inputs[i] && levelOf(inputMap(i)) == level && !op.getBlock()->getArgument(i).use_empty())
      loadInput(i, level);
  // A level of an op is that of its latest operand; an op on constants alone belongs to level 0.
  DenseSet<Value> sums;
  for (unsigned i = 0; i < results.size(); ++i)
    sums.insert(op.getBlock()->getArgument(inputs.size() + i));
  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (elements.contains(inner.getResult(0)))
      continue;
    bool ready = llvm::all_of(inner.getOperands(), [&](Value operand) {
      return !sums.contains(operand) &&
             (elements.contains(operand) || operand.getParentBlock() != op.getBlock());
    });
    if (ready)
      compute(inner, level);
  }
}

//===--------------------------------------------------------------------===//
// Results
//===--------------------------------------------------------------------===//

/// One sum for each accumulating result and unrolled vector.
SmallVector<Value> GenericLoops::zeroSums() {
  SmallVector<Value> sums;
  for (unsigned i = 0; i < results.size(); ++i) {
    if (!accumulates(i))
      continue;
    bool vector = vectorDimension >= 0 && (vectorReduced || usesVector(resultMap(i)));
    for (unsigned copy = 0; copy < (vector ? unroll : 1); ++copy) {
      TypedAttr zero = builder.getF32FloatAttr(0);
      if (vector)
        zero = DenseElementsAttr::get(vectorType(), 0.0f);
      sums.push_back(arith::ConstantOp::create(builder, loc, zero));
    }
  }
  return sums;
}

SmallVector<Value> GenericLoops::addToSums(SmallVector<Value> sums) {
  auto yield = cast<linalg::YieldOp>(op.getBlock()->getTerminator());
  unsigned next = 0;
  for (unsigned i = 0; i < results.size(); ++i) {
    if (!accumulates(i))
      continue;
    Value own = op.getBlock()->getArgument(inputs.size() + i);
    auto add = yield.getOperand(i).getDefiningOp<arith::AddFOp>();
    assert(add && "expected a reduction to be a sum");
    Value term = add.getLhs() == own ? add.getRhs() : add.getLhs();
    bool vector = isa<VectorType>(sums[next].getType());
    for (unsigned copy = 0; copy < (vector ? unroll : 1); ++copy, ++next)
      sums[next] = arith::AddFOp::create(builder, loc, sums[next],
                                         copyOf(elementOf(term), copy, vector),
                                         arith::FastMathFlags::contract);
  }
  return sums;
}

void GenericLoops::storeElements() {
  auto yield = cast<linalg::YieldOp>(op.getBlock()->getTerminator());
  for (unsigned i = 0; i < results.size(); ++i) {
    if (accumulates(i) || !results[i])
      continue;
    AffineMap map = resultMap(i);
    bool vector = usesVector(map);
    for (unsigned copy = 0; copy < (vector ? unroll : 1); ++copy) {
      Value value = copyOf(elementOf(yield.getOperand(i)), copy, vector);
      SmallVector<Value> at = indicesOf(map, copy);
      if (vector)
        vector::StoreOp::create(builder, loc, value, results[i], at);
      else
        memref::StoreOp::create(builder, loc, value, results[i], at);
    }
  }
}

void GenericLoops::storeSums(ArrayRef<Value> sums) {
  unsigned next = 0;
  for (unsigned i = 0; i < results.size(); ++i) {
    if (!accumulates(i))
      continue;
    AffineMap map = resultMap(i);
    if (usesVector(map)) {
      for (unsigned copy = 0; copy < unroll; ++copy, ++next)
        if (results[i])
          vector::StoreOp::create(builder, loc, sums[next], results[i], indicesOf(map, copy));
      continue;
    }
    Value sum = sums[next++];
    for (unsigned copy = 1; vectorReduced && copy < unroll; ++copy)
      sum = arith::AddFOp::create(builder, loc, sum, sums[next++]);
    if (vectorReduced)
      sum = vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD, sum,
                                        arith::FastMathFlags::reassoc);
    if (results[i])
      memref::StoreOp::create(builder, loc, sum, results[i], indicesOf(map, 0));
  }
}

//===--------------------------------------------------------------------===//
// Loops
//===--------------------------------------------------------------------===//

SmallVector<Value> GenericLoops::emitReductionLoop(unsigned level, SmallVector<Value> sums) {
  const Loop &loop = loops[level];
  auto nest = scf::ForOp::create(builder, loc, indexConstant(0), indexConstant(extents[loop.dimension]),
                                 indexConstant(loop.step), sums);
  OpBuilder::InsertionGuard guard(builder);
  // Without sums the loop got its terminator already.
  if (sums.empty())
    builder.setInsertionPoint(nest.getBody()->getTerminator());
  else
    builder.setInsertionPointToStart(nest.getBody());
  indices[loop.dimension] = nest.getInductionVar();
  SmallVector<Value> next = emitLevel(level + 1, llvm::to_vector_of<Value>(nest.getRegionIterArgs()));
  if (!sums.empty())
    scf::YieldOp::create(builder, loc, next);
  return nest.getResults();
}

void GenericLoops::emitParallelLoop(unsigned level) {
  const Loop &loop = loops[level];
  int64_t extent = extents[loop.dimension];
  if (loop.step == extent) {
    indices[loop.dimension] = indexConstant(0);
    emitLevel(level + 1, {});
    return;
  }
  auto nest = scf::ForOp::create(builder, loc, indexConstant(0), indexConstant(extent),
                                 indexConstant(loop.step));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(nest.getBody()->getTerminator());
  indices[loop.dimension] = nest.getInductionVar();
  emitLevel(level + 1, {});
}

SmallVector<Value> GenericLoops::emitLevel(unsigned level, SmallVector<Value> sums) {
  materialise(level);
  bool opensSums = level == firstReduction;
  if (opensSums)
    sums = zeroSums();
  if (level == loops.size()) {
    storeElements();
    sums = addToSums(std::move(sums));
  } else if (loops[level].reduction) {
    sums = emitReductionLoop(level, std::move(sums));
  } else {
    emitParallelLoop(level);
  }
  if (opensSums)
    storeSums(sums);
  return sums;
}

} // namespace

void emitGeneric(OpBuilder &builder, linalg::GenericOp op, ValueRange inputs, ValueRange results) {
  GenericLoops(builder, op, inputs, results).run();
}

} // namespace sluice::cpu
