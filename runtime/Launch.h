// Runs a package on the CPU: over sequences, value heads and value blocks, on as many threads as wished. Every
// task is computed alike whatever runs beside it, and sums over tasks have a fixed order, so results depend
// neither on the number of threads nor on the batch.
//
// Memory beyond the caller's tensors: the saved states, scratch per thread, a converted copy of each argument whose
// dtype is not the package's, and partial gradients where several heads, blocks or sequences share an argument.
#pragma once

#include "runtime/LoadedPackage.h"
#include "runtime/Tensor.h"
#include "runtime/TensorContract.h"

#include <map>
#include <memory>
#include <string>

namespace sluice {

struct RunOptions {
  Form form = Form::chunk;
  int threads = 0;  ///< 0: all that the process may use.
};

/// What a forward run leaves for its backward run.
struct Saved {
  struct Part {
    std::shared_ptr<void> data;
    int64_t recordElements = 0, every = 1;
  };
  Form form = Form::chunk;
  int64_t step = 1;
  std::map<std::string, Part> parts;  ///< By the port's name.

  int64_t bytes = 0;
};

/// Inputs are the arguments, and optionally initial_state and cu_seqlens; cotangents are ignored. Outputs are
/// those of forwardOutputs, with memory; what is missing among them is not stored, but results must be there.
/// Null is returned if nothing is to be saved. Throws UserError as checkTensors does.
std::shared_ptr<const Saved> runForward(const LoadedPackage &kernels, const ViewMap &inputs,
                                        const ViewMap &outputs, const RunOptions &options,
                                        bool save);

/// Inputs are those of the forward run and the cotangents d<result> and dfinal_state; a missing one is zero.
/// Outputs are those of gradientOutputs, with memory; what is missing among them is not computed further than the
/// kernel does anyway.
void runBackward(const LoadedPackage &kernels, const ViewMap &inputs, const Saved &saved,
                 const ViewMap &outputs, const RunOptions &options);

/// Forward and, if asked for, backward, with fresh memory for all outputs.
TensorMap run(const LoadedPackage &kernels, const TensorMap &inputs, bool gradients,
              const RunOptions &options);

} // namespace sluice
