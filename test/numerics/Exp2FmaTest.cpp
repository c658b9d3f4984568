// exp2Fma, which promises the same bits on the GPU and on the emulator: its error against long double, and
// its ends.
#include "Reference.h"

#include "codegen/cuda/device/emu/Device.h"

// Device.h brings the names of sluice::device, as for kernels.

namespace {

TEST(Exp2Fma, ErrorIsBelowAnUlp) {
  sluice::test::sweep(101, [](uint32_t bits) {
    float x = floatOf(bits), got = exp2Fma(x);
    if (!(x >= -150 && x < 128))
      return bitsOf(got) != (std::isnan(x) ? 0x7fffffff : x > 0 ? 0x7f800000 : 0);
    long double truth = std::exp2(static_cast<long double>(x));
    // Subnormal results are rounded once more.
    long double allowed =
        x < -126 ? 1.5L * 0x1p-149L : std::ldexp(1.0L, static_cast<int>(std::floor(x)) - 23);
    return !(std::fabs(got - truth) <= allowed);
  });
}

TEST(Exp2Fma, PowersAreExact) {
  for (int n = -149; n < 128; ++n)
    EXPECT_EQ(exp2Fma(static_cast<float>(n)), std::ldexp(1.0f, n));
  EXPECT_EQ(bitsOf(exp2Fma(-0.0f)), bitsOf(1.0f));
  EXPECT_EQ(bitsOf(exp2Fma(INFINITY)), 0x7f800000u);
  EXPECT_EQ(bitsOf(exp2Fma(-INFINITY)), 0u);
}

} // namespace
