// The rules that make a CUDA kernel mean the same on the GPU and on the emulator, checked on its source.
//
// Some are checked on tokens, some on the code that clang makes of the source before any optimisation, so that what
// the C++ says counts, wherever it stands (macros, templates, lambdas). codegen/cuda/device/README.md gives the
// reasons. Links LLVM.
#pragma once

#include "codegen/cuda/HostCompiler.h"

#include <string>
#include <vector>

namespace sluice {

struct RuleViolation {
  std::string rule;  ///< One of the names in kernelRuleNames().
  std::string file;
  unsigned line = 0;
  std::string message;  ///< "expected ..., got ..."
  /// "FILE:LINE: expected ..., got ..."
  std::string text() const { return file + ":" + std::to_string(line) + ": " + message; }
};

/// Every rule that checkKernelRules knows.
const std::vector<std::string> &kernelRuleNames();

/// By line: what checkKernelTokens finds; only if that is nothing, what checkKernelCode finds, since much of
/// the former does not compile. Throws UserError as the latter.
std::vector<RuleViolation> checkKernelRules(const KernelSource &source);

/// The part that needs no compiler.
std::vector<RuleViolation> checkKernelTokens(const KernelSource &source);

/// The part on LLVM's IR. Throws UserError for a source that does not compile, and if there is no clang.
std::vector<RuleViolation> checkKernelCode(const KernelSource &source);

} // namespace sluice
