// Compiles the text of scans and calls the kernels in this process.
#pragma once

#include "codegen/cpu/ObjectCode.h"
#include "codegen/cpu/Passes.h"
#include "codegen/cpu/TaskPorts.h"
#include "runtime/KernelTask.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <dlfcn.h>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

namespace sluice::test {

/// A loaded kernel. Memory of scratch starts as NaN: what a kernel does not write, it must not read.
class CompiledScan {
public:
  explicit CompiledScan(const std::string &text) : context(mlir::MLIRContext::Threading::DISABLED) {
    context.loadDialect<recur::RecurDialect, mlir::arith::ArithDialect, mlir::math::MathDialect>();
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    if (!module)
      throw std::runtime_error("expected a scan that parses");
    auto scan = *module->getOps<recur::ScanOp>().begin();
    symbol = scan.getSymName().str();
    ports = cpu::taskPorts(scan);
    run(*module, cpu::buildScanPipeline);
    auto function = module->lookupSymbol(symbol);
    scratchBytes = mlir::cast<mlir::IntegerAttr>(function->removeAttr(cpu::scratchAttr)).getInt();
    run(*module, cpu::buildLLVMPipeline);
    load(cpu::emitSharedObject(*module));
  }
  CompiledScan(const CompiledScan &) = delete;
  ~CompiledScan() { dlclose(library); }

  /// One sequence of one head: ports by role and name, as "argument q", with strides; others are null.
  struct Memory {
    void *pointer = nullptr;
    int64_t stride = 0;
  };
  void operator()(int64_t tokens, int64_t columns, const std::map<std::string, Memory> &memory) const {
    std::vector<void *> pointers;
    std::vector<int64_t> strides;
    for (const Port &port : ports) {
      auto found = memory.find(std::string(nameOf(port.role)) + " " + port.name);
      pointers.push_back(found == memory.end() ? nullptr : found->second.pointer);
      strides.push_back(found == memory.end() ? 0 : found->second.stride);
    }
    std::vector<float> scratch(scratchBytes / 4 + 16, std::numeric_limits<float>::quiet_NaN());
    void *aligned = reinterpret_cast<void *>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) / 64 * 64);
    KernelTask task{tokens, columns, aligned, pointers.data(), strides.data()};
    kernel(&task);
  }

  std::vector<Port> ports;
  int64_t scratchBytes = 0;

private:
  void run(mlir::ModuleOp module, llvm::function_ref<void(mlir::OpPassManager &)> build) {
    mlir::PassManager manager(&context);
    build(manager);
    if (failed(manager.run(module)))
      throw std::runtime_error("expected a scan that lowers");
  }
  void load(const std::string &code) {
    std::string path = testing::TempDir() + "/" + symbol + ".so";
    std::ofstream(path, std::ios::binary) << code;
    library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library)
      throw std::runtime_error(dlerror());
    kernel = reinterpret_cast<KernelFunction>(dlsym(library, symbol.c_str()));
  }

  mlir::MLIRContext context;
  std::string symbol;
  void *library = nullptr;
  KernelFunction kernel = nullptr;
};

} // namespace sluice::test
