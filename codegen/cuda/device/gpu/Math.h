// Conversions, integer operations and functions with stated rounding or error: the GPU's side. Thread, pure. Whatever
// C++ leaves to the implementation (conversion of a float to an integer, shifts by a variable, contraction) is here.
#pragma once

#include "Kernel.h"

namespace sluice::device {

// Bits.

SLUICE_DEVICE u32 bitsOf(f32 value) { return __float_as_uint(value); }
SLUICE_DEVICE f32 floatOf(u32 bits) { return __uint_as_float(bits); }

// To 16 bits and to tf32: to nearest, ties to even, subnormals kept, in 16 bits any NaN becomes 0x7fff.

/// cvt.rn.bf16.f32.
SLUICE_DEVICE bf16 toBf16(f32 value) {
  bf16 result;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
  return result;
}
/// From 65520 on infinity. cvt.rn.f16.f32.
SLUICE_DEVICE f16 toF16(f32 value) {
  f16 result;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
  return result;
}
namespace detail {
/// Within the finite range of f16; a NaN stays one, which min and max without .NaN would lose.
SLUICE_DEVICE f32 clampToF16(f32 value) {
  f32 clamped;
  asm("{\n.reg .f32 t;\nmin.NaN.f32 t, %1, 0f477FE000;\nmax.NaN.f32 %0, t, 0fC77FE000;\n}"
      : "=f"(clamped) : "f"(value));
  return clamped;
}
} // namespace detail
/// Beyond 65504, and at infinity, 65504 with the sign.
SLUICE_DEVICE f16 toF16Saturated(f32 value) { return toF16(detail::clampToF16(value)); }
/// To 10 fraction bits, ties away from zero. Infinities and NaNs lose their low 13 bits and nothing else, so a NaN with
/// no higher bits becomes an infinity. cvt.rna.tf32.f32.
SLUICE_DEVICE tf32 toTf32(f32 value) {
  tf32 result;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(result.bits) : "f"(value));
  return result;
}

/// Two of them in 32 bits, the first in the low half. cvt.rn.bf16x2.f32.
SLUICE_DEVICE u32 packBf16(f32 low, f32 high) {
  u32 result;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
  return result;
}
/// cvt.rn.f16x2.f32.
SLUICE_DEVICE u32 packF16(f32 low, f32 high) {
  u32 result;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
  return result;
}
SLUICE_DEVICE u32 packF16Saturated(f32 low, f32 high) {
  return packF16(detail::clampToF16(low), detail::clampToF16(high));
}

// From 16 bits and integers; exact but for 32-bit integers, which round to nearest even.

SLUICE_DEVICE f32 toFloat(bf16 value) { return __uint_as_float(u32(value.bits) << 16); }
/// cvt.f32.f16.
SLUICE_DEVICE f32 toFloat(f16 value) {
  f32 result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
  return result;
}
SLUICE_DEVICE f32 toFloat(tf32 value) { return __uint_as_float(value.bits); }
/// cvt.rn.f32.s32.
SLUICE_DEVICE f32 toFloat(i32 value) { return __int2float_rn(value); }
/// cvt.rn.f32.u32.
SLUICE_DEVICE f32 toFloat(u32 value) { return __uint2float_rn(value); }
SLUICE_DEVICE f32 unpackLowBf16(u32 pair) { return __uint_as_float(pair << 16); }
SLUICE_DEVICE f32 unpackHighBf16(u32 pair) { return __uint_as_float(pair & 0xffff0000u); }
SLUICE_DEVICE f32 unpackLowF16(u32 pair) { return toFloat(f16{u16(pair)}); }
SLUICE_DEVICE f32 unpackHighF16(u32 pair) { return toFloat(f16{u16(pair >> 16)}); }

// To integers: saturated, a NaN becomes 0.

/// cvt.rzi.s32.f32.
SLUICE_DEVICE i32 toIntegerTowardZero(f32 value) {
  i32 result;
  asm("cvt.rzi.s32.f32 %0, %1;" : "=r"(result) : "f"(value));
  return result;
}
/// Ties to even. cvt.rni.s32.f32.
SLUICE_DEVICE i32 toIntegerNearest(f32 value) {
  i32 result;
  asm("cvt.rni.s32.f32 %0, %1;" : "=r"(result) : "f"(value));
  return result;
}

// Integers. Division truncates; by zero, and of the lowest value by -1, it is undefined (the emulator reports it).

SLUICE_DEVICE i32 divide(i32 a, i32 b) { return a / b; }
SLUICE_DEVICE u32 divide(u32 a, u32 b) { return a / b; }
SLUICE_DEVICE i64 divide(i64 a, i64 b) { return a / b; }
SLUICE_DEVICE i32 remainder(i32 a, i32 b) { return a % b; }
SLUICE_DEVICE u32 remainder(u32 a, u32 b) { return a % b; }
SLUICE_DEVICE i64 remainder(i64 a, i64 b) { return a % b; }

// Shifts by more than 31 count as by 32: nothing of the value is left but, of a signed one, its sign.

/// shl.b32.
SLUICE_DEVICE u32 shiftLeft(u32 value, u32 by) {
  u32 result;
  asm("shl.b32 %0, %1, %2;" : "=r"(result) : "r"(value), "r"(by));
  return result;
}
/// shr.u32.
SLUICE_DEVICE u32 shiftRight(u32 value, u32 by) {
  u32 result;
  asm("shr.u32 %0, %1, %2;" : "=r"(result) : "r"(value), "r"(by));
  return result;
}
/// shr.s32.
SLUICE_DEVICE i32 shiftRightSigned(i32 value, u32 by) {
  i32 result;
  asm("shr.s32 %0, %1, %2;" : "=r"(result) : "r"(value), "r"(by));
  return result;
}
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

// Floats, rounded once. Of a NaN and a number, minimum and maximum give the number; -0 < +0.

/// a b + c. fma.rn.f32.
SLUICE_DEVICE f32 multiplyAdd(f32 a, f32 b, f32 c) { return __fmaf_rn(a, b, c); }
/// min.f32.
SLUICE_DEVICE f32 minimum(f32 a, f32 b) {
  f32 result;
  asm("min.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
  return result;
}
/// max.f32.
SLUICE_DEVICE f32 maximum(f32 a, f32 b) {
  f32 result;
  asm("max.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
  return result;
}
/// sqrt.rn.f32.
SLUICE_DEVICE f32 sqrtRounded(f32 value) { return __fsqrt_rn(value); }
/// div.rn.f32.
SLUICE_DEVICE f32 divideRounded(f32 a, f32 b) { return __fdiv_rn(a, b); }

// Approximations: the bound is on the relative error unless it says absolute. Subnormal arguments and results count as
// zero. The emulator's results lie within the same bounds but differ in bits.

#define SLUICE_APPROXIMATION(name, instruction)                                                               \
  SLUICE_DEVICE f32 name(f32 value) {                                                                         \
    f32 result;                                                                                               \
    asm(instruction " %0, %1;" : "=f"(result) : "f"(value));                                                  \
    return result;                                                                                            \
  }
/// 2^value, 2^-22.
SLUICE_APPROXIMATION(exp2Approx, "ex2.approx.ftz.f32")
/// Absolute 2^-22 for values from 0.5 to 2, relative 2^-22 elsewhere.
SLUICE_APPROXIMATION(log2Approx, "lg2.approx.ftz.f32")
/// 1 ulp, 2^-23.
SLUICE_APPROXIMATION(reciprocalApprox, "rcp.approx.ftz.f32")
/// 2^-22.4.
SLUICE_APPROXIMATION(rsqrtApprox, "rsqrt.approx.ftz.f32")
/// 2^-23.
SLUICE_APPROXIMATION(sqrtApprox, "sqrt.approx.ftz.f32")
/// 2^-11; subnormals are kept.
SLUICE_APPROXIMATION(tanhApprox, "tanh.approx.f32")
#undef SLUICE_APPROXIMATION

} // namespace sluice::device
