// cp.async: copies of 4, 8 or 16 bytes by each thread, from global to shared memory. The GPU's side.
#pragma once

#include "Mbarrier.h"
#include "Memory.h"

namespace sluice::device {

/// Thread. Starts a copy of the first `sourceBytes` and fills the rest of Bytes with zeros; with 0 the source is not
/// accessed. Complete for this thread after cpAsyncWait on its group. Both sides are aligned to Bytes. cp.async.ca,
/// and .cg, past L1, for 16 bytes.
template <int Bytes, class T, class U>
SLUICE_DEVICE void cpAsync(Shared<T> destination, Global<U> source, u32 sourceBytes) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16, "expected 4, 8 or 16 bytes");
  static_assert(detail::same<T, detail::Value<U>>, "expected the same type on both sides");
  u64 from = detail::Access::address(source);
  if constexpr (Bytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(destination.address()), "l"(from),
                 "r"(sourceBytes) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(destination.address()), "l"(from), "n"(Bytes),
                 "r"(sourceBytes) : "memory");
}
/// Copies all, or writes zeros if `predicate` is false.
template <int Bytes, class T, class U>
SLUICE_DEVICE void cpAsync(Shared<T> destination, Global<U> source, bool predicate) {
  cpAsync<Bytes>(destination, source, predicate ? u32(Bytes) : 0u);
}
template <int Bytes, class T, class U> SLUICE_DEVICE void cpAsync(Shared<T> destination, Global<U> source) {
  cpAsync<Bytes>(destination, source, u32(Bytes));
}

/// Thread. Its copies since the last commit form a group. cp.async.commit_group.
SLUICE_DEVICE void cpAsyncCommit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Thread. Returns when at most Pending of its youngest groups are unfinished; what the others wrote is visible to
/// this thread only. cp.async.wait_group.
template <int Pending> SLUICE_DEVICE void cpAsyncWait() {
  static_assert(Pending >= 0, "expected a number of groups");
  asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
}
/// Thread. Makes one arrival on the barrier when all copies that this thread has started so far are complete; the
/// barrier's count must include it. cp.async.mbarrier.arrive.noinc.
SLUICE_DEVICE void cpAsyncArrive(Mbarrier barrier) {
  asm volatile("cp.async.mbarrier.arrive.noinc.shared.b64 [%0];" ::"r"(barrier.address()) : "memory");
}

} // namespace sluice::device
