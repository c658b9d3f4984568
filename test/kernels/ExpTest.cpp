// emitExp, seen through a decay matrix: the entry below the diagonal is e^g.
#include "test/kernels/KernelRunner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sluice::test {
namespace {

std::vector<float> exponentials(const std::vector<float> &arguments) {
  constexpr int64_t size = 256;
  static KernelRunner runner("func.func @f(%g: tensor<256xf32>) { %d = recur.decay_matrix through %g : "
                             "tensor<256xf32> to tensor<256x256xf32> return }");
  std::vector<float> results;
  for (size_t first = 0; first < arguments.size(); first += size - 1) {
    Matrix g(1, size), d(size, size);
    size_t count = std::min(arguments.size() - first, size_t(size - 1));
    for (size_t i = 0; i < count; ++i)
      g[i + 1] = arguments[first + i];
    runner.run({&g, &d});
    for (size_t i = 0; i < count; ++i)
      results.push_back(d(i + 1, i));
  }
  return results;
}

TEST(Exp, WithinAnUlpAndAHalf) {
  std::vector<float> arguments;
  for (double x = -87.3; x < 88.7; x += 0.0037)
    arguments.push_back(x);
  for (double x = 1e-30; x < 1; x *= 1.7)
    arguments.insert(arguments.end(), {float(x), float(-x)});
  std::vector<float> results = exponentials(arguments);
  for (size_t i = 0; i < arguments.size(); ++i) {
    double expected = std::exp(double(arguments[i]));
    float rounded = expected;
    double ulp = std::nextafter(rounded, std::numeric_limits<float>::infinity()) - double(rounded);
    ASSERT_LT(std::fabs(results[i] - expected) / ulp, 1.5) << arguments[i];
  }
}

TEST(Exp, Extremes) {
  float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> results =
      exponentials({0.0f, -0.0f, -infinity, infinity, -1e30f, 1e30f, -128, std::nanf(""), 88.72283f, -104});
  EXPECT_EQ(results[0], 1);
  EXPECT_EQ(results[1], 1);
  EXPECT_EQ(results[2], 0);
  EXPECT_EQ(results[3], infinity);
  EXPECT_EQ(results[4], 0);
  EXPECT_EQ(results[5], infinity);
  EXPECT_EQ(results[6], 0);
  EXPECT_TRUE(std::isnan(results[7]));
  EXPECT_LT(results[8], infinity);
  EXPECT_EQ(results[9], 0);
}

} // namespace
} // namespace sluice::test
