// References for the numerics tests, written without bit tricks, and sweeps over all float32 values on all
// cores.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

namespace sluice::test {

inline float floatOf(uint32_t bits) { return std::bit_cast<float>(bits); }
inline uint32_t bitsOf(float value) { return std::bit_cast<uint32_t>(value); }

/// Calls `differs(bits)` for every `stride`-th of the 2^32 patterns, and for those near every boundary of
/// exponents; expects false of all.
template <class Differs> void sweep(uint32_t stride, Differs &&differs) {
  constexpr uint64_t all = uint64_t{1} << 32, chunk = 1 << 16;
  std::atomic<uint64_t> next{0}, wrong{0}, example{0};
  // A plain loop over a chunk is one that the compiler can vectorise.
  auto visit = [&](uint64_t begin, uint64_t end, uint32_t step) {
    uint32_t count = 0;
    for (uint64_t bits = begin; bits < end; bits += step)
      count += differs(static_cast<uint32_t>(bits));
    for (uint64_t bits = begin; count && bits < end; bits += step)
      if (differs(static_cast<uint32_t>(bits)))
        example = bits;
    wrong += count;
  };
  std::vector<std::thread> threads;
  for (unsigned worker = 0; worker < std::max(1u, std::thread::hardware_concurrency()); ++worker)
    threads.emplace_back([&] {
      for (uint64_t i = next++; i * chunk * stride < all; i = next++)
        visit(i * chunk * stride, std::min(all, (i + 1) * chunk * stride), stride);
    });
  for (std::thread &thread : threads)
    thread.join();
  if (stride > 1)
    for (uint64_t field = 1; field < 512; ++field)
      visit((field << 23) - 256, (field << 23) + 257, 1);
  EXPECT_EQ(wrong, 0u) << "one of them is 0x" << std::hex << example;
}

/// The number of `fractionBits` after the point and exponents from `smallest` to `largest` that is nearest to
/// `value`, ties to even: through float64, which holds every such number and the middle of two. Infinite
/// beyond.
inline double nearest(double value, int fractionBits, int smallest, int largest) {
  if (value == 0 || !std::isfinite(value))
    return value;
  int exponent = std::max(std::ilogb(value), smallest);
  double unit = std::ldexp(1.0, exponent - fractionBits);
  double rounded = std::nearbyint(value / unit) * unit;
  return std::fabs(rounded) >= std::ldexp(1.0, largest + 1) ? std::copysign(INFINITY, value) : rounded;
}

/// The value of an IEEE-like pattern of 16 bits.
inline double valueOf16(uint16_t bits, int fractionBits) {
  int exponentBits = 15 - fractionBits, bias = (1 << (exponentBits - 1)) - 1;
  int field = bits >> fractionBits & ((1 << exponentBits) - 1);
  double fraction = bits & ((1 << fractionBits) - 1), sign = bits >> 15 ? -1 : 1;
  if (field == (1 << exponentBits) - 1)
    return fraction ? NAN : sign * INFINITY;
  double significand = std::ldexp(fraction, -fractionBits) + (field ? 1 : 0);
  return sign * std::ldexp(significand, std::max(field, 1) - bias);
}

} // namespace sluice::test
