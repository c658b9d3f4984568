// The passes of the CPU path, and the pipeline that ends in the LLVM dialect.
#pragma once

#include "mlir/Pass/Pass.h"

#include <memory>

namespace mlir {
class OpPassManager;
}

namespace sluice::cpu {

#define GEN_PASS_DECL
#include "codegen/cpu/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "codegen/cpu/Passes.h.inc"

/// Attributes that scans and the functions made of them carry.
constexpr llvm::StringLiteral keysAttr = "sluice.keys";
constexpr llvm::StringLiteral storageAttr = "sluice.storage";
constexpr llvm::StringLiteral accumulateAttr = "sluice.accumulate";
constexpr llvm::StringLiteral scratchAttr = "sluice.scratch_bytes";

/// Scans to functions over buffers.
void buildScanPipeline(mlir::OpPassManager &manager);
/// Such functions to the LLVM dialect.
void buildLLVMPipeline(mlir::OpPassManager &manager);
/// Makes both, one after the other, available by name: cpu-pipeline.
void registerPipeline();

} // namespace sluice::cpu
