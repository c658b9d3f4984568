// Scalar functions of the interpreter, in float64.
#pragma once

#include "dialect/recur/Recur.h"

#include <cmath>
#include <cstdint>

namespace sluice::recur::interpreter {

inline double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
inline double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
/// NaN if either is.
inline double larger(double x, double y) { return x > y || std::isnan(x) ? x : y; }
/// max(x, -128); NaN stays.
inline double clampGate(double x) { return x <= gateFloor ? gateFloor : x; }
inline double heaviside(double x, double y) { return x > y ? 1 : x == y ? 0.5 : 0; }

/// Several partial sums, so that the compiler may use vectors.
inline double dot(const double *x, const double *y, int64_t size) {
  constexpr int64_t width = 8;
  double partial[width] = {};
  int64_t i = 0;
  for (; i + width <= size; i += width)
    for (int64_t lane = 0; lane < width; ++lane)
      partial[lane] += x[i + lane] * y[i + lane];
  double result = 0;
  for (; i < size; ++i)
    result += x[i] * y[i];
  for (double part : partial)
    result += part;
  return result;
}

} // namespace sluice::recur::interpreter
