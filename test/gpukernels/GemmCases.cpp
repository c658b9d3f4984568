// Launch records, arguments and references of gemm_sm80.cu and gemm_sm90.cu.
#include "test/gpukernels/GpuKernels.h"

#include <cmath>
#include <limits>

namespace sluice::gpukernels {

namespace {

Sizes gemmSizes(int64_t m, int64_t n, int64_t k) { return {{"m", m}, {"n", n}, {"k", k}}; }

int64_t padded(int64_t size, int64_t multiple) { return (size + multiple - 1) / multiple * multiple; }

const SizeExpression strideA = "ceildiv(k, 8) * 8", strideN = "ceildiv(n, 8) * 8",
                     strideC = "ceildiv(n, 2) * 2";

Arrays arguments(const Sizes &s, uint64_t seed, DType dtype, bool rowsAreN) {
  int64_t m = s.at("m"), n = s.at("n"), k = s.at("k");
  Arrays arrays;
  arrays["a"] = Array(dtype, m * padded(k, 8), true);
  arrays["b"] = Array(dtype, rowsAreN ? n * padded(k, 8) : k * padded(n, 8), true);
  arrays["c"] = Array(DType::f32, m * padded(n, 2), false);
  fillUniform(arrays["a"], seed);
  fillUniform(arrays["b"], seed + 1);
  return arrays;
}

/// Sums of products of 16-bit numbers, exact in float64; the tensor cores' sums are within 2^-22 (1 + k / 64)
/// of the sum of magnitudes.
Expectations reference(const Sizes &s, const Arrays &arrays, bool rowsAreN) {
  int64_t m = s.at("m"), n = s.at("n"), k = s.at("k");
  Expected c;
  c.value.assign(arrays.at("c").elements(), std::numeric_limits<double>::quiet_NaN());
  c.bound.assign(c.value.size(), 0);
  std::vector<double> row(n), magnitude(n);
  std::vector<double> b(n * k); // [k, n]
  for (int64_t l = 0; l < k; ++l)
    for (int64_t j = 0; j < n; ++j)
      b[l * n + j] = arrays.at("b").at(rowsAreN ? j * padded(k, 8) + l : l * padded(n, 8) + j);
  for (int64_t i = 0; i < m; ++i) {
    row.assign(n, 0), magnitude.assign(n, 0);
    for (int64_t l = 0; l < k; ++l) {
      double a = arrays.at("a").at(i * padded(k, 8) + l);
      for (int64_t j = 0; j < n; ++j)
        row[j] += a * b[l * n + j], magnitude[j] += std::fabs(a * b[l * n + j]);
    }
    for (int64_t j = 0; j < n; ++j) {
      c.value[i * padded(n, 2) + j] = row[j];
      c.bound[i * padded(n, 2) + j] = std::ldexp(1 + k / 64., -22) * magnitude[j];
    }
  }
  return {{"c", c}};
}

std::vector<ParameterRecord> sizesOfProduct() {
  return {tensorParameter("c", DType::f32, Direction::write, {"m", "n"}, {strideC, 1}),
          sizeParameter("rows", "m"), sizeParameter("columns", "n"), sizeParameter("depth", "k")};
}

KernelCase commonCase(const std::string &name, DType dtype, bool rowsAreN) {
  KernelCase one{.name = name, .source = "", .target = ""};
  one.record.kernel = name;
  one.record.sizes = {"m", "n", "k"};
  one.record.grid = {"ceildiv(n, 128)", "ceildiv(m, 128)", 1};
  one.small = gemmSizes(70, 131, 390);
  one.large = gemmSizes(8192, 8192, 8192);
  one.makeArguments = [=](const Sizes &s, uint64_t seed) { return arguments(s, seed, dtype, rowsAreN); };
  one.reference = [=](const Sizes &s, const Arrays &arrays) { return reference(s, arrays, rowsAreN); };
  return one;
}

KernelCase sm80Case(const std::string &name, DType dtype) {
  KernelCase one = commonCase(name, dtype, false);
  one.source = "gemm_sm80.cu";
  one.target = "sm_80";
  one.record.threads = 128;
  one.record.sharedBytes = 3 * (128 * 32 + 32 * 128) * 2;
  one.record.parameters = {tensorParameter("a", dtype, Direction::read, {"m", "k"}, {strideA, 1}),
                           tensorParameter("b", dtype, Direction::read, {"k", "n"}, {strideN, 1})};
  for (ParameterRecord &parameter : sizesOfProduct())
    one.record.parameters.push_back(parameter);
  one.record.parameters.push_back(sizeParameter("distanceA", strideA));
  one.record.parameters.push_back(sizeParameter("distanceB", strideN));
  one.record.parameters.push_back(sizeParameter("distanceC", strideC));
  one.sizes = {gemmSizes(0, 5, 5),      gemmSizes(5, 4, 0),      gemmSizes(1, 1, 1),
               gemmSizes(128, 128, 32), gemmSizes(17, 131, 100), gemmSizes(129, 64, 333),
               gemmSizes(200, 257, 64), gemmSizes(64, 40, 1000)};
  return one;
}

KernelCase sm90Case(const std::string &name, DType dtype, bool rowsAreN) {
  KernelCase one = commonCase(name, dtype, rowsAreN);
  one.source = "gemm_sm90.cu";
  one.target = "sm_90a";
  one.record.threads = 384;
  one.record.sharedBytes = 4 * (128 + 128) * 64 * 2 + 2 * 4 * 8;
  one.record.roles = {{"copy", 128, 40}, {"multiply", 256, 232}};
  one.record.registersAtLaunch = 168;
  one.record.parameters = {
      mapParameter("a", dtype, Direction::read, {"k", "m"}, {strideA}, {64, 128}, TileSwizzle::bytes128),
      rowsAreN
          ? mapParameter("b", dtype, Direction::read, {"k", "n"}, {strideA}, {64, 128}, TileSwizzle::bytes128)
          : mapParameter("b", dtype, Direction::read, {"n", "k"}, {strideN}, {64, 64},
                         TileSwizzle::bytes128)};
  for (ParameterRecord &parameter : sizesOfProduct())
    one.record.parameters.push_back(parameter);
  one.record.parameters.push_back(sizeParameter("distanceC", strideC));
  one.sizes = {gemmSizes(0, 5, 5),      gemmSizes(5, 0, 4),      gemmSizes(1, 1, 1),
               gemmSizes(128, 128, 64), gemmSizes(17, 131, 100), gemmSizes(129, 64, 333),
               gemmSizes(200, 257, 64), gemmSizes(64, 40, 1000)};
  return one;
}

} // namespace

std::vector<KernelCase> gemmCases() {
  return {sm80Case("gemm_sm80_bf16", DType::bf16), sm80Case("gemm_sm80_f16", DType::f16),
          sm90Case("gemm_sm90_bf16_nk", DType::bf16, true), sm90Case("gemm_sm90_bf16_kn", DType::bf16, false),
          sm90Case("gemm_sm90_f16_kn", DType::f16, false)};
}

} // namespace sluice::gpukernels
