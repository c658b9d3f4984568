// Gradients of a backward run: kernels write partial sums in f32, which are added and converted here.
#pragma once

#include "runtime/Binding.h"
#include "runtime/Tensor.h"

#include <memory>
#include <vector>

namespace sluice {

/// The memory that kernels write one argument's gradient to. Where nothing is shared and the output is f32, this is
/// the output itself.
class GradientBuffer {
public:
  GradientBuffer(const Port &port, const Grid &grid, const TensorView &output, int64_t heads);
  /// Of the initial states, which share nothing.
  GradientBuffer(const Grid &grid, const TensorView &output);

  const Binding &binding() const { return layout; }
  /// Adds the partial sums in the order of sequences, heads and blocks, and stores the output.
  void finish(int threads);

private:
  void *firstCopy();
  void clearEmptySequences(const Port &port, const Grid &grid);
  void sumRange(int64_t begin, int64_t end);

  TensorView output;
  Binding layout;
  int64_t elements, copies = 1;
  std::shared_ptr<void> first, others;
};

} // namespace sluice
