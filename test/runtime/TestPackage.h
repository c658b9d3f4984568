// A package around the kernels of TestKernels.c, and a float64 reference of what they compute.
#pragma once

#include "runtime/KernelPackage.h"
#include "runtime/Tensor.h"

#include <string>
#include <vector>

namespace sluice::test {

constexpr int64_t testKeyDim = 16, testValueBlock = 16;

/// Value dimensions above testValueBlock are split into blocks.
KernelPackage testPackage(int64_t valueDim);

/// Tokens of each sequence, packed; or batches of equal length if there is only `batch`.
struct TestSizes {
  int64_t batch, tokens, keyHeads, valueHeads, valueDim;
  std::vector<int64_t> lengths;
};
/// Arguments, cotangents and states, all random.
TensorMap testInputs(const TestSizes &sizes);
/// Results, final_state and all gradients in f64; `sizes` must be those of the inputs, which must be f32.
TensorMap testReference(const TestSizes &sizes, const TensorMap &inputs);

/// The ratio of norms.
double errorOf(const Tensor &computed, const Tensor &exact);

/// A folder of the test's own, empty.
std::string freshFolder(const std::string &name);

} // namespace sluice::test
