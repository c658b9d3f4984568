//===- Passes.td - from scans to loops over buffers ------------------------===//
//
// The CPU path runs these in order: cpu-scan-to-linalg, cpu-lower-scan, then
// upstream conversions to the LLVM dialect (codegen/cpu/Pipeline.cpp).
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_CODEGEN_CPU_PASSES_TD
#define SLUICE_CODEGEN_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def CpuScanToLinalg : Pass<"cpu-scan-to-linalg", "::mlir::ModuleOp"> {
  let summary = "write the elementwise part of scans as fused linalg.generic";
  let description = [{
    Pointwise ops, expand, reduce and constant in the bodies of scans become
    linalg.generic and are fused, so that each tensor is walked once. Products
    and the other ops that have kernels of their own stay. An add whose operand
    is a product used nowhere else stays too, marked `sluice.accumulate`: the
    product will add to the other operand in place. Ops are put in the order in
    which outputs need them, carried values last.

    Before:
    ```mlir
    %e = recur.exp %g : tensor<64xf32>
    %b = recur.expand %e along [1] : tensor<64xf32> to tensor<64x128xf32>
    %x = recur.mul %q, %b : tensor<64x128xf32>
    ```
    After:
    ```mlir
    %e = linalg.generic (exp) ins(%g)
    %x = linalg.generic (mul) ins(%q, %e)   // e by the map (i, j) -> (i)
    ```
  }];
  let statistics = [
    Statistic<"fused", "generics", "linalg.generic ops left after fusion">,
    Statistic<"accumulated", "accumulated-products", "products that add in place">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
}

def CpuLowerScan : Pass<"cpu-lower-scan", "::mlir::ModuleOp"> {
  let summary = "turn scans into functions over buffers";
  let description = [{
    Each scan becomes `func.func @symbol(%task: !llvm.ptr)` that obeys
    runtime/KernelTask.h. Its tensors get places in one scratch arena by
    lifetime; an elementwise result takes the place of an operand that ends
    there. `sluice.scratch_bytes` on the function is the arena's size.

    Attributes read from the scan: `sluice.keys`, the true key dimension
    (default: key_dim), and `sluice.storage`, a dictionary from the names of
    arguments and results to the type in which they are stored (default: f32).

    Before:
    ```mlir
    recur.scan @f step 64 key 128 value 128 inputs [...] outputs [...] carried [...] {
    ^bb0(%q: tensor<64x128xf32>, ..., %state: tensor<128x128xf32>):
      ...
    }
    ```
    After:
    ```mlir
    func.func @f(%task: !llvm.ptr) attributes {sluice.scratch_bytes = 524288 : i64} {
      ... scf.for over steps: loads, loops over vectors, kernel calls, stores
    }
    ```
  }];
  let statistics = [
    Statistic<"inPlace", "in-place", "results that took the place of an operand">,
    Statistic<"arenaBytes", "arena-bytes", "bytes of scratch, of the largest scan">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // SLUICE_CODEGEN_CPU_PASSES_TD
