// What is known of values in padding: rows past a sequence's end, key channels past K, value channels past
// the block's last. Inputs are zero there, but functions of them need not be.
#pragma once

#include "dialect/recur/Recur.h"

#include <array>

namespace sluice::recur {

enum class Sign { zero, positive, any };
enum class Axis : unsigned { rows, keys, values };
constexpr std::array<Axis, 3> allAxes = {Axis::rows, Axis::keys, Axis::values};

/// For each axis, what is known of the elements in its padding; of all elements, if the value lacks the
/// axis (it is then the same along it).
struct Signs {
  std::array<Sign, 3> signs = {Sign::any, Sign::any, Sign::any};

  Sign &operator[](Axis axis) { return signs[unsigned(axis)]; }
  Sign operator[](Axis axis) const { return signs[unsigned(axis)]; }
};

Sign getProductSign(Sign x, Sign y);

/// The sign of a pointwise op's result, from those of its operands. The operands of log, sqrt and rsqrt and
/// divisors are positive in padding.
Sign getPointwiseSign(mlir::Operation *op, llvm::ArrayRef<Sign> operands);

} // namespace sluice::recur
