// Pass cpu-lower-scan: each scan becomes a function over buffers.

#include "codegen/cpu/Passes.h"
#include "codegen/cpu/ScanLowering.h"
#include "runtime/KernelPackage.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace sluice::cpu {
#define GEN_PASS_DEF_CPULOWERSCAN
#include "codegen/cpu/Passes.h.inc"
} // namespace sluice::cpu

using namespace mlir;
using namespace sluice;

namespace {

struct LowerScan : cpu::impl::CpuLowerScanBase<LowerScan> {
  void runOnOperation() override {
    cpu::KernelEmitter kernels(getOperation(), cpu::microTile(hostCpuFeatures()));
    for (auto scan : llvm::make_early_inc_range(getOperation().getOps<recur::ScanOp>())) {
      cpu::ScanLowering lowering(scan, kernels);
      if (failed(lowering.run()))
        return signalPassFailure();
      inPlace += lowering.inPlaceCount();
      arenaBytes = std::max<int64_t>(arenaBytes, lowering.scratchBytes());
      scan.erase();
    }
  }
};

} // namespace
