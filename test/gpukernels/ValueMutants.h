// Mistakes that a generator of kernels could make in numbers: stages, bounds, strides, swizzles, launch
// records.
#pragma once

#include "test/gpukernels/GpuKernels.h"

#include <functional>
#include <string>
#include <vector>

namespace sluice::gpukernels {

struct ValueMutant {
  std::string kernel, what;
  std::function<void(LaunchRecord &)> alter = {};
  std::string variant = {}; ///< Of the compiled kernel: one with other definitions.
};

const std::vector<ValueMutant> &valueMutants();

} // namespace sluice::gpukernels
