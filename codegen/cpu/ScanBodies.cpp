// The body of a scan, op by op, on the buffers of its plan.

#include "codegen/cpu/GenericLoops.h"
#include "codegen/cpu/Passes.h"
#include "codegen/cpu/ScanLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace sluice::recur;

namespace sluice::cpu {

Value ScanLowering::bufferOf(const BodyFrame &frame, Value value) {
  auto external = frame.external.find(value);
  if (external != frame.external.end())
    return external->second;
  assert(frame.plan.hasPlace(value) && "expected a value with a place");
  return arena->at(frame.plan.offsetOf(value), cast<ShapedType>(value.getType()));
}

/// Scratch of kernels: after all places, taken anew by each body.
Value ScanLowering::allocate(MemRefType type) {
  int64_t offset = kernelNext;
  kernelNext = llvm::alignTo(offset + bytesOf(type) + 192, 64);
  scratchEnd = std::max(scratchEnd, kernelNext);
  return arena->at(offset, type);
}

void ScanLowering::emitBody(const BodyFrame &frame) {
  kernels.beginBody();
  kernelNext = kernelBase;
  prefetchRows(frame);
  unsigned inputs = scan.getInputs().size();
  // What a step finds is stored before the step may write over it.
  for (BlockArgument argument : frame.block.getArguments())
    if (argument.getArgNumber() >= inputs || persistent.contains(argument) || frame.external.contains(argument))
      storeOutputs(frame, argument);
  for (Operation &op : frame.block.without_terminator()) {
    loadArguments(frame, op);
    emitOp(frame, op);
    for (Value result : op.getResults())
      storeOutputs(frame, result);
  }
  loadArguments(frame, *frame.block.getTerminator());
  for (BlockArgument argument : frame.block.getArguments().take_front(inputs))
    if (!persistent.contains(argument) && !frame.external.contains(argument))
      storeOutputs(frame, argument);
  if (&frame.block == &scan.getBody().front())
    copyCarried(frame);
}

/// Arguments whose first use is `before`.
void ScanLowering::loadArguments(const BodyFrame &frame, Operation &before) {
  for (BlockArgument argument : frame.block.getArguments().take_front(scan.getInputs().size())) {
    if (persistent.contains(argument) || frame.external.contains(argument) ||
        frame.plan.firstUser(argument) != &before)
      continue;
    PortAttr port = scan.getInput(argument.getArgNumber());
    Value buffer = bufferOf(frame, argument);
    if (port.getRole() == Role::Mask)
      fillMask(port, buffer, frame.position);
    else
      loadPort(inputPort[argument.getArgNumber()], buffer, frame.position);
  }
}

void ScanLowering::storeOutputs(const BodyFrame &frame, Value value) {
  auto yield = cast<ScanYieldOp>(frame.block.getTerminator());
  for (auto [i, output] : llvm::enumerate(yield.getOutputs()))
    if (output == value)
      storePort(outputPort[i], bufferOf(frame, value), frame.position);
}

/// Next values that are not in place yet. They are read before any is written: two states may be exchanged.
void ScanLowering::copyCarried(const BodyFrame &frame) {
  auto yield = cast<ScanYieldOp>(frame.block.getTerminator());
  unsigned inputs = scan.getInputs().size();
  SmallVector<std::pair<Value, Value>> copies;
  for (auto [i, next] : llvm::enumerate(yield.getCarried())) {
    Value to = bufferOf(frame, frame.block.getArgument(inputs + i)), from = bufferOf(frame, next);
    if (from != to)
      copies.push_back({from, to});
  }
  bool exchange = llvm::any_of(copies, [&](auto &copy) {
    return llvm::any_of(copies, [&](auto &other) { return copy.first == other.second; });
  });
  if (exchange)
    for (auto &[from, to] : copies) {
      Value temporary = allocate(cast<MemRefType>(from.getType()));
      copyBuffer(builder, loc, from, temporary);
      from = temporary;
    }
  for (auto [from, to] : copies)
    copyBuffer(builder, loc, from, to);
}

void ScanLowering::emitOp(const BodyFrame &frame, Operation &op) {
  if (isa<tensor::EmptyOp>(op) || isAddedInPlace(op))
    return;
  auto placed = [&](Value value) { return frame.plan.hasPlace(value) ? bufferOf(frame, value) : Value(); };
  if (auto constantOp = dyn_cast<arith::ConstantOp>(op)) {
    auto splat = dyn_cast<SplatElementsAttr>(constantOp.getValue());
    if (!splat || !frame.plan.hasPlace(constantOp))
      return;
    Value scalar = arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(splat.getSplatValue<float>()));
    fillWith(builder, loc, scalar, bufferOf(frame, constantOp));
    return;
  }
  if (op.hasAttr(accumulateAttr)) {
    emitAccumulation(frame, op);
    return;
  }
  SmallVector<Value> results = llvm::map_to_vector(op.getResults(), [&](Value v) { return placed(v); });
  if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    SmallVector<Value> inputs;
    for (OpOperand *input : generic.getDpsInputOperands())
      inputs.push_back(generic.payloadUsesValueFromOperand(input) ? bufferOf(frame, input->get()) : Value());
    emitGeneric(builder, generic, inputs, results);
    return;
  }
  SmallVector<Value> operands =
      llvm::map_to_vector(op.getOperands(), [&](Value operand) { return bufferOf(frame, operand); });
  kernels.emit(builder, &op, operands, results, [&](MemRefType type) { return allocate(type); });
}

void ScanLowering::emitAccumulation(const BodyFrame &frame, Operation &add) {
  Value from = bufferOf(frame, add.getOperand(0)), to = bufferOf(frame, add.getResult(0));
  if (from != to)
    copyBuffer(builder, loc, from, to);
  Operation *product = add.getOperand(1).getDefiningOp();
  SmallVector<Value> operands = {bufferOf(frame, product->getOperand(0)), bufferOf(frame, product->getOperand(1))};
  kernels.emit(builder, product, operands, ValueRange(to), [&](MemRefType type) { return allocate(type); },
               /*accumulate=*/true);
}

} // namespace sluice::cpu
