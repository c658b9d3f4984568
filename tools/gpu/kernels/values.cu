// Probes of what one thread computes: conversions, integers, rounded and approximate functions.
#include "Device.h"
#include "Words.h"

/// 2 words in, 15 out.
SLUICE_KERNEL(conversions, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  const u32 bits = words.get(), otherBits = words.get();
  const f32 value = floatOf(bits), other = floatOf(otherBits);
  words.put(u32(toBf16(value).bits));
  words.put(u32(toF16(value).bits));
  words.put(u32(toF16Saturated(value).bits));
  words.put(toTf32(value).bits);
  words.put(packBf16(value, other));
  words.put(packF16(value, other));
  words.put(packF16Saturated(value, other));
  words.put(unpackLowBf16(bits));
  words.put(unpackHighBf16(bits));
  words.put(unpackLowF16(bits));
  words.put(unpackHighF16(bits));
  words.put(toIntegerTowardZero(value));
  words.put(toIntegerNearest(value));
  words.put(toFloat(i32(bits)));
  words.put(toFloat(bits));
}
SLUICE_EXPORT(conversions)

/// 1 word in, 3 out: every 16-bit pattern and some tf32.
SLUICE_KERNEL(widening, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  const u32 bits = words.get();
  words.put(toFloat(bf16{u16(bits)}));
  words.put(toFloat(f16{u16(bits)}));
  words.put(toFloat(tf32{bits & 0xffffe000u}));
}
SLUICE_EXPORT(widening)

/// 4 words in, 17 out. Divisors are never 0 nor -1.
SLUICE_KERNEL(integers, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  const u32 a = words.get(), b = words.get() | 2u, c = words.get(), d = words.get();
  const u32 divisor = (b & 0x7fffffffu) | 2u;
  const i64 wide = i64(u64(a) << 32 | c), wideDivisor = i64((u64(d) << 32 | b) & 0x7fffffffffffffffull);
  words.put(divide(a, b));
  words.put(remainder(a, b));
  words.put(divide(i32(a), i32(divisor)));
  words.put(remainder(i32(a), i32(divisor)));
  const i64 quotient = divide(wide, wideDivisor), rest = remainder(wide, wideDivisor);
  words.put(u32(quotient));
  words.put(u32(u64(quotient) >> 32));
  words.put(u32(rest));
  words.put(u32(u64(rest) >> 32));
  words.put(shiftLeft(a, c % 40));
  words.put(shiftRight(a, c % 40));
  words.put(shiftRightSigned(i32(a), c % 40));
  words.put(shiftLeft(a, c));
  words.put(shiftRight(a, c));
  words.put(opaque(a));
  words.put(u32(u64(opaque(wide)) >> 32));
  words.put(opaque(i32(b)));
  words.put(opaque(floatOf(c)));
}
SLUICE_EXPORT(integers)

/// 3 words in, 8 out: rounded once, so equal bit for bit.
SLUICE_KERNEL(rounded, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  const f32 a = words.getFloat(), b = words.getFloat(), c = words.getFloat();
  words.put(multiplyAdd(a, b, c));
  words.put(minimum(a, b));
  words.put(maximum(a, b));
  words.put(sqrtRounded(a));
  words.put(divideRounded(a, b));
  words.put(a + b);
  words.put(a * b);
  words.put(a - c);
}
SLUICE_EXPORT(rounded)

/// 1 word in, 1 out; the exponential made of fma only.
SLUICE_KERNEL(exponential, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  words.put(exp2Fma(words.getFloat()));
}
SLUICE_EXPORT(exponential)

/// 1 word in, 6 out: within stated bounds of the exact result.
SLUICE_KERNEL(approximations, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  const f32 value = words.getFloat();
  words.put(exp2Approx(value));
  words.put(log2Approx(value));
  words.put(reciprocalApprox(value));
  words.put(rsqrtApprox(value));
  words.put(sqrtApprox(value));
  words.put(tanhApprox(value));
}
SLUICE_EXPORT(approximations)
