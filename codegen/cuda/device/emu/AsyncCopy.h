// cp.async on the emulator: copies of 4, 8 or 16 bytes by each thread, from global to shared memory.
#pragma once

#include "codegen/cuda/device/emu/AbiAsync.h"
#include "codegen/cuda/device/emu/Mbarrier.h"
#include "codegen/cuda/device/emu/Memory.h"

namespace sluice::device {

namespace detail {
template <int Bytes> SLUICE_DEVICE constexpr void checkCpAsync() {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16, "expected 4, 8 or 16 bytes");
}
} // namespace detail

/// Thread. Starts a copy; complete for this thread after cpAsyncWait on its group. Both sides are aligned to Bytes.
/// cp.async.ca, and .cg for 16 bytes.
template <int Bytes, class T>
SLUICE_DEVICE void cpAsync(Shared<T> destination, Global<const T> source, Site site = Site::current()) {
  detail::checkCpAsync<Bytes>();
  sluiceEmuCpAsync(destination.address(), source.pointer(), Bytes, Bytes, site);
}
/// Copies the first `sourceBytes` and writes zeros to the rest of Bytes. With 0 the source is not accessed.
template <int Bytes, class T>
SLUICE_DEVICE void cpAsync(Shared<T> destination, Global<const T> source, u32 sourceBytes,
                           Site site = Site::current()) {
  detail::checkCpAsync<Bytes>();
  sluiceEmuCpAsync(destination.address(), source.pointer(), Bytes, sourceBytes, site);
}
/// Writes zeros if `predicate` is false.
template <int Bytes, class T>
SLUICE_DEVICE void cpAsync(Shared<T> destination, Global<const T> source, bool predicate, Site site = Site::current()) {
  detail::checkCpAsync<Bytes>();
  sluiceEmuCpAsync(destination.address(), source.pointer(), Bytes, predicate ? Bytes : 0, site);
}

/// Thread. Its copies since the last commit form a group. cp.async.commit_group.
SLUICE_DEVICE void cpAsyncCommit(Site site = Site::current()) { sluiceEmuCpAsyncCommit(site); }
/// Thread. Returns when at most Pending of its youngest groups are unfinished; what the others wrote is visible to
/// this thread only. cp.async.wait_group.
template <int Pending> SLUICE_DEVICE void cpAsyncWait(Site site = Site::current()) {
  sluiceEmuCpAsyncWait(Pending, site);
}
/// Thread. Makes one arrival on the barrier when all copies that this thread has started so far are complete; the
/// barrier's count must include it. cp.async.mbarrier.arrive.noinc.
SLUICE_DEVICE void cpAsyncArrive(Mbarrier barrier, Site site = Site::current()) {
  sluiceEmuCpAsyncArrive(barrier.address(), site);
}

} // namespace sluice::device
