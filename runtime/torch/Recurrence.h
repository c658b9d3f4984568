// Compiled recurrences as a PyTorch operator with gradients:
//
//   sluice::recurrence(str spec, Tensor[] arguments, Tensor? initial_state, Tensor? cu_seqlens, str form, int
//   chunk)
//     -> (Tensor[] results, Tensor final_state)
//
// `spec` is what the command line takes: FILE, FILE@name or a built-in. `arguments` are in the recurrence's
// order with the shapes of runtime/TensorContract.h. `form` is chunk, recurrent or auto: the recurrent form
// for single tokens without gradients and where no chunk form exists, else the chunk form.
//
// Types: results have the type of the arguments that kernels store in the package's type (keys and values
// that reach no decay; float32 if they differ); a gradient has its argument's type; states are float32.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

namespace sluice {

struct RecurrenceOptions {
  std::optional<at::Tensor> initialState; ///< [N, HV, K, V] float32.
  std::optional<at::Tensor> cuSeqlens;    ///< [N + 1] int64.
  std::string form = "auto";
  int64_t chunk = 64;
};

struct RecurrenceResult {
  std::vector<at::Tensor> results;
  at::Tensor finalState; ///< [N, HV, K, V] float32.
};

/// The operator. Throws c10::Error with one clear line for what the tensor contract forbids.
RecurrenceResult recurrence(const std::string &spec, const std::vector<at::Tensor> &arguments,
                            const RecurrenceOptions &options = {});

} // namespace sluice
