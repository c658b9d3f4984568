// LLVM IR for this machine, optimised lightly (loops and vectors are explicit already), as a shared object.
// lld is linked in: finding and starting a linker would take longer than linking.

#include "codegen/cpu/ObjectCode.h"
#include "runtime/Error.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"

#include "lld/Common/CommonLinkerContext.h"
#include "lld/Common/Driver.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

#include <memory>
#include <mutex>

LLD_HAS_DRIVER(elf)

namespace sluice::cpu {
namespace {

/// What fails here in practice is the machine: a full disk, a folder for temporary files that is not writable.
[[noreturn]] void fail(const llvm::Twine &message) { throw UserError(message.str()); }

std::unique_ptr<llvm::TargetMachine> hostMachine() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
  llvm::Triple triple(llvm::sys::getDefaultTargetTriple());
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    fail("expected a code generator for " + triple.str() + ", got: " + error);
  std::string features;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    features += (feature.second ? ",+" : ",-") + feature.first().str();
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, llvm::sys::getHostCPUName(), llvm::StringRef(features).drop_front(1),
                                  llvm::TargetOptions(), llvm::Reloc::PIC_, std::nullopt,
                                  llvm::CodeGenOptLevel::Default));
}

struct Translated {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module;
};

/// Vectors of 512 bits stay whole where the machine has them, although its scheduling model may prefer 256.
void markFunctions(llvm::Module &module, const llvm::TargetMachine &machine) {
  bool wide = machine.getTargetFeatureString().contains("+avx512f");
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr(llvm::Attribute::NoUnwind);
    if (!wide)
      continue;
    function.addFnAttr("prefer-vector-width", "512");
    function.addFnAttr("min-legal-vector-width", "512");
  }
}

void optimise(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PassBuilder builder(&machine);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  llvm::ModulePassManager manager;
  if (llvm::Error error = builder.parsePassPipeline(
          manager, "function(simplifycfg,early-cse,instcombine<no-verify-fixpoint>,loop-mssa(licm),early-cse)"))
    fail("expected a pipeline that LLVM knows: " + llvm::toString(std::move(error)));
  manager.run(module, modules);
}

std::unique_ptr<Translated> translate(mlir::ModuleOp module, llvm::TargetMachine &machine) {
  mlir::registerBuiltinDialectTranslation(*module.getContext());
  mlir::registerLLVMDialectTranslation(*module.getContext());
  auto translated = std::make_unique<Translated>();
  translated->module = mlir::translateModuleToLLVMIR(module, translated->context, "kernels");
  if (!translated->module)
    fail("expected a module that translates to LLVM IR");
  translated->module->setTargetTriple(machine.getTargetTriple());
  translated->module->setDataLayout(machine.createDataLayout());
  markFunctions(*translated->module, machine);
  optimise(*translated->module, machine);
  return translated;
}

/// A file that is gone when the object is.
struct TemporaryFile {
  llvm::SmallString<128> path;
  int descriptor = -1;

  explicit TemporaryFile(llvm::StringRef suffix) {
    if (std::error_code error = llvm::sys::fs::createTemporaryFile("sluice", suffix, descriptor, path))
      fail("expected to create a temporary file, got: " + llvm::Twine(error.message()));
  }
  ~TemporaryFile() { llvm::sys::fs::remove(path); }
};

void writeObject(llvm::Module &module, llvm::TargetMachine &machine, int descriptor) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager manager;
  if (machine.addPassesToEmitFile(manager, stream, nullptr, llvm::CodeGenFileType::ObjectFile))
    fail("expected a code generator that writes objects");
  manager.run(module);
  llvm::raw_fd_ostream file(descriptor, /*shouldClose=*/true);
  file.write(bytes.data(), bytes.size());
}

std::string link(llvm::StringRef object) {
  TemporaryFile shared("so");
  llvm::raw_fd_ostream(shared.descriptor, /*shouldClose=*/true).flush();
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  // lld keeps its state in globals.
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  const char *arguments[] = {"ld.lld", "-shared", "--threads=1", "-o", shared.path.c_str(), object.data()};
  bool linked = lld::elf::link(arguments, llvm::nulls(), stream, /*exitEarly=*/false, /*disableOutput=*/false);
  lld::CommonLinkerContext::destroy();
  if (!linked)
    fail("expected the kernels to link, got: " + llvm::StringRef(stream.str()).trim());
  auto bytes = llvm::MemoryBuffer::getFile(shared.path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!bytes)
    fail("expected to read the linked kernels, got: " + llvm::Twine(bytes.getError().message()));
  return (*bytes)->getBuffer().str();
}

} // namespace

std::string emitSharedObject(mlir::ModuleOp module) {
  auto machine = hostMachine();
  auto translated = translate(module, *machine);
  TemporaryFile object("o");
  writeObject(*translated->module, *machine, object.descriptor);
  return link(object.path.c_str());
}

std::string emitLLVMText(mlir::ModuleOp module) {
  auto machine = hostMachine();
  auto translated = translate(module, *machine);
  std::string text;
  llvm::raw_string_ostream stream(text);
  translated->module->print(stream, nullptr);
  return text;
}

} // namespace sluice::cpu
