// Shuffles, votes and election among the 32 lanes of a warp, and aids for ptxas: the GPU's side. All lanes of the warp
// come to the same call in the source. They wait for each other, which orders no memory accesses: syncWarp does.
#pragma once

#include "Kernel.h"

namespace sluice::device {

namespace detail {
inline constexpr u32 allOfWarp = 0xffffffffu;
template <class T> inline constexpr bool shuffled = same<T, f32> || same<T, u32> || same<T, i32>;
} // namespace detail

/// Warp. What `lane` gives. shfl.sync.idx.b32.
template <class T> SLUICE_DEVICE T shuffle(T value, u32 lane) {
  static_assert(detail::shuffled<T>, "expected f32, u32 or i32");
  return __shfl_sync(detail::allOfWarp, value, lane);
}
/// Warp. shfl.sync.bfly.b32.
template <class T> SLUICE_DEVICE T shuffleXor(T value, u32 mask) {
  static_assert(detail::shuffled<T>, "expected f32, u32 or i32");
  return __shfl_xor_sync(detail::allOfWarp, value, mask);
}
/// Warp. From the lane `delta` % 32 below; the lowest of that number keep their own. shfl.sync.up.b32.
template <class T> SLUICE_DEVICE T shuffleUp(T value, u32 delta) {
  static_assert(detail::shuffled<T>, "expected f32, u32 or i32");
  return __shfl_up_sync(detail::allOfWarp, value, delta);
}
/// Warp. From the lane `delta` % 32 above; the highest of that number keep their own. shfl.sync.down.b32.
template <class T> SLUICE_DEVICE T shuffleDown(T value, u32 delta) {
  static_assert(detail::shuffled<T>, "expected f32, u32 or i32");
  return __shfl_down_sync(detail::allOfWarp, value, delta);
}

/// Warp. Bit i: lane i's predicate. vote.sync.ballot.b32.
SLUICE_DEVICE u32 ballotLanes(bool predicate) { return __ballot_sync(detail::allOfWarp, predicate); }
/// Warp. vote.sync.any.
SLUICE_DEVICE bool anyLane(bool predicate) { return __any_sync(detail::allOfWarp, predicate); }
/// Warp. vote.sync.all.
SLUICE_DEVICE bool allLanes(bool predicate) { return __all_sync(detail::allOfWarp, predicate); }
/// Warp. True in one lane, which one is not said. elect.sync; before sm_90 lane 0.
SLUICE_DEVICE bool electLane() {
#if SLUICE_HAS_SM90
  u32 elected;
  asm volatile("{\n.reg .pred p;\nelect.sync _|p, 0xffffffff;\nselp.u32 %0, 1, 0, p;\n}" : "=r"(elected));
  return elected != 0;
#else
  __syncwarp();
  return laneIndex() == 0;
#endif
}

/// Warp. Lane 0's value in every lane, in a register that ptxas knows to be uniform.
template <class T> SLUICE_DEVICE T warpUniform(T value) {
  static_assert(detail::shuffled<T>, "expected f32, u32 or i32");
  return __shfl_sync(detail::allOfWarp, value, 0);
}
/// Thread. The value, as the compiler cannot know it: what is derived from it is computed where it is used rather than
/// kept in registers around a loop.
template <class T> SLUICE_DEVICE T opaque(T value) {
  static_assert(detail::shuffled<T> || sizeof(T) == 8, "expected f32, or an integer of 32 or 64 bits");
  if constexpr (detail::same<T, f32>)
    asm volatile("" : "+f"(value));
  else if constexpr (sizeof(T) == 8)
    asm volatile("" : "+l"(value));
  else
    asm volatile("" : "+r"(value));
  return value;
}

} // namespace sluice::device
