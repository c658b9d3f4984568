// Barriers in shared memory that count arrivals and bytes: the GPU's side.
#pragma once

#include "Memory.h"

namespace sluice::device {

/// One or several mbarriers in shared memory, 8 bytes each, 8-byte aligned.
class Mbarrier {
public:
  Mbarrier() = default;
  SLUICE_DEVICE explicit Mbarrier(Shared<u64> place) : place(place) {}
  /// The `index`-th barrier from this one on.
  SLUICE_DEVICE Mbarrier at(u32 index) const { return Mbarrier(place + i32(index)); }
  SLUICE_DEVICE u32 address() const { return place.address(); }

private:
  Shared<u64> place;
};

/// Thread. A new barrier in phase 0 that waits for `count` arrivals in each phase. mbarrier.init.
SLUICE_DEVICE void mbarrierInit(Mbarrier barrier, u32 count) {
  asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(barrier.address()), "r"(count) : "memory");
}
/// Thread. The memory is free for other uses. mbarrier.inval.
SLUICE_DEVICE void mbarrierInvalidate(Mbarrier barrier) {
  asm volatile("mbarrier.inval.shared.b64 [%0];" ::"r"(barrier.address()) : "memory");
}
/// Thread. One arrival; releases what the thread did before. mbarrier.arrive.release.cta.
SLUICE_DEVICE void mbarrierArrive(Mbarrier barrier) {
  asm volatile("{\n.reg .b64 state;\nmbarrier.arrive.shared.b64 state, [%0];\n}" ::"r"(barrier.address()) : "memory");
}
/// Thread. Whether the phase of this parity has completed; acquires if so. mbarrier.test_wait.parity.
SLUICE_DEVICE bool mbarrierTest(Mbarrier barrier, u32 parity) {
  u32 done;
  asm volatile("{\n.reg .pred p;\nmbarrier.test_wait.parity.shared.b64 p, [%1], %2;\nselp.u32 %0, 1, 0, p;\n}"
               : "=r"(done) : "r"(barrier.address()), "r"(parity) : "memory");
  return done != 0;
}
/// Thread. Returns when the phase of this parity has completed; acquires what was released to it and the bytes that
/// were counted on it. A loop over mbarrier.try_wait.parity.acquire.cta, before sm_90 over test_wait.
SLUICE_DEVICE void mbarrierWait(Mbarrier barrier, u32 parity) {
#if SLUICE_HAS_SM90
  asm volatile("{\n.reg .pred p;\nAGAIN:\nmbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n@!p bra AGAIN;\n}"
               ::"r"(barrier.address()), "r"(parity) : "memory");
#else
  asm volatile("{\n.reg .pred p;\nAGAIN:\nmbarrier.test_wait.parity.shared.b64 p, [%0], %1;\n@!p bra AGAIN;\n}"
               ::"r"(barrier.address()), "r"(parity) : "memory");
#endif
}

#if SLUICE_HAS_SM90
/// Thread. Makes the thread's initialisations visible to asynchronous copies and to peers, once a barrier has
/// followed. fence.mbarrier_init.release.cluster.
SLUICE_DEVICE void mbarrierFenceInit() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }
/// Thread. `count` arrivals at once. mbarrier.arrive.release.cta.
SLUICE_DEVICE void mbarrierArrive(Mbarrier barrier, u32 count) {
  asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0], %1;" ::"r"(barrier.address()), "r"(count)
               : "memory");
}
/// Thread. The current phase waits for `bytes` more. mbarrier.expect_tx.relaxed.cta.
SLUICE_DEVICE void mbarrierExpect(Mbarrier barrier, u32 bytes) {
  asm volatile("mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%0], %1;" ::"r"(barrier.address()), "r"(bytes)
               : "memory");
}
/// Thread. Expects bytes, then arrives once. mbarrier.arrive.expect_tx.release.cta.
SLUICE_DEVICE void mbarrierArriveExpect(Mbarrier barrier, u32 bytes) {
  asm volatile("mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [%0], %1;" ::"r"(barrier.address()),
               "r"(bytes) : "memory");
}
/// Thread. mbarrierWait that acquires what peers of the cluster released. mbarrier.try_wait.parity.acquire.cluster.
SLUICE_DEVICE void mbarrierWaitCluster(Mbarrier barrier, u32 parity) {
  asm volatile("{\n.reg .pred p;\nAGAIN:\nmbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%0], %1;\n"
               "@!p bra AGAIN;\n}" ::"r"(barrier.address()), "r"(parity) : "memory");
}
#endif

} // namespace sluice::device
