// The approximate functions of emu/Math.h: within half of the error that PTX states for the hardware, over
// all exponents, against the functions of long double; and PTX's special cases, bit for bit.
#include "Reference.h"

#include "codegen/cuda/device/emu/Math.h"

namespace device = sluice::device;
using namespace sluice::test;

namespace {

/// Subnormals count as zeros of their sign.
float flushed(float value) {
  return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value;
}

using Exact = long double (*)(long double);

/// Compares over a stride of all floats. What is not a normal number must agree in its bits.
void expectNear(float (*function)(float), Exact exact, bool flushes, long double bound) {
  sweep(997, [=](uint32_t bits) {
    float input = floatOf(bits), got = function(input);
    long double truth = exact(flushes ? flushed(input) : input);
    if (std::isnan(truth))
      return bitsOf(got) != 0x7fffffff;
    float rounded = static_cast<float>(truth);
    if (flushes)
      rounded = flushed(rounded);
    if (rounded == 0 || std::isinf(rounded))
      return bitsOf(got) != bitsOf(rounded) && std::fabs(got) != std::numeric_limits<float>::min();
    // One unit of a subnormal may be more than the relative bound.
    long double allowed =
        std::fmax(bound * std::fabs(truth), std::fabs(truth) < 0x1p-126L ? 0x1p-149L : 0.0L);
    return !(std::fabs(got - truth) <= allowed);
  });
}

TEST(Approximations, Exp2) { expectNear(device::exp2Approx, std::exp2, true, 0x1p-23L); }
TEST(Approximations, Log2) { expectNear(device::log2Approx, std::log2, true, 0x1p-23L); }
TEST(Approximations, Reciprocal) {
  expectNear(device::reciprocalApprox, [](long double x) { return 1 / x; }, true, 0x1p-24L);
}
TEST(Approximations, Rsqrt) {
  expectNear(device::rsqrtApprox, [](long double x) { return 1 / std::sqrt(x); }, true, 0x1p-23L);
}
TEST(Approximations, Sqrt) { expectNear(device::sqrtApprox, std::sqrt, true, 0x1p-24L); }
TEST(Approximations, Tanh) { expectNear(device::tanhApprox, std::tanh, false, 0x1p-12L); }

struct Special {
  float (*function)(float);
  float input, expected;
};

TEST(Approximations, SpecialCasesOfPtx) {
  const float infinity = INFINITY, small = 0x1p-130f, nan = floatOf(0x7fffffff);
  const Special cases[] = {
      {device::exp2Approx, -infinity, 0.0f},       {device::exp2Approx, infinity, infinity},
      {device::exp2Approx, -small, 1.0f},          {device::exp2Approx, small, 1.0f},
      {device::exp2Approx, -0.0f, 1.0f},           {device::exp2Approx, -127.5f, 0.0f},
      {device::exp2Approx, -126.0f, 0x1p-126f},    {device::exp2Approx, 128.0f, infinity},
      {device::log2Approx, -infinity, nan},        {device::log2Approx, -1.0f, nan},
      {device::log2Approx, -small, -infinity},     {device::log2Approx, small, -infinity},
      {device::log2Approx, 0.0f, -infinity},       {device::log2Approx, -0.0f, -infinity},
      {device::log2Approx, infinity, infinity},    {device::log2Approx, 1.0f, 0.0f},
      {device::reciprocalApprox, -infinity, -0.0f}, {device::reciprocalApprox, infinity, 0.0f},
      {device::reciprocalApprox, small, infinity}, {device::reciprocalApprox, -small, -infinity},
      {device::reciprocalApprox, -0.0f, -infinity}, {device::reciprocalApprox, 0.0f, infinity},
      {device::reciprocalApprox, 0x1p127f, 0.0f},  {device::reciprocalApprox, -0x1p127f, -0.0f},
      {device::rsqrtApprox, -infinity, nan},       {device::rsqrtApprox, -1.0f, nan},
      {device::rsqrtApprox, -small, -infinity},    {device::rsqrtApprox, small, infinity},
      {device::rsqrtApprox, -0.0f, -infinity},     {device::rsqrtApprox, 0.0f, infinity},
      {device::rsqrtApprox, infinity, 0.0f},       {device::sqrtApprox, -infinity, nan},
      {device::sqrtApprox, -1.0f, nan},            {device::sqrtApprox, -small, -0.0f},
      {device::sqrtApprox, small, 0.0f},           {device::sqrtApprox, -0.0f, -0.0f},
      {device::sqrtApprox, infinity, infinity},    {device::tanhApprox, -infinity, -1.0f},
      {device::tanhApprox, infinity, 1.0f},        {device::tanhApprox, small, small},
      {device::tanhApprox, -small, -small},        {device::tanhApprox, -0.0f, -0.0f},
  };
  for (const Special &c : cases) {
    EXPECT_EQ(bitsOf(c.function(c.input)), bitsOf(c.expected)) << &c - cases << ": " << c.input;
    EXPECT_EQ(bitsOf(c.function(nan)), 0x7fffffffu);
    EXPECT_EQ(bitsOf(c.function(floatOf(0xff800001))), 0x7fffffffu);
  }
}

} // namespace
