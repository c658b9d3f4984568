// The rules that arithmetic, calls and variables break, on unoptimised LLVM IR with debug information.
#include "codegen/cuda/KernelRules.h"

#include "codegen/cuda/CompilerLog.h"
#include "codegen/cuda/Process.h"
#include "runtime/Error.h"
#include "runtime/Files.h"

#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/IR/DebugInfo.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Operator.h>
#include <llvm/IRReader/IRReader.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/SourceMgr.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>

namespace sluice {

namespace fs = std::filesystem;

namespace {

/// What the source becomes before the optimiser has seen it: every operation that the C++ says is still there.
std::string compileToBitcode(const KernelSource &source) {
  HostCompiler compiler = findHostCompiler();
  if (!compiler.clang)
    throw UserError("expected clang to check the rules of kernels, got " + compiler.text());
  TemporaryFolder folder;
  fs::path work = folder.path, headers = fs::path(deviceHeaderFolder()) / "codegen/cuda/device";
  writeFile((work / "kernel.cpp").string(), "#line 1 \"" + source.name + "\"\n" + source.text);
  std::vector<std::string> command = {compiler.path};
  for (const std::string &flag : emulatorFlags(compiler))
    // Optimisation would turn what the rules forbid into something else, or remove it.
    if (!flag.starts_with("-O") && !flag.starts_with("-ftrivial"))
      command.push_back(flag);
  for (const std::string &define : source.defines)
    command.push_back("-D" + define);
  for (const fs::path &include : {headers / "emu", headers, headers.parent_path().parent_path().parent_path()})
    command.push_back("-I" + include.string());
  for (const char *option : {"-O0", "-g", "-Xclang", "-disable-llvm-passes", "-c", "-emit-llvm", "-o"})
    command.push_back(option);
  command.push_back((work / "kernel.bc").string());
  command.push_back((work / "kernel.cpp").string());
  ProcessResult result = runProcess(command);
  if (result.status != 0)
    throw UserError(firstHostError(result.output, source.name));
  return readFile((work / "kernel.bc").string());
}

class CodeRules {
public:
  explicit CodeRules(const KernelSource &source) : source(source) {}

  std::vector<RuleViolation> run(llvm::Module &module) {
    for (llvm::GlobalVariable &global : module.globals())
      checkGlobal(global);
    for (llvm::Function &function : module)
      if (!isTrampoline(function))
        checkFunction(function);
    return std::move(found);
  }

private:
  void checkFunction(llvm::Function &function) {
    checkSignature(function);
    for (llvm::Instruction &instruction : llvm::instructions(function)) {
      auto *place = llvm::dyn_cast<llvm::AllocaInst>(&instruction);
      if (place && holdsTensorMap(place->getAllocatedType()))
        checkCopy(*place);
      checkVariables(instruction);
      // Code of the headers is in the same functions, from macros and inlining: the line decides.
      if (const llvm::DILocation *location = instruction.getDebugLoc();
          location && location->getLine() != 0 && isOwn(location->getFilename()))
        check(instruction, location->getLine());
    }
  }
  /// What SLUICE_EXPORT writes.
  static bool isTrampoline(const llvm::Function &function) {
    const llvm::DISubprogram *program = function.getSubprogram();
    llvm::StringRef name = program ? program->getName() : "";
    return name.consume_back("_run") &&
           function.getParent()->getNamedGlobal(("sluiceEmuKernel_" + name).str()) != nullptr;
  }
  bool isOwn(llvm::StringRef file) const { return file == source.name; }
  void report(const char *rule, unsigned line, std::string expected, std::string got) {
    std::string message = "expected " + expected + ", got " + got;
    // Templates and unrolled bodies repeat what one line says.
    if (seen.insert({line, message}).second)
      found.push_back({rule, source.name, line, message});
  }

  void checkGlobal(llvm::GlobalVariable &global) {
    llvm::SmallVector<llvm::DIGlobalVariableExpression *> expressions;
    global.getDebugInfo(expressions);
    for (auto *expression : expressions) {
      const llvm::DIGlobalVariable *variable = expression->getVariable();
      if (!isOwn(variable->getFilename()))
        continue;
      std::string name = variable->getName().empty() ? "a string" : "'" + variable->getName().str() + "'";
      if (!global.isConstant())
        report("static memory", variable->getLine(), "no static variable", name);
      else if (holdsArray(global.getValueType()))
        report("constant memory", variable->getLine(), "no table in constant memory", name);
    }
  }
  static bool holdsArray(const llvm::Type *type) {
    return type->isArrayTy() ||
           (type->isStructTy() && llvm::any_of(type->subtypes(), [](llvm::Type *part) { return holdsArray(part); }));
  }

  /// Typedefs and qualifiers removed.
  static const llvm::DIType *strip(const llvm::DIType *type, bool *isConst = nullptr) {
    while (auto *derived = llvm::dyn_cast_or_null<llvm::DIDerivedType>(type)) {
      unsigned tag = derived->getTag();
      if (tag != llvm::dwarf::DW_TAG_typedef && tag != llvm::dwarf::DW_TAG_const_type &&
          tag != llvm::dwarf::DW_TAG_volatile_type)
        break;
      if (isConst && tag == llvm::dwarf::DW_TAG_const_type)
        *isConst = true;
      type = derived->getBaseType();
    }
    return type;
  }
  /// Whether an object of the type, or what it refers to, is or holds a pointer. Types of the headers hide theirs.
  bool holdsPointer(const llvm::DIType *type) const {
    type = strip(type);
    if (auto *derived = llvm::dyn_cast_or_null<llvm::DIDerivedType>(type)) {
      unsigned tag = derived->getTag();
      bool refers = tag == llvm::dwarf::DW_TAG_reference_type || tag == llvm::dwarf::DW_TAG_rvalue_reference_type;
      return tag == llvm::dwarf::DW_TAG_pointer_type || (refers && isPointer(derived->getBaseType()));
    }
    auto *whole = llvm::dyn_cast_or_null<llvm::DICompositeType>(type);
    if (!whole)
      return false;
    if (whole->getTag() == llvm::dwarf::DW_TAG_array_type)
      return holdsPointer(whole->getBaseType());
    return isOwn(whole->getFilename()) && llvm::any_of(whole->getElements(), [&](const llvm::DINode *element) {
             auto *part = llvm::dyn_cast<llvm::DIDerivedType>(element);
             // A closure in a member function holds its `this`.
             return part && !part->isStaticMember() && part->getName() != "this" && holdsPointer(part->getBaseType());
           });
  }
  static bool isPointer(const llvm::DIType *type) {
    type = strip(type);
    return type && type->getTag() == llvm::dwarf::DW_TAG_pointer_type;
  }
  void checkSignature(const llvm::Function &function) {
    const llvm::DISubprogram *program = function.getSubprogram();
    if (!program || function.isDeclaration() || !isOwn(program->getFilename()))
      return;
    std::string name = program->getName().str();
    if (auto types = program->getType()->getTypeArray(); types && types.size() > 0 && holdsPointer(types[0]))
      report("pointer", program->getLine(), "Global or Shared", "a pointer as the result of '" + name + "'");
    // Kernels alone have the linkage of C: SLUICE_KERNEL gives it to them, in macros too.
    if (!function.hasLocalLinkage() && program->getLinkageName().empty() &&
        !function.getParent()->getNamedGlobal("sluiceEmuKernel_" + name))
      report("export", program->getLine(), "SLUICE_EXPORT(" + name + ") after the kernel", "none");
  }
  /// Whether the constant initial value of an array, which a GPU's compiler reads where it lies.
  static bool isTable(const llvm::DbgVariableRecord &record) {
    bool isConst = false;
    const llvm::DIType *type = strip(record.getVariable()->getType(), &isConst);
    if (auto *array = llvm::dyn_cast_or_null<llvm::DICompositeType>(type);
        array && array->getTag() == llvm::dwarf::DW_TAG_array_type)
      strip(array->getBaseType(), &isConst);
    const llvm::Value *place = record.getVariableLocationOp(0);
    return isConst && place && llvm::any_of(place->users(), [](const llvm::User *user) {
             auto *copy = llvm::dyn_cast<llvm::MemCpyInst>(user);
             auto *from = copy ? llvm::dyn_cast<llvm::GlobalVariable>(copy->getRawSource()) : nullptr;
             return from && from->isConstant() && holdsArray(from->getValueType());
           });
  }
  static bool isOurs(const llvm::Type *type, llvm::StringRef name) {
    auto *whole = llvm::dyn_cast<llvm::StructType>(type);
    return whole && whole->hasName() && whole->getName().contains("sluice::device::") &&
           whole->getName().contains(name);
  }
  static bool holdsTensorMap(const llvm::Type *type) {
    return isOurs(type, "::TensorMap") ||
           llvm::any_of(type->subtypes(), [](llvm::Type *part) { return holdsTensorMap(part); });
  }
  /// Objects without a name, and those that hold a map; named maps are reported by name.
  void checkCopy(const llvm::AllocaInst &place) {
    unsigned first = 0;
    for (const llvm::User *user : place.users())
      if (auto *instruction = llvm::dyn_cast<llvm::Instruction>(user))
        if (const llvm::DILocation *location = instruction->getDebugLoc();
            location && location->getLine() != 0 && isOwn(location->getFilename()))
          first = first == 0 ? location->getLine() : std::min(first, location->getLine());
    if (first != 0 && !namesTensorMap(place))
      report("tensor map", first, "const TensorMap &", "a copy");
  }
  static bool namesTensorMap(const llvm::AllocaInst &place) {
    return llvm::any_of(llvm::findDVRDeclares(const_cast<llvm::AllocaInst *>(&place)),
                        [](const llvm::DbgVariableRecord *record) {
                          const llvm::DIType *type = strip(record->getVariable()->getType());
                          return type && type->getName() == "TensorMap";
                        });
  }
  void checkVariables(llvm::Instruction &instruction) {
    for (llvm::DbgVariableRecord &record : llvm::filterDbgVars(instruction.getDbgRecordRange())) {
      const llvm::DILocalVariable *variable = record.getVariable();
      if (!isOwn(variable->getFilename()) || variable->isArtificial())
        continue;
      const llvm::DIType *type = strip(variable->getType());
      std::string name = "'" + variable->getName().str() + "'";
      if (isPointer(type))
        report("pointer", variable->getLine(), "Global or Shared", "the pointer " + name);
      else if (holdsPointer(type))
        report("pointer", variable->getLine(), "Global or Shared", "a pointer in " + name);
      else if (isTable(record))
        report("constant memory", variable->getLine(), "no table in constant memory", name);
      else if (type && type->getName() == "TensorMap")
        report("tensor map", variable->getLine(), "const TensorMap &", "the copy " + name);
    }
  }

  void check(llvm::Instruction &instruction, unsigned line) {
    checkArithmetic(instruction, line);
    if (usesFloat64(instruction))
      report("float64", line, "32-bit arithmetic", "an operation on float64, such as one with a literal without f");
    if (auto *call = llvm::dyn_cast<llvm::CallBase>(&instruction))
      checkCall(*call, line);
    if (auto *index = llvm::dyn_cast<llvm::GetElementPtrInst>(&instruction))
      checkIndex(*index, line);
    if (auto *operation = llvm::dyn_cast<llvm::FPMathOperator>(&instruction);
        operation && operation->getFastMathFlags().any())
      report("contraction", line, "arithmetic without contraction or other fast-math flags", "a pragma that sets them");
    if (llvm::isa<llvm::IntToPtrInst>(instruction))
      report("pointer", line, "Global or Shared", "an integer used as a pointer");
  }
  /// Whether the value is known without running anything, such as Constant<N> of an unrolled body.
  static bool isFixed(const llvm::Value *value) {
    if (llvm::isa<llvm::Constant>(value))
      return true;
    if (auto *call = llvm::dyn_cast<llvm::CallBase>(value)) {
      const llvm::Function *callee = call->getCalledFunction();
      auto *end = callee && callee->size() == 1 ? llvm::dyn_cast<llvm::ReturnInst>(callee->front().getTerminator())
                                                : nullptr;
      return end && end->getReturnValue() && llvm::isa<llvm::Constant>(end->getReturnValue());
    }
    auto *instruction = llvm::dyn_cast<llvm::Instruction>(value);
    return instruction && (instruction->isBinaryOp() || instruction->isCast()) &&
           llvm::all_of(instruction->operands(), [](const llvm::Use &use) { return isFixed(use.get()); });
  }
  /// Registers are reached by constants: no element of a fragment, of a vector or of an array of them by a variable.
  void checkIndex(llvm::GetElementPtrInst &index, unsigned line) {
    if (llvm::all_of(index.indices(), [](const llvm::Use &use) { return isFixed(use.get()); }))
      return;
    llvm::Type *type = index.getSourceElementType();
    if (type->isFloatingPointTy() || type->isIntegerTy(16) || type->isIntegerTy(32) || type->isIntegerTy(64))
      return report("pointer", line, "Global or Shared", "arithmetic on an address");
    while (type->isArrayTy())
      type = type->getArrayElementType();
    auto *base = llvm::dyn_cast<llvm::GetElementPtrInst>(index.getPointerOperand());
    if (isRegisters(type) || (base && isRegisters(base->getSourceElementType())))
      report("register index", line, "a constant as the index of registers, as unrolled gives it", "one that varies");
  }
  static bool isRegisters(const llvm::Type *type) {
    return isOurs(type, "::Mma") || isOurs(type, "::Wgmma") || isOurs(type, "::LdRegisters") || isOurs(type, "::Vec") ||
           isOurs(type, "Fragment");
  }
  static bool usesFloat64(const llvm::Instruction &instruction) {
    return instruction.getType()->isDoubleTy() ||
           llvm::any_of(instruction.operands(), [](const llvm::Use &use) { return use->getType()->isDoubleTy(); });
  }
  void checkArithmetic(llvm::Instruction &instruction, unsigned line) {
    // A constant divisor or amount has one meaning everywhere, if it has any.
    llvm::Value *second = instruction.getNumOperands() > 1 ? instruction.getOperand(1) : nullptr;
    bool variable = second && !isFixed(second);
    auto *number = llvm::dyn_cast_or_null<llvm::ConstantInt>(second);
    switch (instruction.getOpcode()) {
    case llvm::Instruction::SDiv:
    case llvm::Instruction::UDiv:
    case llvm::Instruction::SRem:
    case llvm::Instruction::URem: {
      bool quotient = instruction.getOpcode() == llvm::Instruction::SDiv ||
                      instruction.getOpcode() == llvm::Instruction::UDiv;
      if (variable)
        report("integer division", line, std::string(quotient ? "divide" : "remainder") +
               "(a, b) for a divisor that varies", quotient ? "'/'" : "'%'");
      else if (number && number->isZero())
        report("integer division", line, "a divisor other than 0", "0");
      return;
    }
    case llvm::Instruction::Shl:
    case llvm::Instruction::LShr:
    case llvm::Instruction::AShr:
      if (variable)
        report("shift", line, "shiftLeft or shiftRight for an amount that varies", "'<<' or '>>'");
      else if (number && number->getValue().uge(number->getBitWidth()))
        report("shift", line, "a shift by less than " + std::to_string(number->getBitWidth()) + " bits",
               std::to_string(number->getZExtValue()));
      return;
    case llvm::Instruction::FPToSI:
    case llvm::Instruction::FPToUI:
      report("float to integer", line, "toIntegerTowardZero or toIntegerNearest", "a conversion of C++");
      return;
    default:
      return;
    }
  }
  void checkCall(llvm::CallBase &call, unsigned line) {
    llvm::Function *callee = call.getCalledFunction();
    if (!callee)
      return report(call.isInlineAsm() ? "asm" : "indirect call", line,
                    call.isInlineAsm() ? "a primitive" : "a call of a function by its name",
                    call.isInlineAsm() ? "asm" : "a call through a pointer");
    if (!callee->isDeclaration() || callee->getName().starts_with("sluiceEmu"))
      return;
    if (callee->isIntrinsic()) {
      // What clang makes of copies, scopes and unreachable code.
      for (const char *plain : {"llvm.dbg.", "llvm.lifetime.", "llvm.memcpy.", "llvm.memset.", "llvm.memmove.",
                                "llvm.assume"})
        if (callee->getName().starts_with(plain))
          return;
      if (callee->getName() == "llvm.trap")
        return report("jump", line, "a result on every path", "an end of the function without one");
    }
    report("outside call", line, "primitives and functions of the kernel's file", "'" + callee->getName().str() + "'");
  }

  const KernelSource &source;
  std::vector<RuleViolation> found;
  std::set<std::pair<unsigned, std::string>> seen;
};

} // namespace

const std::vector<std::string> &kernelRuleNames() {
  static const std::vector<std::string> names = {
      "include",       "memory space",    "launch bounds",   "builtin",          "printf",
      "asm",           "allocation",      "exception",       "library",          "jump",
      "volatile",      "float64",         "detail",          "tensor map",       "export",
      "static memory", "constant memory", "pointer",         "register index",   "contraction",
      "shift",         "indirect call",   "outside call",    "integer division", "float to integer"};
  return names;
}

std::vector<RuleViolation> checkKernelCode(const KernelSource &source) {
  std::string bitcode = compileToBitcode(source);
  llvm::LLVMContext context;
  llvm::SMDiagnostic problem;
  auto buffer = llvm::MemoryBuffer::getMemBuffer(bitcode, source.name, false);
  std::unique_ptr<llvm::Module> module = llvm::parseIR(*buffer, problem, context);
  if (!module)
    throw UserError("expected bitcode of LLVM 22, got: " + problem.getMessage().str());
  return CodeRules(source).run(*module);
}

std::vector<RuleViolation> checkKernelRules(const KernelSource &source) {
  std::vector<RuleViolation> found = checkKernelTokens(source);
  // What breaks the rules on names often does not compile; the names say more than the compiler does.
  if (found.empty())
    found = checkKernelCode(source);
  std::sort(found.begin(), found.end(), [](const RuleViolation &a, const RuleViolation &b) {
    return std::tie(a.line, a.message) < std::tie(b.line, b.message);
  });
  return found;
}

} // namespace sluice
