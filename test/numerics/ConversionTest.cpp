// The conversions of emu/Math.h: every one of the 2^32 float32 patterns against the distances to both
// neighbours or the processor's own conversion, a part of them against rounding in float64, and every pattern
// of the 16-bit types.
#include "Reference.h"

#include "codegen/cuda/device/emu/Math.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace device = sluice::device;
using namespace sluice::test;

namespace {

bool sameBits(float a, double b) { return bitsOf(a) == bitsOf(static_cast<float>(b)); }

/// Whether `got` is not what the rounded value has as bits: checked by decoding, so that no encoder is
/// trusted.
bool differs16(uint16_t got, float input, double rounded, int fractionBits) {
  if (std::isnan(input))
    return got != 0x7fff;
  double value = valueOf16(got, fractionBits);
  return value != rounded || std::signbit(value) != std::signbit(input);
}

/// Of a pattern whose upper bits are a narrower number: the lower bits are the distance to it, in float32's
/// units, and `1 << lowerBits` that to the next pattern, which for the largest number is infinity in place of
/// the next power of 2.
uint32_t nearestPattern(uint32_t bits, int lowerBits, bool tiesAway) {
  uint32_t distance = bits & ((1u << lowerBits) - 1), half = 1u << (lowerBits - 1), below = bits >> lowerBits;
  if (distance == half)
    return tiesAway || below % 2 ? below + 1 : below;
  return distance < half ? below : below + 1;
}

TEST(Narrowing, Bf16ForEveryFloat) {
  sweep(1, [](uint32_t bits) {
    uint32_t expected = std::isnan(floatOf(bits)) ? 0x7fff : nearestPattern(bits, 16, false);
    return device::toBf16(floatOf(bits)).bits != expected;
  });
}

TEST(Narrowing, Bf16IsNearestEven) {
  sweep(251, [](uint32_t bits) {
    float value = floatOf(bits);
    return differs16(device::toBf16(value).bits, value, nearest(value, 7, -126, 127), 7);
  });
}

#if defined(__x86_64__)
__attribute__((target("f16c"))) uint16_t convert(float value) {
  return static_cast<uint16_t>(_cvtss_sh(value, _MM_FROUND_TO_NEAREST_INT));
}

/// What the processor makes of it, NaNs aside; it need not be asked far outside of f16's range.
uint16_t processorsF16(float value) {
  uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  float magnitude = std::fabs(value);
  return magnitude > 0x1p20f ? sign | 0x7c00 : magnitude < 0x1p-30f ? sign : convert(value);
}

TEST(Narrowing, F16AndSaturatedF16ForEveryFloat) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("f16c"))
    GTEST_SKIP() << "expected a processor that converts to f16";
  sweep(1, [](uint32_t bits) {
    float value = floatOf(bits);
    uint16_t plain = std::isnan(value) ? 0x7fff : processorsF16(value);
    uint16_t saturated = (plain & 0x7fff) == 0x7c00 ? (plain & 0x8000) | 0x7bff : plain;
    return device::toF16(value).bits != plain || device::toF16Saturated(value).bits != saturated;
  });
}
#endif

TEST(Narrowing, F16IsNearestEven) {
  sweep(251, [](uint32_t bits) {
    float value = floatOf(bits);
    return differs16(device::toF16(value).bits, value, nearest(value, 10, -14, 15), 10);
  });
}

TEST(Narrowing, SaturatedF16StaysFinite) {
  EXPECT_EQ(device::toF16Saturated(65504.0f).bits, 0x7bff);
  EXPECT_EQ(device::toF16Saturated(65519.996f).bits, 0x7bff);
  EXPECT_EQ(device::toF16Saturated(1e30f).bits, 0x7bff);
  EXPECT_EQ(device::toF16Saturated(-INFINITY).bits, 0xfbff);
  EXPECT_EQ(device::toF16Saturated(NAN).bits, 0x7fff);
}

TEST(Narrowing, Tf32ForEveryFloat) {
  sweep(1, [](uint32_t bits) {
    bool isFinite = std::isfinite(floatOf(bits));
    uint32_t expected = isFinite ? nearestPattern(bits, 13, true) << 13 : bits >> 13 << 13;
    return device::toTf32(floatOf(bits)).bits != expected;
  });
}

TEST(Narrowing, Tf32IsNearestAway) {
  sweep(251, [](uint32_t bits) {
    float value = floatOf(bits);
    if (!std::isfinite(value))
      return false;
    // In units of the last place that is kept, round() takes ties away from zero.
    double unit = std::ldexp(1.0, std::max(value == 0 ? -126 : std::ilogb(value), -126) - 10);
    return !sameBits(device::toFloat(device::toTf32(value)),
                     static_cast<float>(std::round(value / unit) * unit));
  });
}

TEST(Widening, EveryBf16) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float got = device::toFloat(device::bf16{static_cast<device::u16>(bits)});
    double expected = valueOf16(static_cast<uint16_t>(bits), 7);
    if (std::isnan(expected))
      EXPECT_EQ(bitsOf(got), bits << 16);
    else
      EXPECT_TRUE(sameBits(got, expected)) << bits;
    EXPECT_EQ(bitsOf(device::unpackLowBf16(bits | 0x12340000)), bitsOf(got));
    EXPECT_EQ(bitsOf(device::unpackHighBf16(bits << 16 | 0x1234)), bitsOf(got));
  }
}

TEST(Widening, EveryF16) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float got = device::toFloat(device::f16{static_cast<device::u16>(bits)});
    double expected = valueOf16(static_cast<uint16_t>(bits), 10);
    if (std::isnan(expected))
      EXPECT_EQ(bitsOf(got), 0x7fffffffu);
    else
      EXPECT_TRUE(sameBits(got, expected)) << bits;
    EXPECT_EQ(bitsOf(device::unpackLowF16(bits | 0x12340000)), bitsOf(got));
    EXPECT_EQ(bitsOf(device::unpackHighF16(bits << 16 | 0x1234)), bitsOf(got));
  }
}

TEST(Narrowing, PairsHaveTheFirstLow) {
  EXPECT_EQ(device::packBf16(1.0f, -2.0f), 0xc0003f80u);
  EXPECT_EQ(device::packF16(1.0f, -2.0f), 0xc0003c00u);
  EXPECT_EQ(device::packF16(1e9f, -1e9f), 0xfc007c00u);
  EXPECT_EQ(device::packF16Saturated(1e9f, -1e9f), 0xfbff7bffu);
}

/// What cvt to .s32 gives for an integer in float64, or no number.
int32_t saturated(double value) {
  if (std::isnan(value))
    return 0;
  return value > 2147483647.0    ? 2147483647
         : value < -2147483648.0 ? -2147483647 - 1
                                 : static_cast<int32_t>(value);
}

TEST(Integers, RoundAndSaturate) {
  sweep(61, [](uint32_t bits) {
    float value = floatOf(bits);
    return device::toIntegerTowardZero(value) != saturated(std::trunc(static_cast<double>(value))) ||
           device::toIntegerNearest(value) != saturated(std::nearbyint(static_cast<double>(value)));
  });
}

#if defined(__x86_64__)
TEST(Integers, RoundAndSaturateForEveryFloat) {
  sweep(1, [](uint32_t bits) {
    float value = floatOf(bits);
    int32_t cut = 0, rounded = 0;
    if (value >= 0x1p31f || value <= -0x1p31f)
      cut = rounded = value > 0 ? 2147483647 : -2147483647 - 1;
    else if (!std::isnan(value)) {
      cut = _mm_cvttss_si32(_mm_set_ss(value));
      rounded = _mm_cvtss_si32(_mm_set_ss(value));
    }
    return device::toIntegerTowardZero(value) != cut || device::toIntegerNearest(value) != rounded;
  });
}
#endif

TEST(Integers, ToFloatRoundsToNearestEven) {
  sweep(61, [](uint32_t bits) {
    int32_t number = static_cast<int32_t>(bits);
    return !sameBits(device::toFloat(number), nearest(number, 23, -126, 127)) ||
           !sameBits(device::toFloat(static_cast<device::u32>(bits)), nearest(bits, 23, -126, 127));
  });
  EXPECT_EQ(device::toFloat(16777217), 16777216.0f);
  EXPECT_EQ(device::toFloat(16777219), 16777220.0f);
  EXPECT_EQ(device::toFloat(0xffffffffu), 0x1p32f);
}

TEST(Integers, Tf32IsReadAsItIs) {
  EXPECT_EQ(device::toFloat(device::toTf32(1.0f + 0x1p-11f)), 1.0f + 0x1p-10f);
}

} // namespace
