// Barriers in shared memory that count arrivals and bytes, on the emulator.
#pragma once

#include "codegen/cuda/device/emu/AbiAsync.h"
#include "codegen/cuda/device/emu/Memory.h"

namespace sluice::device {

/// One or several mbarriers in shared memory, 8 bytes each, 8-byte aligned.
class Mbarrier {
public:
  SLUICE_DEVICE Mbarrier() = default;
  SLUICE_DEVICE explicit Mbarrier(Shared<u64> place) : place(place) {}
  /// The `index`-th barrier from this one on.
  SLUICE_DEVICE Mbarrier at(u32 index) const { return Mbarrier(place + static_cast<i32>(index)); }
  SLUICE_DEVICE u32 address() const { return place.address(); }

private:
  Shared<u64> place;
};

/// Thread. A new barrier in phase 0 that waits for `count` arrivals in each phase. mbarrier.init.
SLUICE_DEVICE void mbarrierInit(Mbarrier barrier, u32 count, Site site = Site::current()) {
  sluiceEmuMbarrierInit(barrier.address(), count, site);
}
/// Thread. The memory is free for other uses. mbarrier.inval.
SLUICE_DEVICE void mbarrierInvalidate(Mbarrier barrier, Site site = Site::current()) {
  sluiceEmuMbarrierInvalidate(barrier.address(), site);
}
/// Thread. Makes the thread's initialisations visible to asynchronous copies and to peers, once a barrier has
/// followed. fence.mbarrier_init.release.cluster.
SLUICE_DEVICE void mbarrierFenceInit(Site site = Site::current()) { sluiceEmuMbarrierFenceInit(site); }
/// Thread. `count` arrivals; releases what the thread did before. mbarrier.arrive.release.cta.
SLUICE_DEVICE void mbarrierArrive(Mbarrier barrier, u32 count = 1, Site site = Site::current()) {
  sluiceEmuMbarrierArrive(barrier.address(), count, site);
}
/// Thread. The current phase waits for `bytes` more. mbarrier.expect_tx.relaxed.cta.
SLUICE_DEVICE void mbarrierExpect(Mbarrier barrier, u32 bytes, Site site = Site::current()) {
  sluiceEmuMbarrierExpect(barrier.address(), bytes, site);
}
/// Thread. Expects bytes, then arrives once. mbarrier.arrive.expect_tx.release.cta.
SLUICE_DEVICE void mbarrierArriveExpect(Mbarrier barrier, u32 bytes, Site site = Site::current()) {
  sluiceEmuMbarrierArriveExpect(barrier.address(), bytes, site);
}
/// Thread. Returns when the phase of this parity has completed; acquires what was released to it and the
/// bytes that were counted on it. A loop over mbarrier.try_wait.parity.acquire.cta.
SLUICE_DEVICE void mbarrierWait(Mbarrier barrier, u32 parity, Site site = Site::current()) {
  sluiceEmuMbarrierWait(barrier.address(), parity, site);
}
/// Thread. mbarrierWait that acquires what peers of the cluster released.
/// mbarrier.try_wait.parity.acquire.cluster.
SLUICE_DEVICE void mbarrierWaitCluster(Mbarrier barrier, u32 parity, Site site = Site::current()) {
  sluiceEmuMbarrierWaitCluster(barrier.address(), parity, site);
}
/// Thread. Whether the phase of this parity has completed; acquires if so. mbarrier.test_wait.parity.
SLUICE_DEVICE bool mbarrierTest(Mbarrier barrier, u32 parity, Site site = Site::current()) {
  return sluiceEmuMbarrierTest(barrier.address(), parity, site);
}

} // namespace sluice::device
