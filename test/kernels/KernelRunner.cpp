// Compiles chunk ops through KernelEmitter and runs them on arrays.
#include "test/kernels/KernelRunner.h"

#include "codegen/cpu/ObjectCode.h"
#include "codegen/cpu/Passes.h"
#include "codegen/cpu/kernels/Kernels.h"
#include "dialect/recur/Recur.h"
#include "runtime/KernelPackage.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <unistd.h>

using namespace mlir;

namespace sluice::test {

Matrix random(int64_t rows, int64_t columns, unsigned seed) {
  Matrix result(rows, columns);
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  for (float &value : result.values)
    value = normal(generator);
  return result;
}

std::string tensorType(int64_t rows, int64_t columns) {
  return "tensor<" + (rows == 1 ? "" : std::to_string(rows) + "x") + std::to_string(columns) + "xf32>";
}

double errorRatio(const Matrix &x, const std::vector<double> &y) {
  double square = 0, error = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    double difference = std::fabs(double(x.values[i]) - y[i]);
    if (!(difference < std::numeric_limits<double>::infinity()))
      return std::numeric_limits<double>::infinity();
    square += y[i] * y[i];
    error += difference * difference;
  }
  return error == 0 ? 0 : std::sqrt(error / square);
}

namespace {

class Builder {
public:
  Builder(MLIRContext &context) : context(context), builder(&context) {
    context.loadDialect<recur::RecurDialect, arith::ArithDialect, func::FuncDialect, math::MathDialect,
                        memref::MemRefDialect, scf::SCFDialect, vector::VectorDialect, LLVM::LLVMDialect>();
  }

  OwningOpRef<ModuleOp> build(const std::string &text, bool accumulate, const std::string &features) {
    auto source = parseSourceString<ModuleOp>(text, &context);
    if (!source)
      throw std::runtime_error("expected ops that parse, got: " + text);
    auto tensors = *source->getOps<func::FuncOp>().begin();
    OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getUnknownLoc());
    builder.setInsertionPointToEnd(module->getBody());
    auto function = func::FuncOp::create(builder, builder.getUnknownLoc(), "run",
                                         builder.getFunctionType(LLVM::LLVMPointerType::get(&context), {}));
    builder.setInsertionPointToStart(function.addEntryBlock());
    for (Value argument : tensors.getArguments())
      bind(argument, function.getArgument(0));
    cpu::KernelEmitter kernels(*module, cpu::microTile(features.empty() ? hostCpuFeatures() : features));
    kernels.beginBody();
    for (Operation &op : tensors.getBody().front().without_terminator())
      emit(kernels, op, function, accumulate);
    func::ReturnOp::create(builder, builder.getUnknownLoc());
    return module;
  }

private:
  static MemRefType bufferType(Type type) {
    auto tensor = cast<RankedTensorType>(type);
    return MemRefType::get(tensor.getShape(), tensor.getElementType());
  }

  /// The next pointer of the array of pointers.
  void bind(Value tensor, Value pointers) {
    Location location = builder.getUnknownLoc();
    auto pointer = LLVM::LLVMPointerType::get(&context);
    Value slot = LLVM::GEPOp::create(builder, location, pointer, pointer, pointers,
                                     ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(count++)});
    Value base = LLVM::LoadOp::create(builder, location, pointer, slot);
    buffers.map(tensor, fromPointer(base, bufferType(tensor.getType())));
  }

  Value fromPointer(Value base, MemRefType type) {
    Location location = builder.getUnknownLoc();
    auto pointer = LLVM::LLVMPointerType::get(&context);
    auto word = builder.getI64Type();
    int64_t rank = type.getRank();
    auto array = LLVM::LLVMArrayType::get(word, rank);
    auto structure = LLVM::LLVMStructType::getLiteral(&context, {pointer, pointer, word, array, array});
    Value descriptor = LLVM::PoisonOp::create(builder, location, structure);
    auto insert = [&](Value value, ArrayRef<int64_t> position) {
      descriptor = LLVM::InsertValueOp::create(builder, location, descriptor, value, position);
    };
    auto number = [&](int64_t value) -> Value {
      return LLVM::ConstantOp::create(builder, location, word, builder.getI64IntegerAttr(value));
    };
    insert(base, {0});
    insert(base, {1});
    insert(number(0), {2});
    int64_t stride = 1;
    for (int64_t i = rank - 1; i >= 0; --i) {
      insert(number(type.getDimSize(i)), {3, i});
      insert(number(stride), {4, i});
      stride *= type.getDimSize(i);
    }
    return UnrealizedConversionCastOp::create(builder, location, type, descriptor).getResult(0);
  }

  void emit(cpu::KernelEmitter &kernels, Operation &op, func::FuncOp function, bool accumulate) {
    if (!kernels.handles(&op))
      throw std::runtime_error("expected an op that has a kernel");
    for (Value result : op.getResults())
      bind(result, function.getArgument(0));
    SmallVector<Value> operands, results;
    for (Value operand : op.getOperands())
      operands.push_back(buffers.lookup(operand));
    for (Value result : op.getResults())
      results.push_back(buffers.lookup(result));
    auto allocate = [&](MemRefType type) -> Value {
      // Neighbours do not lie a power of two apart, as in the arena of real kernels.
      Location location = builder.getUnknownLoc();
      auto bytes = MemRefType::get({type.getNumElements() * 4 + 192}, builder.getI8Type());
      Value raw = memref::AllocaOp::create(builder, location, bytes, builder.getI64IntegerAttr(64));
      Value zero = arith::ConstantIndexOp::create(builder, location, 0);
      return memref::ViewOp::create(builder, location, type, raw, zero, ValueRange());
    };
    kernels.emit(builder, &op, operands, results, allocate, accumulate);
  }

  MLIRContext &context;
  OpBuilder builder;
  IRMapping buffers;
  int32_t count = 0;
};

std::string compile(const std::string &function, bool accumulate, const std::string &features) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  auto module = Builder(context).build(function, accumulate, features);
  PassManager manager(&context);
  cpu::buildLLVMPipeline(manager);
  if (failed(manager.run(*module)))
    throw std::runtime_error("expected kernels that lower to LLVM");
  if (std::getenv("SLUICE_PRINT_LLVM"))
    std::fputs(cpu::emitLLVMText(*module).c_str(), stderr);
  return cpu::emitSharedObject(*module);
}

/// Buffers are aligned as the kernels' are.
struct Aligned {
  std::vector<float *> pointers;
  explicit Aligned(const std::vector<Matrix *> &buffers) {
    for (const Matrix *matrix : buffers) {
      auto bytes = (matrix->values.size() * sizeof(float) + 63) / 64 * 64 + 192;
      pointers.push_back(static_cast<float *>(std::aligned_alloc(64, bytes)));
      std::memcpy(pointers.back(), matrix->values.data(), matrix->values.size() * sizeof(float));
    }
  }
  ~Aligned() {
    for (float *pointer : pointers)
      std::free(pointer);
  }
  void *const *data() const { return reinterpret_cast<void *const *>(pointers.data()); }
};

} // namespace

KernelRunner::KernelRunner(const std::string &function, bool accumulate, const std::string &features) {
  std::string bytes = compile(function, accumulate, features);
  std::string path = std::filesystem::temp_directory_path() / "sluice-kernel-XXXXXX";
  int descriptor = mkstemp(path.data());
  if (descriptor < 0 || write(descriptor, bytes.data(), bytes.size()) != ssize_t(bytes.size()))
    throw std::runtime_error("expected to write a temporary file");
  close(descriptor);
  library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (std::getenv("SLUICE_KEEP_OBJECT"))
    std::fprintf(stderr, "%s\n", path.c_str());
  else
    unlink(path.c_str());
  if (!library)
    throw std::runtime_error(dlerror());
  entry = reinterpret_cast<void (*)(void *const *)>(dlsym(library, "run"));
}

KernelRunner::~KernelRunner() {
  if (library)
    dlclose(library);
}

void KernelRunner::run(const std::vector<Matrix *> &buffers) {
  Aligned aligned(buffers);
  entry(aligned.data());
  for (size_t i = 0; i < buffers.size(); ++i)
    std::memcpy(buffers[i]->values.data(), aligned.pointers[i], buffers[i]->values.size() * sizeof(float));
}

double KernelRunner::seconds(const std::vector<Matrix *> &buffers) {
  using Clock = std::chrono::steady_clock;
  Aligned aligned(buffers);
  double best = std::numeric_limits<double>::infinity();
  auto end = Clock::now() + std::chrono::milliseconds(150);
  while (Clock::now() < end) {
    constexpr int calls = 20;
    auto start = Clock::now();
    for (int i = 0; i < calls; ++i)
      entry(aligned.data());
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count() / calls);
  }
  return best;
}

} // namespace sluice::test
