// The compiler behind codegen/Compiler.h: spec to scans, scans to a shared object.

#include "codegen/Compiler.h"
#include "codegen/Frontend.h"
#include "codegen/cpu/ObjectCode.h"
#include "codegen/cpu/Passes.h"
#include "codegen/cpu/TaskPorts.h"
#include "dialect/recur/interpreter/Interpreter.h"
#include "passes/recur/Passes.h"
#include "runtime/Error.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Pass/PassManager.h"

#include <mutex>

using namespace mlir;

namespace sluice {
namespace {

/// Memory for states of a backward pass against time to compute them again: one state for so many tokens.
constexpr int64_t recurrentCheckpoint = 32;

/// The scans of one package; null where not asked for.
struct Scans {
  recur::ScanOp chunkForward, chunkBackward, recurrentForward, recurrentBackward;

  SmallVector<std::pair<std::string, recur::ScanOp>> named() {
    SmallVector<std::pair<std::string, recur::ScanOp>> all = {
        {"chunk.forward", chunkForward},
        {"chunk.backward", chunkBackward},
        {"recurrent.forward", recurrentForward},
        {"recurrent.backward", recurrentBackward}};
    llvm::erase_if(all, [](auto &entry) { return !entry.second; });
    return all;
  }
};

void checkRange(const char *what, int64_t value, int64_t least, int64_t most) {
  if (value < least || value > most)
    throw UserError("expected a " + std::string(what) + " from " + std::to_string(least) + " to " +
                    std::to_string(most) + ", got " + std::to_string(value));
}

void checkOptions(const CompileOptions &options) {
  if (options.target != "cpu")
    throw UserError("target '" + options.target + "' is not available yet");
  checkRange("key dimension", options.keyDim, 16, 256);
  checkRange("value dimension", options.valueDim, 16, 512);
  if (!llvm::is_contained({16, 32, 64, 128}, options.chunk))
    throw UserError("expected a chunk of 16, 32, 64 or 128, got " + std::to_string(options.chunk));
  if (!isArgumentType(options.dtype))
    throw UserError("expected dtype f32, f16 or bf16, got " + std::string(nameOf(options.dtype)));
}

/// Columns of one task: all of them if values reduce over columns, else equal blocks of at most 128.
int64_t chooseValueBlock(recur::RecurrenceOp recurrence, int64_t valueDim) {
  if (recur::reducesOverValues(recurrence))
    return llvm::alignTo(valueDim, 16);
  int64_t blocks = llvm::divideCeil(valueDim, 128);
  return llvm::alignTo(llvm::divideCeil(valueDim, blocks), 16);
}

class MlirCompiler : public Compiler {
public:
  MlirCompiler() : context(MLIRContext::Threading::DISABLED) {
    context.loadDialect<recur::RecurDialect, arith::ArithDialect, math::MathDialect>();
  }

  RecurrenceInfo describe(const Spec &spec) override;
  KernelPackage compile(const Spec &spec, const CompileOptions &options) override;
  std::string emit(const Spec &spec, const CompileOptions &options, const std::string &stage) override;
  TensorMap interpret(const Spec &spec, const TensorMap &inputs, bool gradients) override;

private:
  Scans buildScans(ParsedSpec &parsed, const RecurrenceInfo &info, const CompileOptions &options);
  void annotate(recur::ScanOp scan, const RecurrenceInfo &info, const CompileOptions &options);
  KernelPackage lower(ParsedSpec &parsed, const RecurrenceInfo &info, const CompileOptions &options);
  void runPasses(ModuleOp module, llvm::function_ref<void(OpPassManager &)> build);
  std::string print(Operation *op);

  MLIRContext context;
  std::mutex mutex;  ///< The context is not threaded.
};

RecurrenceInfo MlirCompiler::describe(const Spec &spec) {
  std::lock_guard lock(mutex);
  ParsedSpec parsed = parseSpec(&context, spec);
  return describeRecurrence(parsed.recurrence, DType::f32);
}

//===--------------------------------------------------------------------===//
// Scans
//===--------------------------------------------------------------------===//

/// True key dimension and storage types, for the lowering.
void MlirCompiler::annotate(recur::ScanOp scan, const RecurrenceInfo &info, const CompileOptions &options) {
  Builder builder(&context);
  scan->setAttr(cpu::keysAttr, builder.getI64IntegerAttr(options.keyDim));
  SmallVector<NamedAttribute> storage;
  Type narrow = options.dtype == DType::f16 ? Type(builder.getF16Type()) : builder.getBF16Type();
  for (const auto *specs : {&info.arguments, &info.results})
    for (const TensorSpec &spec : *specs)
      if (spec.storage != DType::f32)
        storage.push_back(builder.getNamedAttr(spec.name, TypeAttr::get(narrow)));
  if (!storage.empty())
    scan->setAttr(cpu::storageAttr, builder.getDictionaryAttr(storage));
}

Scans MlirCompiler::buildScans(ParsedSpec &parsed, const RecurrenceInfo &info, const CompileOptions &options) {
  DiagnosticCollector diagnostics(&context);
  recur::ScanOptions scanOptions;
  scanOptions.chunk = options.chunk;
  scanOptions.keyDim = options.keyDim;
  scanOptions.valueDim = chooseValueBlock(parsed.recurrence, options.valueDim);
  auto need = [&](FailureOr<recur::ScanOp> scan) {
    if (failed(scan))
      diagnostics.fail("cannot derive the kernels of " + info.name);
    return *scan;
  };
  Scans scans;
  if (info.chunkable && options.entries & (chunkForward | chunkBackward))
    scans.chunkForward = need(recur::buildChunkScan(parsed.recurrence, scanOptions));
  if (scans.chunkForward && options.entries & chunkBackward)
    scans.chunkBackward = need(recur::differentiate(scans.chunkForward, scanOptions));
  scanOptions.checkpoint = recurrentCheckpoint;
  if (options.entries & (recurrentForward | recurrentBackward))
    scans.recurrentForward = need(recur::buildStepScan(parsed.recurrence, scanOptions));
  if (scans.recurrentForward && options.entries & recurrentBackward)
    scans.recurrentBackward = need(recur::differentiate(scans.recurrentForward, scanOptions));
  for (auto &[name, scan] : scans.named())
    annotate(scan, info, options);
  return scans;
}

//===--------------------------------------------------------------------===//
// Code
//===--------------------------------------------------------------------===//

void MlirCompiler::runPasses(ModuleOp module, llvm::function_ref<void(OpPassManager &)> build) {
  DiagnosticCollector diagnostics(&context);
  PassManager manager(&context);
  manager.enableVerifier(false);
  build(manager);
  if (failed(manager.run(module)))
    diagnostics.fail("cannot lower the kernels to machine code");
}

/// Everything of the package but the code; `parsed.module` then holds the LLVM dialect.
KernelPackage MlirCompiler::lower(ParsedSpec &parsed, const RecurrenceInfo &info, const CompileOptions &options) {
  KernelPackage package;
  package.recurrence = info.name;
  package.target = options.target;
  package.cpuFeatures = hostCpuFeatures();
  package.keyDim = options.keyDim;
  package.valueDim = options.valueDim;
  package.valueBlock = chooseValueBlock(parsed.recurrence, options.valueDim);
  package.chunk = options.chunk;
  package.dtype = options.dtype;
  package.arguments = info.arguments;
  package.results = info.results;
  package.chunkable = info.chunkable;
  package.notChunkable = info.notChunkable;
  Scans scans = buildScans(parsed, info, options);
  for (auto &[name, scan] : scans.named())
    package.entries.push_back({name, scan.getSymName().str(), int64_t(scan.getStep()), 0, cpu::taskPorts(scan)});
  parsed.recurrence.erase();
  runPasses(*parsed.module, cpu::buildScanPipeline);
  for (EntryPoint &entry : package.entries) {
    Operation *function = parsed.module->lookupSymbol(entry.symbol);
    entry.scratchBytes = cast<IntegerAttr>(function->removeAttr(cpu::scratchAttr)).getInt();
  }
  runPasses(*parsed.module, cpu::buildLLVMPipeline);
  return package;
}

KernelPackage MlirCompiler::compile(const Spec &spec, const CompileOptions &options) {
  std::lock_guard lock(mutex);
  checkOptions(options);
  ParsedSpec parsed = parseSpec(&context, spec);
  RecurrenceInfo info = describeRecurrence(parsed.recurrence, options.dtype);
  KernelPackage package = lower(parsed, info, options);
  package.specText = spec.text;
  package.code = cpu::emitSharedObject(*parsed.module);
  return package;
}

std::string MlirCompiler::print(Operation *op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  op->print(stream);
  return text + "\n";
}

std::string MlirCompiler::emit(const Spec &spec, const CompileOptions &options, const std::string &stage) {
  std::lock_guard lock(mutex);
  checkOptions(options);
  ParsedSpec parsed = parseSpec(&context, spec);
  RecurrenceInfo info = describeRecurrence(parsed.recurrence, options.dtype);
  CompileOptions wanted = options;
  if (stage == "llvm") {
    lower(parsed, info, wanted);
    return cpu::emitLLVMText(*parsed.module);
  }
  if (stage == "chunk") {
    if (!info.chunkable)
      throw UserError(info.notChunkable);
    wanted.entries = chunkForward;
    return print(buildScans(parsed, info, wanted).chunkForward);
  }
  if (stage == "adjoint") {
    wanted.entries = info.chunkable ? chunkBackward : recurrentBackward;
    Scans scans = buildScans(parsed, info, wanted);
    return print(info.chunkable ? scans.chunkBackward : scans.recurrentBackward);
  }
  throw UserError("expected stage chunk, adjoint or llvm, got '" + stage + "'");
}

TensorMap MlirCompiler::interpret(const Spec &spec, const TensorMap &inputs, bool gradients) {
  std::lock_guard lock(mutex);
  ParsedSpec parsed = parseSpec(&context, spec);
  return recur::interpret(parsed.recurrence, inputs, gradients);
}

} // namespace
} // namespace sluice

extern "C" sluice::Compiler *sluiceCreateCompiler() { return new sluice::MlirCompiler(); }
