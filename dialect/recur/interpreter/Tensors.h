// The tensors of one interpreted run: sizes, strides and checks, apart from what is computed.
#pragma once

#include "dialect/recur/Recur.h"
#include "runtime/Tensor.h"

#include <string>
#include <vector>

namespace sluice::recur::interpreter {

/// What one argument or result is, per token and head or per head.
struct Element {
  std::string name;
  bool perHead = false, key = false, value = false; ///< key and value: extends along K, along V.
};

struct Sizes {
  int64_t batch = 0, tokens = 0, valueHeads = 0, groups = 0;
  int64_t keyDim = 0, valueDim = 0;
  std::vector<int64_t> starts; ///< Sequence n holds tokens starts[n] to starts[n + 1] of all B * T.

  int64_t sequences() const { return static_cast<int64_t>(starts.size()) - 1; }
  int64_t sizeOf(const Element &element) const {
    return (element.key ? keyDim : 1) * (element.value ? valueDim : 1);
  }
};

/// A tensor of elements in float64, with what it takes to find one.
struct Elements {
  Tensor tensor;
  bool perHead = false;
  int64_t heads = 1, headsPerHead = 1, size = 1;

  /// The element of a token (of all B * T) and value head.
  double *at(int64_t token, int64_t head) const {
    int64_t own = head / headsPerHead;
    return tensor.data<double>() + (perHead ? own : token * heads + own) * size;
  }
};

struct Signature {
  std::vector<Element> arguments, results;
};
Signature signatureOf(RecurrenceOp recurrence);

/// Throws UserError if the tensors do not fit each other.
Sizes sizesOf(const Signature &signature, const TensorMap &inputs);

/// The tensor of that name in float64, checked against the element's shape.
Elements take(const Element &element, const std::string &name, const Sizes &sizes, const TensorMap &inputs);
/// Zeros of the shape that results have, or of `like`.
Elements zeros(const Element &element, const Sizes &sizes, const Elements *like = nullptr);

/// [N, HV, K, V] in float64: the tensor of that name, or zeros.
Tensor takeState(const std::string &name, const Sizes &sizes, const TensorMap &inputs);

/// Throws UserError for the first input that no run of this signature takes.
void rejectUnknown(const Signature &signature, const TensorMap &inputs);

} // namespace sluice::recur::interpreter
