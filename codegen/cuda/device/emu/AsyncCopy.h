// cp.async on the emulator: copies of 4, 8 or 16 bytes by each thread, from global to shared memory.
#pragma once

#include "codegen/cuda/device/emu/AbiAsync.h"
#include "codegen/cuda/device/emu/Mbarrier.h"
#include "codegen/cuda/device/emu/Memory.h"

namespace sluice::device {

/// Thread. Starts a copy of the first `sourceBytes` and fills the rest of Bytes with zeros; with 0 the source
/// is not accessed. Complete for this thread after cpAsyncWait on its group. Both sides are aligned to Bytes.
/// cp.async.ca, and .cg, past L1, for 16 bytes.
template <int Bytes, class T, class U>
SLUICE_DEVICE void cpAsync(Shared<T> destination, Global<U> source, u32 sourceBytes,
                           Site site = Site::current()) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16, "expected 4, 8 or 16 bytes");
  static_assert(detail::same<T, detail::Value<U>>, "expected the same type on both sides");
  sluiceEmuCpAsync(destination.address(), detail::Access::pointer(source), Bytes, sourceBytes, site);
}
/// Copies all, or writes zeros if `predicate` is false.
template <int Bytes, class T, class U>
SLUICE_DEVICE void cpAsync(Shared<T> destination, Global<U> source, bool predicate,
                           Site site = Site::current()) {
  cpAsync<Bytes>(destination, source, predicate ? u32(Bytes) : 0u, site);
}
template <int Bytes, class T, class U>
SLUICE_DEVICE void cpAsync(Shared<T> destination, Global<U> source, Site site = Site::current()) {
  cpAsync<Bytes>(destination, source, u32(Bytes), site);
}

/// Thread. Its copies since the last commit form a group. cp.async.commit_group.
SLUICE_DEVICE void cpAsyncCommit(Site site = Site::current()) { sluiceEmuCpAsyncCommit(site); }
/// Thread. Returns when at most Pending of its youngest groups are unfinished; what the others wrote is
/// visible to this thread only. cp.async.wait_group.
template <int Pending> SLUICE_DEVICE void cpAsyncWait(Site site = Site::current()) {
  static_assert(Pending >= 0, "expected a number of groups");
  sluiceEmuCpAsyncWait(Pending, site);
}
/// Thread. Makes one arrival on the barrier when all copies that this thread has started so far are complete;
/// the barrier's count must include it. cp.async.mbarrier.arrive.noinc.
SLUICE_DEVICE void cpAsyncArrive(Mbarrier barrier, Site site = Site::current()) {
  sluiceEmuCpAsyncArrive(barrier.address(), site);
}

} // namespace sluice::device
