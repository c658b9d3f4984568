// Operations that PyTorch would do in a dozen passes over memory, in one or two, with their gradients.
// float32 on the CPU; sums have a fixed order, so results do not depend on the number of threads.
#pragma once

#include <ATen/core/Tensor.h>

namespace sluice::models {

/// y[b, t, c] = sum_j w[c, j] x[b, t + j, c]: no padding, so x has width - 1 more tokens than y.
/// x: [B, T + width - 1, C], weight: [C, width].
at::Tensor depthwiseConvolution(const at::Tensor &x, const at::Tensor &weight);

/// y = x / sqrt(mean(x^2) + epsilon) * weight over the last dimension.
at::Tensor rmsNorm(const at::Tensor &x, const at::Tensor &weight, double epsilon);

} // namespace sluice::models
