// From the LLVM dialect to the bytes of a shared object for this machine.
#pragma once

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace sluice::cpu {

/// Optimises and links the module; its public functions are the object's symbols.
std::string emitSharedObject(mlir::ModuleOp module);

/// The optimised LLVM IR as text.
std::string emitLLVMText(mlir::ModuleOp module);

} // namespace sluice::cpu
