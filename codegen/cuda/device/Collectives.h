// Reductions and prefix sums of a warp and a block, and an exponential of fma only. One source for both sides, written
// with primitives, so that every result is the same bit for bit on the GPU and on the emulator.
#pragma once

#include "codegen/cuda/device/Types.h"

namespace sluice::device {

// Warp. Butterflies: each lane adds in the same tree, so all lanes hold the same bits. Complete on return.

/// Of f32, u32 or i32.
template <class T> SLUICE_DEVICE T warpSum(T value SLUICE_SITE_PARAMETER) {
  for (u32 mask = 16; mask != 0; mask /= 2)
    value = value + shuffleXor(value, mask SLUICE_SITE);
  return value;
}
/// A NaN loses against a number.
SLUICE_DEVICE f32 warpMax(f32 value SLUICE_SITE_PARAMETER) {
  for (u32 mask = 16; mask != 0; mask /= 2)
    value = maximum(value, shuffleXor(value, mask SLUICE_SITE));
  return value;
}
SLUICE_DEVICE u32 warpMax(u32 value SLUICE_SITE_PARAMETER) {
  for (u32 mask = 16; mask != 0; mask /= 2) {
    u32 other = shuffleXor(value, mask SLUICE_SITE);
    value = other > value ? other : value;
  }
  return value;
}
SLUICE_DEVICE i32 warpMax(i32 value SLUICE_SITE_PARAMETER) {
  for (u32 mask = 16; mask != 0; mask /= 2) {
    i32 other = shuffleXor(value, mask SLUICE_SITE);
    value = other > value ? other : value;
  }
  return value;
}
/// The sum over this lane and those below it.
SLUICE_DEVICE f32 warpInclusiveSum(f32 value SLUICE_SITE_PARAMETER) {
  for (u32 delta = 1; delta < 32; delta *= 2) {
    f32 below = shuffleUp(value, delta SLUICE_SITE);
    value = laneIndex() >= delta ? below + value : value;
  }
  return value;
}

// Block, every thread. `scratch` holds an f32 for each warp; what lay there before has been read by all once the
// primitive's first barrier has passed, and it is free again on return.

/// All threads get the same bits: the warps' sums are added from the lowest warp up.
SLUICE_DEVICE f32 blockSum(f32 value, Shared<f32> scratch SLUICE_SITE_PARAMETER) {
  value = warpSum(value SLUICE_SITE);
  syncThreads(SLUICE_ONLY_SITE);
  storeShared(scratch + i32(warpIndex()), value, laneIndex() == 0 SLUICE_SITE);
  syncThreads(SLUICE_ONLY_SITE);
  f32 sum = loadShared(scratch SLUICE_SITE);
  for (u32 warp = 1; warp < blockThreads() / 32; ++warp)
    sum = sum + loadShared(scratch + i32(warp) SLUICE_SITE);
  syncThreads(SLUICE_ONLY_SITE);
  return sum;
}
SLUICE_DEVICE f32 blockMax(f32 value, Shared<f32> scratch SLUICE_SITE_PARAMETER) {
  value = warpMax(value SLUICE_SITE);
  syncThreads(SLUICE_ONLY_SITE);
  storeShared(scratch + i32(warpIndex()), value, laneIndex() == 0 SLUICE_SITE);
  syncThreads(SLUICE_ONLY_SITE);
  f32 largest = loadShared(scratch SLUICE_SITE);
  for (u32 warp = 1; warp < blockThreads() / 32; ++warp)
    largest = maximum(largest, loadShared(scratch + i32(warp) SLUICE_SITE));
  syncThreads(SLUICE_ONLY_SITE);
  return largest;
}
/// The sum over this thread and those below it.
SLUICE_DEVICE f32 blockInclusiveSum(f32 value, Shared<f32> scratch SLUICE_SITE_PARAMETER) {
  value = warpInclusiveSum(value SLUICE_SITE);
  syncThreads(SLUICE_ONLY_SITE);
  storeShared(scratch + i32(warpIndex()), value, laneIndex() == 31 SLUICE_SITE);
  syncThreads(SLUICE_ONLY_SITE);
  f32 below = 0;
  for (u32 warp = 0; warp < warpIndex(); ++warp)
    below = below + loadShared(scratch + i32(warp) SLUICE_SITE);
  syncThreads(SLUICE_ONLY_SITE);
  return below + value;
}

/// 2^x from fma, products and integer additions, for whoever compares bit for bit. Reduced as Cody and Waite do: the
/// nearest integer n, exactly, and a polynomial of degree 6 on x - n. Error below 1 ulp for normal results; one more
/// rounding for subnormal ones, which are kept. +inf from 128 on, 0 below -150, NaN 0x7fffffff.
SLUICE_DEVICE f32 exp2Fma(f32 x) {
  // Within these bounds n and its halves are exponents of normal numbers; a NaN passes both comparisons.
  f32 bounded = x < -152.0f ? -152.0f : x;
  bounded = bounded > 129.0f ? 129.0f : bounded;
  // Adding 1.5 * 2^23 leaves the nearest integer in the low bits.
  f32 shifted = bounded + 12582912.0f;
  f32 f = bounded - (shifted - 12582912.0f);
  f32 p = 0x1.41fbbcp-13f;
  p = multiplyAdd(p, f, 0x1.5f3e54p-10f);
  p = multiplyAdd(p, f, 0x1.3b2d4cp-7f);
  p = multiplyAdd(p, f, 0x1.c6aee8p-5f);
  p = multiplyAdd(p, f, 0x1.ebfbdcp-3f);
  p = multiplyAdd(p, f, 0x1.62e43p-1f);
  p = multiplyAdd(p, f, 1.0f);
  i32 n = i32(bitsOf(shifted)) - 0x4b400000;
  i32 half = (n + 512) / 2 - 256;
  f32 scaled = p * floatOf(u32(half + 127) * 0x800000u) * floatOf(u32(n - half + 127) * 0x800000u);
  return x != x ? floatOf(0x7fffffffu) : scaled;
}

} // namespace sluice::device
