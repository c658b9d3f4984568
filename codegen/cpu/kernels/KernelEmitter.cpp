// Dispatch over the chunk ops, and the outlining of their code into functions.
#include "codegen/cpu/kernels/Kernels.h"

#include "codegen/cpu/kernels/Code.h"
#include "codegen/cpu/kernels/Gates.h"
#include "codegen/cpu/kernels/Product.h"
#include "codegen/cpu/kernels/Scores.h"
#include "dialect/recur/Recur.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace sluice::cpu {

Tile microTile(StringRef features) {
  if (features.contains("avx512f"))
    return {8, 32, 16, true};
  if (features.contains("avx2"))
    return {4, 16, 8, features.contains("fma")};
  if (features.contains("aarch64"))
    return {4, 16, 4, true};
  return {4, 8, 4, false};
}

KernelEmitter::KernelEmitter(ModuleOp module, const Tile &tile) : module(module), tile(tile) {}

void KernelEmitter::beginBody() {
  waiting.clear();
  transposedCopies.clear();
  scratchBuffers.clear();
}

bool KernelEmitter::handles(Operation *op) const {
  if (!isa<recur::ProductOp, recur::ApplyInverseOp, recur::UnitLowerInverseOp, recur::CumulativeSumOp,
           recur::DecayMatrixOp, recur::DecayMatrixAdjointOp, recur::DecayedScoresOp,
           recur::DecayedScoresAdjointOp, recur::InterleaveOp, recur::DeinterleaveOp, recur::DiagonalOp,
           recur::DiagonalPartOp>(op))
    return false;
  auto fits = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.hasStaticShape() && tensor.getElementType().isF32() && tensor.getRank() >= 1 &&
           tensor.getRank() <= 2 &&
           llvm::all_of(tensor.getShape(), [](int64_t size) { return size > 0 && size % lanes == 0; });
  };
  return llvm::all_of(op->getOperandTypes(), fits) && llvm::all_of(op->getResultTypes(), fits);
}

void KernelEmitter::emit(OpBuilder &builder, Operation *op, ValueRange operandBuffers,
                         ValueRange resultBuffers, Allocate allocate, bool accumulate) {
  assert(handles(op) && "expected an op that has a kernel");
  Request request{builder, op, operandBuffers, resultBuffers, allocate, accumulate};
  if (isa<recur::ProductOp, recur::ApplyInverseOp>(op))
    return emitProduct(request);
  assert(!accumulate && "expected a product to accumulate");
  if (isa<recur::DecayedScoresOp, recur::DecayedScoresAdjointOp>(op))
    return emitScores(request);
  if (isa<recur::InterleaveOp, recur::DeinterleaveOp, recur::DiagonalOp, recur::DiagonalPartOp>(op))
    return emitLayout(request);
  emitGates(request);
}

//===----------------------------------------------------------------------===//
// Outlining
//===----------------------------------------------------------------------===//

Value KernelEmitter::scratch(const Request &request, ArrayRef<int64_t> shape, int64_t slot) {
  auto type = MemRefType::get(shape, request.builder.getF32Type());
  Value &buffer = scratchBuffers[{const_cast<void *>(type.getAsOpaquePointer()), slot}];
  if (!buffer)
    buffer = request.allocate(type);
  return buffer;
}

/// The op's name, the shapes of all buffers and the flags: what distinguishes one kernel from another.
static std::string symbolOf(Operation *op, const Twine &flags, ArrayRef<Value> buffers) {
  std::string name = ("kernel_" + op->getName().stripDialect()).str();
  for (Value buffer : buffers) {
    if (!isa<MemRefType>(buffer.getType()))
      continue;
    char separator = '_';
    for (int64_t size : cast<MemRefType>(buffer.getType()).getShape()) {
      name += separator + std::to_string(size);
      separator = 'x';
    }
  }
  return name + flags.str();
}

void KernelEmitter::call(const Request &request, const Twine &flags, ArrayRef<Value> buffers, Body body) {
  Location location = request.op->getLoc();
  std::string name = symbolOf(request.op, flags, buffers);
  auto function = module.lookupSymbol<func::FuncOp>(name);
  if (!function) {
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    auto type = builder.getFunctionType(ValueRange(buffers).getTypes(), {});
    function = func::FuncOp::create(builder, location, name, type);
    function.setPrivate();
    function.setNoInline(true);
    function->setAttr("llvm.linkage", LLVM::LinkageAttr::get(builder.getContext(), LLVM::Linkage::Internal));
    builder.setInsertionPointToStart(function.addEntryBlock());
    Code code(builder, location, tile);
    body(code, function.getArguments());
    func::ReturnOp::create(builder, location);
  }
  func::CallOp::create(request.builder, location, function, buffers);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

Value KernelEmitter::transposedPanels(const Request &request, Value tensor, Value buffer) {
  Value &copy = transposedCopies[tensor];
  if (!copy) {
    copy = request.allocate(panelsType(cast<MemRefType>(buffer.getType()), /*transposed=*/true, tile));
    call(request, "_transpose", {buffer, copy},
         [](Code &code, ValueRange buffers) { emitTransposedPanels(code, buffers[0], buffers[1]); });
  }
  return copy;
}

/// What the op and its types say of the product.
static Product productOf(Operation *operation) {
  Product product;
  product.triangle = Product::Triangle::lhs;
  if (auto op = dyn_cast<recur::ProductOp>(operation)) {
    using recur::Triangle;
    Triangle triangle = op.getTriangle();
    product.transposeLhs = op.getTransposeLhs();
    product.packed = op.getTransposeRhs();
    product.strict = triangle == Triangle::StrictlyLowerLhs || triangle == Triangle::StrictlyLowerResult;
    if (triangle == Triangle::Full)
      product.triangle = Product::Triangle::full;
    else if (triangle == Triangle::LowerResult || triangle == Triangle::StrictlyLowerResult)
      product.triangle = Product::Triangle::result;
  }
  auto shape = [](Value tensor) { return cast<RankedTensorType>(tensor.getType()).getShape(); };
  product.rows = shape(operation->getResult(0))[0];
  product.columns = shape(operation->getResult(0))[1];
  product.inner = shape(operation->getOperand(0))[product.transposeLhs ? 0 : 1];
  return product;
}

bool KernelEmitter::canPrefetch(Operation *op) const {
  return isa<recur::ProductOp, recur::ApplyInverseOp>(op) && handles(op) &&
         sluice::cpu::canPrefetch(productOf(op), tile);
}

void KernelEmitter::emitProduct(const Request &request) {
  Product product = productOf(request.op);
  product.accumulate = request.accumulate;
  Value lhs = request.operands[0], rhs = request.operands[1], result = request.results[0];
  SmallVector<Value> buffers = {lhs, rhs, result};
  if (product.packed)
    buffers[1] = transposedPanels(request, request.op->getOperand(1), rhs);
  else if (product.columns > tile.columns && product.rows > lanes)
    buffers.push_back(scratch(request, {1, product.inner, tile.columns}, 0));

  static const char *const triangles[] = {"", "_lower_lhs", "_lower_result"};
  std::string flags = triangles[int(product.triangle)];
  flags += product.strict ? "_strict" : "";
  flags += product.transposeLhs ? "_transposed" : "";
  flags += product.accumulate ? "_accumulate" : "";
  size_t count = buffers.size();
  if (!waiting.empty() && sluice::cpu::canPrefetch(product, tile)) {
    product.ahead = waiting.front();
    waiting.pop_front();
    buffers.append({product.ahead.pointer, product.ahead.stride});
    flags += "_ahead" + std::to_string(product.ahead.rows) + "x" + std::to_string(product.ahead.bytes);
    flags += product.ahead.write ? "_write" : "";
  }
  call(request, flags, buffers, [&](Code &code, ValueRange arguments) {
    product.lhs = arguments[0];
    product.rhs = arguments[1];
    product.result = arguments[2];
    if (product.packed)
      product.panels = arguments[1];
    else if (count > 3)
      product.panels = arguments[3];
    if (product.ahead.rows) {
      product.ahead.pointer = arguments[count];
      product.ahead.stride = arguments[count + 1];
    }
    emitProductCode(code, product);
  });
}

//===----------------------------------------------------------------------===//
// The other ops
//===----------------------------------------------------------------------===//

void KernelEmitter::emitGates(const Request &request) {
  Value operand = request.operands[0], result = request.results[0];
  if (isa<recur::UnitLowerInverseOp>(request.op))
    return call(request, "", {operand, result},
                [](Code &code, ValueRange b) { emitUnitLowerInverse(code, b[0], b[1]); });
  if (auto op = dyn_cast<recur::CumulativeSumOp>(request.op)) {
    SumDirection direction{op.getReverse(), op.getExclusive()};
    std::string flags = direction.reverse ? "_reverse" : "";
    flags += direction.exclusive ? "_exclusive" : "";
    return call(request, flags, {operand, result},
                [&](Code &code, ValueRange b) { emitCumulativeSum(code, b[0], b[1], direction); });
  }
  if (auto op = dyn_cast<recur::DecayMatrixOp>(request.op)) {
    bool between = op.getSpan() == recur::Span::Between;
    Value factors = scratch(request, cast<MemRefType>(operand.getType()).getShape(), 0);
    return call(request, between ? "_between" : "", {operand, factors, result},
                [&](Code &code, ValueRange b) { emitDecayMatrix(code, b[0], b[1], b[2], between); });
  }
  auto op = cast<recur::DecayMatrixAdjointOp>(request.op);
  bool between = op.getSpan() == recur::Span::Between;
  call(request, between ? "_between" : "", {operand, request.operands[1], result},
       [&](Code &code, ValueRange b) { emitDecayMatrixAdjoint(code, b[0], b[1], b[2], between); });
}

static std::string scoresFlags(Scores scores) {
  return std::string(scores.between ? "_between" : "") + (scores.diagonal ? "_diagonal" : "");
}

void KernelEmitter::emitScores(const Request &request) {
  auto shape = cast<MemRefType>(request.operands[0].getType()).getShape();
  int64_t tokens = shape[0], keys = shape[1];
  SmallVector<Value> buffers(request.operands);
  llvm::append_range(buffers, request.results);
  int64_t slot = 0;
  auto take = [&](int64_t rows, int64_t columns) {
    buffers.push_back(scratch(request, {rows, columns}, slot++));
  };
  for (int64_t rows : {tokens, tokens, tokens, tokens / lanes})
    take(rows, keys);
  if (auto op = dyn_cast<recur::DecayedScoresOp>(request.op)) {
    Scores scores{op.getSpan() == recur::Span::Between, op.getDiagonal()};
    take(lanes * lanes, lanes);
    take(keys, tokens);
    return call(request, scoresFlags(scores), buffers, [&](Code &code, ValueRange b) {
      emitDecayedScores(code, {b[0], b[1], b[2], b[3], b[8], b[9], {b[4], b[5], b[6], b[7]}}, scores);
    });
  }
  auto op = cast<recur::DecayedScoresAdjointOp>(request.op);
  Scores scores{op.getSpan() == recur::Span::Between, op.getDiagonal()};
  for (int64_t rows : {tokens, tokens, tokens})
    take(rows, keys);
  if (scores.between)
    take(tokens, tokens);
  call(request, scoresFlags(scores), buffers, [&](Code &code, ValueRange b) {
    Value apart = scores.between ? b[14] : Value();
    BlockDecays decays{b[7], b[8], b[9], b[10]};
    emitDecayedScoresAdjoint(
        code, {b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[11], b[12], b[13], apart, decays}, scores);
  });
}

void KernelEmitter::emitLayout(const Request &request) {
  SmallVector<Value> buffers(request.operands);
  llvm::append_range(buffers, request.results);
  if (isa<recur::DiagonalOp>(request.op))
    return call(request, "", buffers, [](Code &code, ValueRange b) { emitDiagonal(code, b[0], b[1]); });
  if (isa<recur::DiagonalPartOp>(request.op))
    return call(request, "", buffers, [](Code &code, ValueRange b) { emitDiagonalPart(code, b[0], b[1]); });
  if (auto op = dyn_cast<recur::InterleaveOp>(request.op)) {
    int64_t dimension = op.getDimension();
    return call(request, "_" + Twine(dimension), buffers,
                [&](Code &code, ValueRange b) { emitInterleave(code, b.drop_back(), b.back(), dimension); });
  }
  int64_t dimension = cast<recur::DeinterleaveOp>(request.op).getDimension();
  call(request, "_" + Twine(dimension), buffers,
       [&](Code &code, ValueRange b) { emitDeinterleave(code, b.front(), b.drop_front(), dimension); });
}

} // namespace sluice::cpu
