// sluice-lsp-server: diagnostics, hovering and jumping for .mlir files, in any editor that speaks LSP.

#include "tools/sluice-opt/Dialects.h"

#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  sluice::registerDialects(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
