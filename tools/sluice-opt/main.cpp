// sluice-opt: runs passes on a file, one at a time or as a pipeline, for tests and for looking inside.

#include "codegen/cpu/Passes.h"
#include "codegen/cpu/Passes.h"
#include "passes/recur/Passes.h"
#include "tools/sluice-opt/Dialects.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  sluice::registerDialects(registry);
  mlir::registerCanonicalizer();
  mlir::registerCSE();
  sluice::recur::registerRecurPasses();
  sluice::cpu::registerCpuPasses();
  sluice::cpu::registerPipeline();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "sluice pass driver\n", registry));
}
