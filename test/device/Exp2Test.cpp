// exp2Fma against float64: the stated error over all exponents, exact powers, and the ends of its range.
#include "codegen/cuda/device/emu/Device.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace {

/// The distance between neighbours at a positive value; subnormals are 2^-149 apart.
double ulpAt(double value) { return std::ldexp(1.0, std::max(std::ilogb(value), -126) - 23); }

TEST(Exp2Fma, IsWithinTheStatedError) {
  double worst = 0, worstSubnormal = 0;
  // Every exponent and sign; 509 is prime, so that the fractions spread.
  for (uint64_t bits = 0; bits < uint64_t(1) << 32; bits += 509) {
    float x = floatOf(static_cast<u32>(bits));
    if (!(x > -149.5f && x < 128))
      continue;
    double expected = std::exp2(static_cast<double>(x));
    double error = std::abs(exp2Fma(x) - expected) / ulpAt(expected);
    double &bound = expected < 0x1p-126 ? worstSubnormal : worst;
    bound = std::max(bound, error);
  }
  EXPECT_LT(worst, 0.96);
  EXPECT_GT(worst, 0.5); // Otherwise nothing was measured.
  EXPECT_LT(worstSubnormal, 1);
}

TEST(Exp2Fma, IsExactAtIntegers) {
  for (int n = -149; n < 128; ++n)
    EXPECT_EQ(exp2Fma(static_cast<float>(n)), std::ldexp(1.0f, n)) << n;
}

TEST(Exp2Fma, SaturatesAndKeepsNaN) {
  float infinity = std::numeric_limits<float>::infinity();
  for (float x : {128.0f, 129.0f, 200.0f, 3e38f, infinity})
    EXPECT_EQ(exp2Fma(x), infinity) << x;
  for (float x : {-151.0f, -152.0f, -200.0f, -3e38f, -infinity})
    EXPECT_EQ(bitsOf(exp2Fma(x)), 0u) << x;
  EXPECT_LT(exp2Fma(std::nextafter(128.0f, 0.0f)), infinity);
  for (u32 nan : {0x7fc00000u, 0xffc00000u, 0x7f800001u, 0xffffffffu, 0x7fffffffu})
    EXPECT_EQ(bitsOf(exp2Fma(floatOf(nan))), 0x7fffffffu) << nan;
}

} // namespace
