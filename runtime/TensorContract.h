// What the tensors of a run must look like. With B batches, T tokens, H key heads, HV value heads (a multiple
// of H), N sequences (N = B, or B = 1 and given by cu_seqlens), K and V the key and value dimension:
//
//   key       [B, T, H or HV, K]     state              [N, HV, K, V]
//   value     [B, T, HV, V]          constants          [HV], [HV, K], [HV, V], [HV, K, V]
//   scalar    [B, T, HV]             cu_seqlens  i64    [N + 1]
//
// Key-kind arguments have H or HV heads independently of each other. Value head h belongs to key head h / (HV/H).
#pragma once

#include "runtime/KernelPackage.h"
#include "runtime/Tensor.h"

#include <string>
#include <vector>

namespace sluice {

constexpr int64_t minimalDim = 16, maximalKeyDim = 256, maximalValueDim = 512;

/// What a launch must know of the tensors.
struct Sizes {
  int64_t batch = 0, tokens = 0;
  int64_t keyHeads = 0, valueHeads = 0;
  int64_t keyDim = 0, valueDim = 0;
  /// Sequence n holds the tokens starts[n] to starts[n + 1] of all B * T.
  std::vector<int64_t> starts;

  int64_t sequences() const { return static_cast<int64_t>(starts.size()) - 1; }
  int64_t tokensOf(int64_t sequence) const { return starts[sequence + 1] - starts[sequence]; }
};

/// The part of a package, or of a description, that the contract depends on.
struct Signature {
  const std::vector<TensorSpec> &arguments, &results;
  int64_t keyDim = 0, valueDim = 0;  ///< 0: taken from the tensors.
};
Signature signatureOf(const KernelPackage &package);

/// Checks every tensor; cotangents only if gradients are asked for. Throws UserError with the first tensor that
/// is missing, unknown, or of a wrong dtype or shape.
Sizes checkTensors(const Signature &signature, const ViewMap &inputs, bool gradients);

/// The shapes and types, without data, of what a forward run returns: the results in `dtype`, final_state.
ViewMap forwardOutputs(const Signature &signature, const Sizes &sizes, DType dtype);
/// Of what a backward run returns: d<argument> for each argument, in its dtype and shape, and dinitial_state if
/// initial_state is among the inputs.
ViewMap gradientOutputs(const Signature &signature, const ViewMap &inputs);

/// The shape of a tensor with `heads` heads per token.
Shape shapeOf(const TensorSpec &spec, const Sizes &sizes, int64_t heads);

} // namespace sluice
