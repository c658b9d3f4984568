// The conversions of emu/Math.h against those of CUTLASS's headers, which have the hardware's rounding in
// plain C++: all float32 patterns, and all of the 16-bit types.
#include "Reference.h"

#include "codegen/cuda/device/emu/Math.h"

#include <cutlass/numeric_types.h>

namespace device = sluice::device;
using namespace sluice::test;

namespace {

TEST(Cutlass, Bf16) {
  sweep(1, [](uint32_t bits) {
    float value = floatOf(bits);
    return device::toBf16(value).bits != cutlass::bfloat16_t(value).raw();
  });
}

TEST(Cutlass, F16AndSaturatedF16) {
  sweep(1, [](uint32_t bits) {
    float value = floatOf(bits);
    uint16_t plain = cutlass::half_t(value).raw();
    uint16_t saturated = (plain & 0x7fff) == 0x7c00 ? plain - 1 : plain;
    return device::toF16(value).bits != plain || device::toF16Saturated(value).bits != saturated;
  });
}

TEST(Cutlass, Tf32) {
  sweep(1, [](uint32_t bits) {
    float value = floatOf(bits);
    // Theirs leaves below what counts whatever is there.
    uint32_t expected = cutlass::tfloat32_t::round_half_ulp_truncate(value).raw() & 0xffffe000;
    return device::toTf32(value).bits != expected;
  });
}

TEST(Cutlass, Widening) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    auto word = static_cast<uint16_t>(bits);
    float wideBf16 = cutlass::bfloat16_t::bitcast(word), wideF16 = cutlass::half_t::bitcast(word);
    EXPECT_EQ(bitsOf(device::toFloat(device::bf16{word})), bitsOf(wideBf16));
    EXPECT_EQ(bitsOf(device::toFloat(device::f16{word})), std::isnan(wideF16) ? 0x7fffffff : bitsOf(wideF16))
        << bits;
  }
}

} // namespace
