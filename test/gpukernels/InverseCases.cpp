// Launch record, arguments and reference of triangular_inverse.cu.
#include "test/gpukernels/GpuKernels.h"

#include <algorithm>
#include <cmath>

namespace sluice::gpukernels {

namespace {

constexpr int64_t size = 64;

/// After so many matrices they repeat.
constexpr int64_t distinct = 96;

/// L_ij = s k_i.k_j for unit vectors k around a common one: the larger their cosine, the worse L is
/// conditioned. Above the diagonal and on it lies what the kernel must not use.
Arrays arguments(const Sizes &s, uint64_t seed) {
  int64_t batch = s.at("batch");
  Arrays arrays;
  arrays["source"] = Array(DType::f32, batch * size * size, true);
  arrays["target"] = Array(DType::f32, batch * size * size, false);
  Array noise(DType::f32, std::min(batch, distinct) * size * 16, true);
  fillUniform(noise, seed);
  for (int64_t b = 0; b < std::min(batch, distinct); ++b) {
    const double common = b % 3 * 1.5, strength = b % 2 ? 1.9 : 0.9;
    const auto component = [&](int64_t row, int64_t d) {
      return noise.at((b * size + row) * 16 + d) + (d == 0) * common;
    };
    for (int64_t i = 0; i < size; ++i)
      for (int64_t j = 0; j < size; ++j) {
        double dot = 0, square = 0, squareOther = 0;
        for (int64_t d = 0; d < 16; ++d) {
          dot += component(i, d) * component(j, d);
          square += component(i, d) * component(i, d);
          squareOther += component(j, d) * component(j, d);
        }
        arrays["source"].set((b * size + i) * size + j,
                             i > j ? strength * dot / std::sqrt(square * squareOther) : 7);
      }
  }
  std::vector<uint8_t> &bytes = arrays["source"].bytes;
  for (size_t i = distinct * size * size * sizeof(float); i < bytes.size(); ++i)
    bytes[i] = bytes[i - distinct * size * size * sizeof(float)];
  return arrays;
}

using Matrix = std::vector<double>;

Matrix inverseOf(const Matrix &l) {
  Matrix x(size * size, 0);
  for (int64_t j = 0; j < size; ++j)
    for (int64_t i = j; i < size; ++i) {
      double sum = i == j;
      for (int64_t k = j; k < i; ++k)
        sum -= l[i * size + k] * x[k * size + j];
      x[i * size + j] = sum;
    }
  return x;
}

Matrix productOfMagnitudes(const Matrix &a, const Matrix &b) {
  Matrix c(size * size, 0);
  for (int64_t i = 0; i < size; ++i)
    for (int64_t k = 0; k < size; ++k)
      for (int64_t j = 0; j < size; ++j)
        c[i * size + j] += std::fabs(a[i * size + k] * b[k * size + j]);
  return c;
}

/// The inverse in float64. An inverse by substitution is within n 2^-24 |X| |L| |X| of it; the products of
/// the merges have 21 bits.
Expectations reference(const Sizes &s, const Arrays &arrays) {
  Expected expected;
  for (int64_t b = 0; b < s.at("batch"); ++b) {
    Matrix l(size * size, 0);
    for (int64_t i = 0; i < size; ++i)
      for (int64_t j = 0; j <= i; ++j)
        l[i * size + j] = i == j ? 1 : arrays.at("source").at((b * size + i) * size + j);
    const Matrix x = inverseOf(l), growth = productOfMagnitudes(productOfMagnitudes(x, l), x);
    for (int64_t i = 0; i < size * size; ++i) {
      expected.value.push_back(x[i]);
      expected.bound.push_back(std::ldexp(growth[i], -20));
    }
  }
  return {{"target", expected}};
}

} // namespace

std::vector<KernelCase> inverseCases() {
  KernelCase one{.name = "triangular_inverse", .source = "triangular_inverse.cu", .target = "sm_80"};
  one.record.kernel = "triangular_inverse";
  one.record.sizes = {"batch"};
  one.record.grid = {"batch", 1, 1};
  one.record.sharedBytes = 2 * 64 * 68 * 4;
  one.record.parameters = {tensorParameter("source", DType::f32, Direction::read, {"batch", size, size}),
                           tensorParameter("target", DType::f32, Direction::write, {"batch", size, size})};
  one.sizes = {{{"batch", 0}}, {{"batch", 1}}, {{"batch", 7}}};
  one.small = {{"batch", 1}};
  one.large = {{"batch", 32768}};
  one.makeArguments = arguments;
  one.reference = reference;
  return {one};
}

} // namespace sluice::gpukernels
