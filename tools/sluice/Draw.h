// Random tensors for a recurrence: ordinary ones, and those that kernels fail on.
#pragma once

#include "codegen/Compiler.h"
#include "tools/sluice/Problem.h"

#include <optional>
#include <vector>

namespace sluice {

enum class Keys {
  random,
  positive,    ///< All elements positive: K K^T is ill-conditioned.
  correlated   ///< Cosine 0.99 between any two.
};

/// How a case departs from ordinary inputs.
struct Variation {
  double gateScale = 1;               ///< Of the argument of logsigmoid.
  bool zeroGates = false;             ///< All log gates 0.
  std::optional<double> strongGate;   ///< Weak gates with single ones of this value among them.
  Keys keys = Keys::random;
  std::optional<double> scalars;      ///< Value of all scalars that are no gates.
  bool gatesOnValueHeads = false;     ///< Key-kind gates have HV heads, not H.
  bool states = false;                ///< An initial state, and a cotangent of the final one.
  std::vector<int64_t> lengths;       ///< Packed sequences of these lengths.
};

/// Arguments, cotangents of all results, and what the variation asks for. Tensors that kernels store as `dtype` have
/// this type. Throws UserError for an argument with a way to draw that is not known.
TensorMap drawInputs(const RecurrenceInfo &info, const Problem &problem, const Variation &variation,
                     DType dtype);

} // namespace sluice
