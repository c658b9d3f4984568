// A scan as a function: the arena's layout, the loop over steps or segments of steps, and what comes before and
// after it. Bodies are in ScanBodies.cpp, ports in ScanPortAccess.cpp.

#include "codegen/cpu/ScanLowering.h"
#include "codegen/cpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace sluice::recur;

namespace sluice::cpu {

ScanLowering::ScanLowering(ScanOp scan, KernelEmitter &kernels)
    : scan(scan), kernels(kernels), builder(scan.getContext()), loc(scan.getLoc()), ports(taskPorts(scan)) {
  auto keysAttribute = scan->getAttrOfType<IntegerAttr>(keysAttr);
  keys = keysAttribute ? keysAttribute.getInt() : scan.getKeyDim();
  unsigned next = 0;
  auto number = [&](ArrayAttr array, SmallVector<unsigned> &first) {
    for (Attribute port : array) {
      first.push_back(next);
      next += taskPortCount(cast<PortAttr>(port));
    }
  };
  number(scan.getInputs(), inputPort);
  number(scan.getOutputs(), outputPort);
  number(scan.getCarried(), carriedPort);
}

FailureOr<func::FuncOp> ScanLowering::run() {
  if (failed(checkOps()))
    return failure();
  openFunction();
  planArena();
  emitPrologue();
  if (hasSlots())
    emitSegments();
  else
    emitSteps();
  emitEpilogue();
  func::ReturnOp::create(builder, loc);
  scratchEnd = llvm::alignTo(scratchEnd, 64);
  function->setAttr(scratchAttr, builder.getI64IntegerAttr(scratchEnd));
  return function;
}

unsigned ScanLowering::inPlaceCount() const {
  return bodyPlan->inPlaceCount() + (recomputePlan ? recomputePlan->inPlaceCount() : 0);
}

LogicalResult ScanLowering::checkOps() {
  for (Region &region : scan->getRegions()) {
    if (region.empty())
      continue;
    for (Operation &op : region.front().without_terminator()) {
      bool known = isa<linalg::GenericOp, tensor::EmptyOp, arith::ConstantOp>(op) || op.hasAttr(accumulateAttr);
      if (!known && !kernels.handles(&op))
        return op.emitError("expected an op that the CPU path has code for, got ") << op.getName();
    }
  }
  return success();
}

//===--------------------------------------------------------------------===//
// Set-up
//===--------------------------------------------------------------------===//

Value ScanLowering::constant(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }

Value ScanLowering::ceilDiv(Value count, int64_t divisor) {
  Value rounded = arith::AddIOp::create(builder, loc, count, constant(divisor - 1));
  return arith::DivUIOp::create(builder, loc, rounded, constant(divisor));
}

Value ScanLowering::i64(Value index) {
  return arith::IndexCastOp::create(builder, loc, builder.getI64Type(), index);
}

void ScanLowering::openFunction() {
  auto pointer = LLVM::LLVMPointerType::get(builder.getContext());
  builder.setInsertionPoint(scan);
  function = func::FuncOp::create(builder, loc, scan.getSymName(), builder.getFunctionType({pointer}, {}));
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  readTask(entry->getArgument(0));
}

/// The fields of KernelTask, each of 8 bytes.
void ScanLowering::readTask(Value task) {
  Type pointer = task.getType(), integer = builder.getI64Type();
  auto word = [&](Value base, int64_t index, Type type) -> Value {
    Value address = LLVM::GEPOp::create(builder, loc, pointer, integer, base, ArrayRef<LLVM::GEPArg>{int32_t(index)});
    return LLVM::LoadOp::create(builder, loc, type, address, 8);
  };
  auto toIndex = [&](Value value) -> Value {
    return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), value);
  };
  tokens = toIndex(word(task, 0, integer));
  columns = toIndex(word(task, 1, integer));
  scratchPointer = word(task, 2, pointer);
  Value pointerArray = word(task, 3, pointer), strideArray = word(task, 4, pointer);
  for (size_t i = 0; i < ports.size(); ++i) {
    pointers.push_back(word(pointerArray, i, pointer));
    strides.push_back(word(strideArray, i, integer));
  }
  arena.emplace(builder, loc, scratchPointer);
}

bool ScanLowering::isSlotInput(unsigned input) {
  PortAttr port = scan.getInput(input);
  return hasSlots() && port.getRole() == Role::Saved && port.getName() == "state";
}

void ScanLowering::planArena() {
  ArenaLayout layout;
  Block &body = scan.getBody().front();
  unsigned inputs = scan.getInputs().size();
  for (BlockArgument argument : body.getArguments()) {
    unsigned i = argument.getArgNumber();
    bool once = i >= inputs || scan.getInput(i).getExtent() == Extent::PerHead;
    // Three lines between neighbours, as in BufferPlan.
    if (once)
      persistent[argument] = layout.take(bytesOf(argument.getType()) + 192);
  }
  if (hasSlots()) {
    Block &recompute = scan.getRecompute().front();
    for (unsigned i = 0; i < inputs; ++i)
      if (persistent.contains(body.getArgument(i)))
        persistent[recompute.getArgument(i)] = persistent.lookup(body.getArgument(i));
    auto state = cast<ShapedType>(scan.getRecompute().front().getTerminator()->getOperand(0).getType());
    slots = layout.take(bytesOf(state) * scan.getCheckpoint());
    recomputePlan.emplace(planBody(recompute, layout.size()));
  }
  bodyPlan.emplace(planBody(body, layout.size()));
  kernelBase = std::max(bodyPlan->end(), recomputePlan ? recomputePlan->end() : 0);
  kernelBase = scratchEnd = llvm::alignTo(kernelBase + 192, 64);
}

/// Pins what lives across steps. In the recomputation the state before and after a step are slots.
BufferPlan ScanLowering::planBody(Block &block, int64_t base) {
  auto yield = cast<ScanYieldOp>(block.getTerminator());
  unsigned inputs = scan.getInputs().size();
  SmallVector<PinnedArgument> pinned;
  SmallVector<Value> external;
  for (BlockArgument argument : block.getArguments()) {
    unsigned i = argument.getArgNumber();
    if (i < inputs && isSlotInput(i))
      external.push_back(argument);
    else if (persistent.contains(argument))
      pinned.push_back({argument, persistent[argument], i < inputs ? Value() : yield.getCarried()[i - inputs]});
  }
  bool recompute = hasSlots() && &block == &scan.getRecompute().front();
  if (recompute && !isa<BlockArgument>(yield.getCarried()[0]))
    external.push_back(yield.getCarried()[0]);
  return BufferPlan(block, pinned, external, base);
}

//===--------------------------------------------------------------------===//
// Loops
//===--------------------------------------------------------------------===//

StepPosition ScanLowering::positionOf(Value step) {
  Value first = arith::MulIOp::create(builder, loc, step, constant(scan.getStep()));
  if (scan.getStep() == 1)
    return {step, first, constant(1)};
  Value left = arith::SubIOp::create(builder, loc, tokens, first);
  Value rows = arith::MinSIOp::create(builder, loc, left, constant(scan.getStep()));
  return {step, first, rows};
}

/// The state before a step of the segment.
Value ScanLowering::slotAt(Value index) {
  auto state = cast<ShapedType>(scan.getRecompute().front().getTerminator()->getOperand(0).getType());
  Value offset = arith::MulIOp::create(builder, loc, index, constant(bytesOf(state)));
  offset = arith::AddIOp::create(builder, loc, offset, constant(slots));
  return arena->at(builder, offset, state);
}

void ScanLowering::emitPrologue() {
  Block &body = scan.getBody().front();
  unsigned inputs = scan.getInputs().size();
  StepPosition start{constant(0), constant(0), constant(1)};
  for (BlockArgument argument : body.getArguments()) {
    unsigned i = argument.getArgNumber();
    if (!persistent.contains(argument))
      continue;
    Value buffer = arena->at(persistent[argument], cast<ShapedType>(argument.getType()));
    if (i < inputs && scan.getInput(i).getRole() == Role::Mask)
      fillMask(scan.getInput(i), buffer, start);
    else if (i < inputs)
      loadPort(inputPort[i], buffer, start);
    else if (scan.getCarriedPort(i - inputs).getRole() == Role::Accumulator)
      fillZero(builder, loc, buffer);
    else
      loadPort(carriedPort[i - inputs], buffer, start);
  }
}

void ScanLowering::emitSteps() {
  Value count = ceilDiv(tokens, scan.getStep());
  auto loop = scf::ForOp::create(builder, loc, constant(0), count, constant(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(loop.getBody()->getTerminator());
  Value step = loop.getInductionVar();
  if (scan.getReverse()) {
    Value last = arith::SubIOp::create(builder, loc, count, constant(1));
    step = arith::SubIOp::create(builder, loc, last, step);
  }
  emitBody({scan.getBody().front(), *bodyPlan, positionOf(step), llvm::DenseMap<Value, Value>()});
}

/// Segments of `checkpoint` steps, last to first: the states before all steps of a segment, then the steps.
void ScanLowering::emitSegments() {
  Value length = constant(scan.getCheckpoint());
  Value steps = ceilDiv(tokens, scan.getStep());
  Value count = ceilDiv(steps, scan.getCheckpoint());
  auto loop = scf::ForOp::create(builder, loc, constant(0), count, constant(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(loop.getBody()->getTerminator());
  Value last = arith::SubIOp::create(builder, loc, count, constant(1));
  Value segment = arith::SubIOp::create(builder, loc, last, loop.getInductionVar());
  Value first = arith::MulIOp::create(builder, loc, segment, length);
  Value left = arith::SubIOp::create(builder, loc, steps, first);
  emitSegment(first, arith::MinSIOp::create(builder, loc, left, length));
}

void ScanLowering::emitSegment(Value first, Value count) {
  Block &body = scan.getBody().front(), &recompute = scan.getRecompute().front();
  unsigned slotInput = 0;
  while (!isSlotInput(slotInput))
    ++slotInput;
  loadPort(inputPort[slotInput], slotAt(constant(0)), positionOf(first));

  Value next = recompute.getTerminator()->getOperand(0);
  Value last = arith::SubIOp::create(builder, loc, count, constant(1));
  auto forward = scf::ForOp::create(builder, loc, constant(0), last, constant(1));
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(forward.getBody()->getTerminator());
    Value index = forward.getInductionVar();
    Value step = arith::AddIOp::create(builder, loc, first, index);
    Value before = slotAt(index);
    Value after = slotAt(arith::AddIOp::create(builder, loc, index, constant(1)));
    BodyFrame frame{recompute, *recomputePlan, positionOf(step), {{recompute.getArgument(slotInput), before}}};
    bool passedOn = isa<BlockArgument>(next);
    if (!passedOn)
      frame.external[next] = after;
    emitBody(frame);
    if (passedOn)
      copyBuffer(builder, loc, bufferOf(frame, next), after);
  }
  auto backward = scf::ForOp::create(builder, loc, constant(0), count, constant(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(backward.getBody()->getTerminator());
  Value index = arith::SubIOp::create(builder, loc, last, backward.getInductionVar());
  Value step = arith::AddIOp::create(builder, loc, first, index);
  emitBody({body, *bodyPlan, positionOf(step), {{body.getArgument(slotInput), slotAt(index)}}});
}

void ScanLowering::emitEpilogue() {
  Block &body = scan.getBody().front();
  unsigned inputs = scan.getInputs().size();
  StepPosition end{constant(0), constant(0), constant(1)};
  for (unsigned i = 0; i < scan.getCarried().size(); ++i) {
    BlockArgument argument = body.getArgument(inputs + i);
    Value buffer = arena->at(persistent[argument], cast<ShapedType>(argument.getType()));
    unsigned count = taskPortCount(scan.getCarriedPort(i));
    storePort(carriedPort[i] + count - 1, buffer, end);
  }
}

} // namespace sluice::cpu
