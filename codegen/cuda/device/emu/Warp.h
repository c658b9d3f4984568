// Shuffles, votes and election among the 32 lanes of a warp: the emulator's side. All lanes of the warp come to the
// same call in the source. They wait for each other, which orders no memory accesses: syncWarp does.
#pragma once

#include "codegen/cuda/device/emu/Abi.h"
#include "codegen/cuda/device/emu/Kernel.h"
#include "codegen/cuda/device/emu/Memory.h"

namespace sluice::device {

namespace detail {
template <class T> inline constexpr bool shuffled = same<T, f32> || same<T, u32> || same<T, i32>;
template <class T> SLUICE_DEVICE T shuffleFrom(T value, u32 lane, const char *primitive, Site site) {
  static_assert(shuffled<T>, "expected f32, u32 or i32");
  u32 bits = __builtin_bit_cast(u32, value);
  sluiceEmuShuffle(&bits, lane % 32, primitive, site);
  return __builtin_bit_cast(T, bits);
}
} // namespace detail

/// What `lane` gives.
template <class T> SLUICE_DEVICE T shuffle(T value, u32 lane, Site site = Site::current()) {
  return detail::shuffleFrom(value, lane, "shuffle", site);
}
template <class T> SLUICE_DEVICE T shuffleXor(T value, u32 mask, Site site = Site::current()) {
  return detail::shuffleFrom(value, laneIndex() ^ mask, "shuffleXor", site);
}
/// From the lane `delta` % 32 below; the lowest of that number keep their own.
template <class T> SLUICE_DEVICE T shuffleUp(T value, u32 delta, Site site = Site::current()) {
  u32 by = delta % 32, lane = laneIndex();
  return detail::shuffleFrom(value, lane < by ? lane : lane - by, "shuffleUp", site);
}
template <class T> SLUICE_DEVICE T shuffleDown(T value, u32 delta, Site site = Site::current()) {
  u32 by = delta % 32, lane = laneIndex();
  return detail::shuffleFrom(value, lane + by > 31 ? lane : lane + by, "shuffleDown", site);
}
/// Bit i: lane i's predicate.
SLUICE_DEVICE u32 ballotLanes(bool predicate, Site site = Site::current()) {
  return sluiceEmuBallot(predicate, "ballotLanes", site);
}
SLUICE_DEVICE bool anyLane(bool predicate, Site site = Site::current()) {
  return sluiceEmuBallot(predicate, "anyLane", site) != 0;
}
SLUICE_DEVICE bool allLanes(bool predicate, Site site = Site::current()) {
  return sluiceEmuBallot(predicate, "allLanes", site) == 0xffffffffu;
}
/// True in one lane, which the emulator draws.
SLUICE_DEVICE bool electLane(Site site = Site::current()) { return sluiceEmuElect(site) != 0; }

/// Lane 0's value in every lane, in a register that ptxas knows to be uniform.
template <class T> SLUICE_DEVICE T warpUniform(T value, Site site = Site::current()) {
  return detail::shuffleFrom(value, 0, "warpUniform", site);
}
/// The value, as the compiler cannot know it.
template <class T> SLUICE_DEVICE T opaque(T value) {
  static_assert(detail::shuffled<T> || sizeof(T) == 8, "expected f32, or an integer of 32 or 64 bits");
  asm volatile("" : "+r"(value));
  return value;
}

} // namespace sluice::device
