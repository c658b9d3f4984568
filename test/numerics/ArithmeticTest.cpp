// Minimum, fma, division, square root, integer division and shifts of emu/Math.h: every pair of a set of hard
// values.
#include "Reference.h"

#include "codegen/cuda/device/emu/Math.h"

namespace device = sluice::device;
using namespace sluice::test;

namespace {

const std::vector<float> &hardFloats() {
  static const std::vector<float> values = [] {
    std::vector<float> all;
    for (uint32_t bits :
         {0u, 1u, 0x7fffffu, 0x800000u, 0x3f800000u, 0x3f800001u, 0x40490fdbu, 0x4b7fffffu, 0x7f7fffffu,
          0x7f800000u, 0x7f800001u, 0x7fc00000u, 0x7fffffffu, 0x00ffffffu, 0x3effffffu, 0x2f000000u})
      for (uint32_t sign : {0u, 0x80000000u})
        all.push_back(floatOf(bits | sign));
    return all;
  }();
  return values;
}

const std::vector<int64_t> &hardIntegers() {
  static const std::vector<int64_t> values = {0,
                                              1,
                                              2,
                                              3,
                                              7,
                                              31,
                                              32,
                                              33,
                                              1000,
                                              65535,
                                              65536,
                                              0x7ffffffe,
                                              0x7fffffff,
                                              0x80000000ll,
                                              0xffffffffll,
                                              0x100000000ll,
                                              -1,
                                              -2,
                                              -3,
                                              -7,
                                              -1000,
                                              -0x7fffffffll,
                                              -0x80000000ll,
                                              0x7fffffffffffffffll,
                                              -0x7fffffffffffffffll,
                                              std::numeric_limits<int64_t>::min()};
  return values;
}

constexpr uint32_t canonicalNaN = 0x7fffffff;

/// By the table of PTX: a NaN loses, two NaNs give the canonical one, -0 is below +0.
float expectedExtreme(float a, float b, bool wantLarger) {
  if (std::isnan(a) && std::isnan(b))
    return floatOf(canonicalNaN);
  if (std::isnan(a) || std::isnan(b))
    return std::isnan(a) ? b : a;
  if (a == 0 && b == 0)
    return wantLarger == std::signbit(a) ? b : a;
  return (a < b) == wantLarger ? b : a;
}

TEST(Arithmetic, MinimumAndMaximum) {
  for (float a : hardFloats())
    for (float b : hardFloats()) {
      EXPECT_EQ(bitsOf(device::minimum(a, b)), bitsOf(expectedExtreme(a, b, false))) << a << " " << b;
      EXPECT_EQ(bitsOf(device::maximum(a, b)), bitsOf(expectedExtreme(a, b, true))) << a << " " << b;
    }
}

void expectRounded(float got, float expected) {
  EXPECT_EQ(bitsOf(got), std::isnan(expected) ? canonicalNaN : bitsOf(expected));
}

TEST(Arithmetic, FmaAndDivisionRoundOnce) {
  for (float a : hardFloats())
    for (float b : hardFloats()) {
      expectRounded(device::divideRounded(a, b), a / b);
      for (float c : hardFloats())
        expectRounded(device::multiplyAdd(a, b, c), std::fma(a, b, c));
    }
  // A product that rounds before the sum loses this bit.
  EXPECT_EQ(device::multiplyAdd(1 + 0x1p-12f, 1 + 0x1p-12f, -1 - 0x1p-11f), 0x1p-24f);
}

TEST(Arithmetic, SquareRootOfManyFloats) {
  sweep(97, [](uint32_t bits) {
    float value = floatOf(bits), got = device::sqrtRounded(value);
    if (std::isnan(value) || value < 0)
      return bitsOf(got) != canonicalNaN;
    if (value == 0 || std::isinf(value))
      return bitsOf(got) != bits;
    // The square of the middle between a float32 and its neighbour needs 50 bits: exact in float64.
    double up = (static_cast<double>(got) + std::nextafter(got, INFINITY)) / 2;
    double down = (static_cast<double>(got) + std::nextafter(got, 0.0f)) / 2;
    return up * up < value || down * down > value;
  });
}

TEST(Arithmetic, DivisionOfIntegers) {
  using Wide = __int128;
  auto check = [](auto a, auto b) {
    using T = decltype(a);
    T quotient = device::divide(a, b), rest = device::remainder(a, b);
    if (b == 0) {
      EXPECT_EQ(quotient, static_cast<T>(-1));
      EXPECT_EQ(rest, static_cast<T>(-1));
      return;
    }
    // Only the smallest integer by -1 does not fit, and wraps.
    EXPECT_EQ(quotient, static_cast<T>(static_cast<Wide>(a) / static_cast<Wide>(b))) << a << " " << b;
    EXPECT_EQ(rest, static_cast<T>(static_cast<Wide>(a) % static_cast<Wide>(b))) << a << " " << b;
  };
  for (int64_t a : hardIntegers())
    for (int64_t b : hardIntegers()) {
      check(static_cast<device::i64>(a), static_cast<device::i64>(b));
      check(static_cast<device::i32>(a), static_cast<device::i32>(b));
      check(static_cast<device::u32>(a), static_cast<device::u32>(b));
    }
}

TEST(Arithmetic, ShiftsClamp) {
  for (int64_t value : hardIntegers())
    for (uint32_t places = 0; places < 70; ++places) {
      // In 64 bits and by halves nothing is clamped.
      uint64_t bits = static_cast<uint32_t>(value), left = bits, right = bits;
      int64_t arithmetic = static_cast<int32_t>(value);
      for (uint32_t i = 0; i < places; ++i) {
        left = left * 2 & 0xffffffff;
        right /= 2;
        arithmetic = arithmetic < 0 ? (arithmetic - 1) / 2 : arithmetic / 2;
      }
      EXPECT_EQ(device::shiftLeft(static_cast<device::u32>(value), places), left);
      EXPECT_EQ(device::shiftRight(static_cast<device::u32>(value), places), right);
      EXPECT_EQ(device::shiftRightSigned(static_cast<device::i32>(value), places), arithmetic) << value;
    }
  EXPECT_EQ(device::shiftLeft(1, 0xffffffffu), 0u);
  EXPECT_EQ(device::shiftRightSigned(-5, 0xffffffffu), -1);
}

} // namespace
