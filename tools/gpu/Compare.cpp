// Element by element, and approximations against float64.
#include "tools/gpu/Compare.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace sluice::gpusuite {

namespace {

uint64_t elementOf(const Array &array, size_t index) {
  uint64_t value = 0;
  size_t size = sizeOf(array.dtype);
  std::memcpy(&value, array.bytes.data() + index * size, size);
  return value;
}

std::string toHexDigits(uint64_t value, size_t bytes) {
  char text[20];
  std::snprintf(text, sizeof text, "%0*llx", static_cast<int>(2 * bytes),
                static_cast<unsigned long long>(value));
  return text;
}

bool areNans(uint64_t a, uint64_t b) {
  return std::isnan(std::bit_cast<float>(static_cast<uint32_t>(a))) &&
         std::isnan(std::bit_cast<float>(static_cast<uint32_t>(b)));
}

/// Subnormal arguments and results may count as zero.
double flush(double x) { return std::fabs(x) < std::ldexp(1.0, -126) ? std::copysign(0.0, x) : x; }

bool isWithin(const Approximation &function, float argument, float result) {
  auto near = [&](double exact) {
    if (std::isnan(exact))
      return std::isnan(result);
    if (std::fabs(exact) > 0x1.fffffefp127)
      return std::isinf(result) ? std::signbit(result) == std::signbit(exact) : false;
    double error = std::fabs(result - exact);
    // What is left of a result that may be flushed.
    double least = std::fabs(exact) < std::ldexp(1.0, -125) ? std::ldexp(1.0, -126) : 0;
    return error <= function.relative * std::fabs(exact) + function.absolute + least;
  };
  return near(function.exact(argument)) || near(function.exact(flush(argument)));
}

void compareBounds(const Arrays &before, const Outcome &outcome, Difference &difference) {
  const Array &input = before.at("input"), &output = outcome.after.at("output");
  constexpr size_t threads = 128;
  const std::vector<Approximation> &functions = approximations();
  for (size_t i = 0; i < input.bytes.size() / 4; ++i)
    for (size_t f = 0; f < functions.size(); ++f) {
      size_t at = (i / threads * functions.size() + f) * threads + i % threads;
      float argument = std::bit_cast<float>(static_cast<uint32_t>(elementOf(input, i)));
      float result = std::bit_cast<float>(static_cast<uint32_t>(elementOf(output, at)));
      ++difference.elements;
      if (isWithin(functions[f], argument, result))
        continue;
      if (difference.different++ == 0) {
        char text[160];
        std::snprintf(text, sizeof text, "%s(%.9g): expected %.9g within 2^%.1f, got %.9g on %s",
                      functions[f].name, argument, functions[f].exact(argument),
                      std::log2(functions[f].relative), result, outcome.side.c_str());
        difference.first = text;
      }
    }
}

} // namespace

Difference compareOutcomes(const Probe &probe, const Arrays &before, const Outcome &left,
                           const Outcome &right) {
  Difference difference;
  for (const Outcome *outcome : {&left, &right})
    if (!outcome->problem.empty()) {
      difference.different = 1;
      difference.first = outcome->side + ": " + outcome->problem;
      return difference;
    }
  if (probe.comparison == Comparison::bounds) {
    compareBounds(before, left, difference);
    compareBounds(before, right, difference);
    return difference;
  }
  for (const auto &[name, array] : left.after) {
    const Array &other = right.after.at(name);
    size_t size = sizeOf(array.dtype);
    for (size_t i = 0; i < array.bytes.size() / size; ++i) {
      uint64_t x = elementOf(array, i), y = elementOf(other, i);
      ++difference.elements;
      if (x == y || (probe.comparison == Comparison::floats && size == 4 && areNans(x, y)))
        continue;
      if (difference.different++ == 0)
        difference.first = name + "[" + std::to_string(i) + "]: " + toHexDigits(x, size) + " on " +
                           left.side + ", " + toHexDigits(y, size) + " on " + right.side;
    }
  }
  return difference;
}

} // namespace sluice::gpusuite
