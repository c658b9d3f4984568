// Errors of computed tensors against exact ones, and how large they may be.
#pragma once

#include "codegen/Compiler.h"
#include "runtime/LoadedPackage.h"

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace sluice {

/// One tensor of one form.
struct Comparison {
  Form form = Form::chunk;
  std::string tensor;
  bool gradient = false;
  double tolerance = 0;
  double error = 0;        ///< RMS of the difference to RMS of the exact tensor; NaN if the computed one has a NaN.
  bool absolute = false;   ///< The exact tensor is zero in float32; the error is the largest element.

  bool passed() const { return error <= tolerance; }
};

/// A comparison to be made. Its tolerance depends on what the tensor is; 16-bit storage has looser bounds, and looser
/// ones yet for hard cases.
Comparison expect(const RecurrenceInfo &info, const std::string &tensor, DType dtype, bool hard);

/// Fills in the error.
Comparison compare(Comparison comparison, const Tensor &computed, const Tensor &exact);

/// The name of a tensor with an element that is infinite or no number; empty if there is none.
std::string firstNotFinite(const TensorMap &tensors);

struct CaseResult {
  std::string name;
  std::vector<Comparison> comparisons;
  std::string reason;  ///< Why nothing was compared.

  bool passed() const;
  /// For each form the worst of the values and of the gradients, and the verdict.
  std::vector<std::string> row() const;
  nlohmann::json json() const;
};

} // namespace sluice
