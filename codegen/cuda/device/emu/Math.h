// Conversions, integer division and shifts, and functions of one thread: the emulator's side. Nothing here waits or
// touches memory. Everything but the ...Approx functions gives the bits that the hardware gives; where
// PTX leaves a result open, the instructions that ptxas 13.0 emits for sm_80 and sm_90a decide.
//
// Every NaN that a function here makes is 0x7fffffff (0x7fff in 16 bits), as on the hardware. The operators + - * on
// floats are the host's: their NaNs have other bits.
#pragma once

#include "codegen/cuda/device/Types.h"
#include "codegen/cuda/device/emu/AbiMath.h"

namespace sluice::device {

SLUICE_DEVICE u32 bitsOf(f32 value) { return __builtin_bit_cast(u32, value); }
SLUICE_DEVICE f32 floatOf(u32 bits) { return __builtin_bit_cast(f32, bits); }

namespace detail {
SLUICE_DEVICE bool isNaN(f32 value) { return value != value; }
SLUICE_DEVICE f32 canonical(f32 value) { return isNaN(value) ? floatOf(0x7fffffffu) : value; }

constexpr u32 f16Infinity = 0x7c00, f16Largest = 0x7bff;

/// Rounds to nearest even; `beyond` is the result for what would round beyond the largest f16.
SLUICE_DEVICE u16 roundToF16(f32 value, u32 beyond) {
  u32 bits = bitsOf(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)
    return 0x7fff;
  if (magnitude >= 0x477ff000) // 65520, half way from the largest to 2^16.
    return static_cast<u16>(sign | beyond);
  if (magnitude >= 0x38800000) { // 2^-14: the result is normal; the exponents' biases differ by 112.
    u32 rounded = magnitude - (112u << 23) + 0xfff + (magnitude >> 13 & 1);
    return static_cast<u16>(sign | rounded >> 13);
  }
  if (magnitude <= 0x33000000) // 2^-25, half of the smallest, ties to zero.
    return static_cast<u16>(sign);
  // The result counts units of 2^-24, the input units of 2^(exponent - 150).
  u32 significand = (magnitude & 0x7fffff) | 0x800000, drop = 126 - (magnitude >> 23);
  u32 rounded = significand + (1u << (drop - 1)) - 1 + (significand >> drop & 1);
  return static_cast<u16>(sign | rounded >> drop);
}

/// By zero all bits are set, as on the hardware; the smallest integer divided by -1 is itself, and nothing remains.
/// PTX promises neither, so both are reported.
template <class T> SLUICE_DEVICE bool isOpen(T dividend, T divisor) {
  constexpr bool isSigned = T(-1) < T(0);
  constexpr T smallest = isSigned ? static_cast<T>(1ull << (8 * sizeof(T) - 1)) : 0;
  return divisor == 0 || (isSigned && divisor == static_cast<T>(-1) && dividend == smallest);
}
template <class T> SLUICE_DEVICE T quotient(T dividend, T divisor, Site site) {
  if (__builtin_expect(!isOpen(dividend, divisor), 1))
    return dividend / divisor;
  sluiceEmuOpenDivision("divide", static_cast<i64>(dividend), static_cast<i64>(divisor), site);
  return divisor == 0 ? static_cast<T>(-1) : dividend;
}
template <class T> SLUICE_DEVICE T rest(T dividend, T divisor, Site site) {
  if (__builtin_expect(!isOpen(dividend, divisor), 1))
    return dividend % divisor;
  sluiceEmuOpenDivision("remainder", static_cast<i64>(dividend), static_cast<i64>(divisor), site);
  return divisor == 0 ? static_cast<T>(-1) : 0;
}
} // namespace detail

//===--- Conversions ----------------------------------------------------------------------------------------------===//

/// cvt.rn.bf16.f32: to nearest, ties to even.
SLUICE_DEVICE bf16 toBf16(f32 value) {
  u32 bits = bitsOf(value);
  u32 rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return {static_cast<u16>(detail::isNaN(value) ? 0x7fff : rounded)};
}
/// cvt.rn.f16.f32: to nearest, ties to even; from 65520 on infinite.
SLUICE_DEVICE f16 toF16(f32 value) { return {detail::roundToF16(value, detail::f16Infinity)}; }
/// cvt.rn.satfinite.f16.f32: beyond 65504, infinities included, 65504 of that sign. A NaN stays one.
SLUICE_DEVICE f16 toF16Saturated(f32 value) { return {detail::roundToF16(value, detail::f16Largest)}; }
/// cvt.rna.tf32.f32: to nearest, ties away from zero. Infinities and NaNs lose their low 13 bits and nothing else, so
/// a NaN with no higher bits becomes an infinity.
SLUICE_DEVICE tf32 toTf32(f32 value) {
  u32 bits = bitsOf(value);
  bool isFinite = (bits & 0x7f800000) != 0x7f800000;
  return {(bits + (isFinite ? 0x1000 : 0)) & 0xffffe000u};
}

/// Exact, NaNs bit for bit.
SLUICE_DEVICE f32 toFloat(bf16 value) { return floatOf(static_cast<u32>(value.bits) << 16); }
/// Exact.
SLUICE_DEVICE f32 toFloat(f16 value) {
  u32 sign = static_cast<u32>(value.bits & 0x8000) << 16, magnitude = value.bits & 0x7fff;
  if (magnitude > detail::f16Infinity)
    return floatOf(0x7fffffffu);
  if (magnitude == detail::f16Infinity)
    return floatOf(sign | 0x7f800000);
  if (magnitude < 0x400) // Subnormal: units of 2^-24.
    return floatOf(sign | bitsOf(static_cast<f32>(magnitude) * 0x1p-24f));
  return floatOf(sign | ((magnitude << 13) + (112u << 23)));
}
SLUICE_DEVICE f32 toFloat(tf32 value) { return floatOf(value.bits); }
/// cvt.rn.f32.s32 and .u32: to nearest, ties to even.
SLUICE_DEVICE f32 toFloat(i32 value) { return static_cast<f32>(value); }
SLUICE_DEVICE f32 toFloat(u32 value) { return static_cast<f32>(value); }

/// Two 16-bit numbers in a register, the first in the low half.
SLUICE_DEVICE u32 packBf16(f32 low, f32 high) {
  return toBf16(low).bits | static_cast<u32>(toBf16(high).bits) << 16;
}
SLUICE_DEVICE u32 packF16(f32 low, f32 high) { return toF16(low).bits | static_cast<u32>(toF16(high).bits) << 16; }
SLUICE_DEVICE u32 packF16Saturated(f32 low, f32 high) {
  return toF16Saturated(low).bits | static_cast<u32>(toF16Saturated(high).bits) << 16;
}
SLUICE_DEVICE f32 unpackLowBf16(u32 pair) { return floatOf(pair << 16); }
SLUICE_DEVICE f32 unpackHighBf16(u32 pair) { return floatOf(pair & 0xffff0000u); }
SLUICE_DEVICE f32 unpackLowF16(u32 pair) { return toFloat(f16{static_cast<u16>(pair)}); }
SLUICE_DEVICE f32 unpackHighF16(u32 pair) { return toFloat(f16{static_cast<u16>(pair >> 16)}); }

/// cvt.rzi.s32.f32: cuts towards zero, saturates, 0 for a NaN.
SLUICE_DEVICE i32 toIntegerTowardZero(f32 value) {
  if (detail::isNaN(value))
    return 0;
  if (value >= 0x1p31f)
    return 0x7fffffff;
  if (value <= -0x1p31f)
    return -0x7fffffff - 1;
  return static_cast<i32>(value);
}
/// cvt.rni.s32.f32: to nearest, ties to even, saturates, 0 for a NaN.
SLUICE_DEVICE i32 toIntegerNearest(f32 value) {
  f32 magnitude = value < 0 ? -value : value;
  if (magnitude < 0x1p23f) { // Adding 2^23 leaves no bits for the fraction.
    f32 rounded = (magnitude + 0x1p23f) - 0x1p23f;
    return static_cast<i32>(value < 0 ? -rounded : rounded);
  }
  return toIntegerTowardZero(value);
}

//===--- Integers -------------------------------------------------------------------------------------------------===//

/// div: cuts towards zero. By zero, and of the smallest integer by -1, it is reported.
SLUICE_DEVICE i32 divide(i32 dividend, i32 divisor, Site site = Site::current()) {
  return detail::quotient(dividend, divisor, site);
}
SLUICE_DEVICE u32 divide(u32 dividend, u32 divisor, Site site = Site::current()) {
  return detail::quotient(dividend, divisor, site);
}
SLUICE_DEVICE i64 divide(i64 dividend, i64 divisor, Site site = Site::current()) {
  return detail::quotient(dividend, divisor, site);
}
/// rem: has the sign of the dividend. By zero, and of the smallest integer by -1, it is reported.
SLUICE_DEVICE i32 remainder(i32 dividend, i32 divisor, Site site = Site::current()) {
  return detail::rest(dividend, divisor, site);
}
SLUICE_DEVICE u32 remainder(u32 dividend, u32 divisor, Site site = Site::current()) {
  return detail::rest(dividend, divisor, site);
}
SLUICE_DEVICE i64 remainder(i64 dividend, i64 divisor, Site site = Site::current()) {
  return detail::rest(dividend, divisor, site);
}
/// shl.b32, shr.u32, shr.s32: from 32 places on, nothing (or the sign) is left.
SLUICE_DEVICE u32 shiftLeft(u32 value, u32 places) { return places > 31 ? 0 : value << places; }
SLUICE_DEVICE u32 shiftRight(u32 value, u32 places) { return places > 31 ? 0 : value >> places; }
SLUICE_DEVICE i32 shiftRightSigned(i32 value, u32 places) { return value >> (places > 31 ? 31 : places); }
// A 64-bit value does not fit: by constants the operators shift it.
template <class T>
  requires(sizeof(T) == 8)
u32 shiftLeft(T value, u32 by) = delete;
template <class T>
  requires(sizeof(T) == 8)
u32 shiftRight(T value, u32 by) = delete;
template <class T>
  requires(sizeof(T) == 8)
i32 shiftRightSigned(T value, u32 by) = delete;

//===--- Rounded functions ----------------------------------------------------------------------------------------===//

/// fma.rn.f32: a b + c, rounded once.
SLUICE_DEVICE f32 multiplyAdd(f32 a, f32 b, f32 c) { return detail::canonical(__builtin_fmaf(a, b, c)); }
/// min.f32: the other one if one is a NaN; -0 is below +0.
SLUICE_DEVICE f32 minimum(f32 a, f32 b) {
  if (a == b)
    return floatOf(bitsOf(a) | bitsOf(b));
  return detail::isNaN(a) ? detail::canonical(b) : detail::isNaN(b) || a < b ? a : b;
}
/// max.f32: the other one if one is a NaN; +0 is above -0.
SLUICE_DEVICE f32 maximum(f32 a, f32 b) {
  if (a == b)
    return floatOf(bitsOf(a) & bitsOf(b));
  return detail::isNaN(a) ? detail::canonical(b) : detail::isNaN(b) || a > b ? a : b;
}
/// sqrt.rn.f32.
SLUICE_DEVICE f32 sqrtRounded(f32 value) {
  return value < 0 ? floatOf(0x7fffffffu) : detail::canonical(__builtin_sqrtf(value));
}
/// div.rn.f32.
SLUICE_DEVICE f32 divideRounded(f32 dividend, f32 divisor) { return detail::canonical(dividend / divisor); }

//===--- Approximate functions ------------------------------------------------------------------------------------===//
// Both sides are within the error that PTX states, and agree in the special cases; their bits differ. All but
// tanhApprox take subnormals for zeros of their sign and return zeros of the result's sign for subnormals.

/// ex2.approx.ftz.f32: 2^value, relative error 2^-22. -inf gives +0, +inf +inf.
SLUICE_DEVICE f32 exp2Approx(f32 value) { return sluiceEmuExp2(value); }
/// lg2.approx.ftz.f32: absolute error 2^-22 between 0.5 and 2, elsewhere relative error 2^-22. Zeros give -inf, below
/// zero NaN.
SLUICE_DEVICE f32 log2Approx(f32 value) { return sluiceEmuLog2(value); }
/// rcp.approx.ftz.f32: 1 / value, relative error 2^-23. Zeros give infinities of their sign and back.
SLUICE_DEVICE f32 reciprocalApprox(f32 value) { return sluiceEmuReciprocal(value); }
/// rsqrt.approx.ftz.f32: relative error 2^-22.4. Zeros give infinities of their sign, below zero NaN, +inf +0.
SLUICE_DEVICE f32 rsqrtApprox(f32 value) { return sluiceEmuRsqrt(value); }
/// sqrt.approx.ftz.f32: relative error 2^-23. Zeros stay, below zero NaN.
SLUICE_DEVICE f32 sqrtApprox(f32 value) { return sluiceEmuSqrt(value); }
/// tanh.approx.f32: relative error 2^-11. Zeros and subnormals stay, infinities give -1 and 1.
SLUICE_DEVICE f32 tanhApprox(f32 value) { return sluiceEmuTanh(value); }

} // namespace sluice::device
