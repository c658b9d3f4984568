// The approximate functions of the device headers: the true value rounded once or nearly so, with the special
// cases of PTX. The relative error is at most 2^-23 (half of what PTX allows most of them; the hardware's own
// errors are others).
#include "codegen/cuda/device/emu/AbiMath.h"

#include <bit>
#include <cmath>
#include <cstdint>

namespace {

/// Subnormals become zeros of their sign.
float flush(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  return bits & 0x7f800000 ? value : std::bit_cast<float>(bits & 0x80000000);
}

float result(double value) {
  return value != value ? std::bit_cast<float>(0x7fffffffu) : static_cast<float>(value);
}

} // namespace

extern "C" {

float sluiceEmuExp2(float value) { return flush(result(std::exp2(static_cast<double>(flush(value))))); }

float sluiceEmuLog2(float value) { return result(std::log2(static_cast<double>(flush(value)))); }

float sluiceEmuReciprocal(float value) { return flush(result(1.0 / static_cast<double>(flush(value)))); }

float sluiceEmuRsqrt(float value) { return result(1.0 / std::sqrt(static_cast<double>(flush(value)))); }

float sluiceEmuSqrt(float value) { return result(std::sqrt(static_cast<double>(flush(value)))); }

float sluiceEmuTanh(float value) { return result(std::tanh(static_cast<double>(value))); }
}
