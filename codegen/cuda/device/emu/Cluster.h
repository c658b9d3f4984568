// Blocks of a cluster meet and reach each other's shared memory, on the emulator.
#pragma once

#include "codegen/cuda/device/emu/AbiAsync.h"
#include "codegen/cuda/device/emu/Mbarrier.h"
#include "codegen/cuda/device/emu/Memory.h"

namespace sluice::device {

/// The block's index in its cluster, and how many blocks the cluster has.
SLUICE_DEVICE u32 clusterRank() { return sluiceEmuThread->clusterRank; }
SLUICE_DEVICE u32 clusterBlocks() { return sluiceEmuThread->clusterBlocks; }

/// Cluster, every thread. What the thread wrote before is visible to all that wait after.
/// barrier.cluster.arrive.
SLUICE_DEVICE void clusterArrive(Site site = Site::current()) { sluiceEmuClusterArrive(0, site); }
/// Orders nothing. barrier.cluster.arrive.relaxed.
SLUICE_DEVICE void clusterArriveRelaxed(Site site = Site::current()) { sluiceEmuClusterArrive(1, site); }
/// Returns when every thread of the cluster has arrived. barrier.cluster.wait.
SLUICE_DEVICE void clusterWait(Site site = Site::current()) { sluiceEmuClusterWait(site); }

/// An address in the shared memory of a block of the cluster.
template <class T> class RemoteShared {
public:
  SLUICE_DEVICE RemoteShared() = default;
  SLUICE_DEVICE static RemoteShared fromAddress(u32 address) {
    RemoteShared remote;
    remote.window = address;
    return remote;
  }
  SLUICE_DEVICE RemoteShared operator+(i32 elements) const {
    return fromAddress(window + static_cast<u32>(elements) * static_cast<u32>(sizeof(T)));
  }
  template <class U> SLUICE_DEVICE RemoteShared<U> cast() const {
    return RemoteShared<U>::fromAddress(window);
  }
  SLUICE_DEVICE u32 address() const { return window; }

private:
  u32 window;
};

/// An mbarrier of a block of the cluster.
class RemoteMbarrier {
public:
  SLUICE_DEVICE RemoteMbarrier() = default;
  SLUICE_DEVICE explicit RemoteMbarrier(RemoteShared<u64> place) : place(place) {}
  SLUICE_DEVICE RemoteMbarrier at(u32 index) const { return RemoteMbarrier(place + static_cast<i32>(index)); }
  SLUICE_DEVICE u32 address() const { return place.address(); }

private:
  RemoteShared<u64> place;
};

/// Thread. The same place in the shared memory of block `rank` of the cluster. mapa.shared::cluster.
template <class T>
SLUICE_DEVICE RemoteShared<T> mapShared(Shared<T> place, u32 rank, Site site = Site::current()) {
  return RemoteShared<T>::fromAddress(sluiceEmuMapShared(place.address(), rank, site));
}
SLUICE_DEVICE RemoteMbarrier mapMbarrier(Mbarrier barrier, u32 rank, Site site = Site::current()) {
  return RemoteMbarrier(RemoteShared<u64>::fromAddress(sluiceEmuMapShared(barrier.address(), rank, site)));
}

/// Thread. Complete on return. ld.shared::cluster.
template <class T> SLUICE_DEVICE T loadRemote(RemoteShared<T> place, Site site = Site::current()) {
  static_assert(detail::accessible<T>, "expected an access of 1, 2, 4, 8 or 16 bytes");
  T value;
  sluiceEmuLoadRemote(&value, place.address(), sizeof(T), site);
  return value;
}
/// Thread. st.shared::cluster.
template <class T>
SLUICE_DEVICE void storeRemote(RemoteShared<T> place, detail::Value<T> value, Site site = Site::current()) {
  static_assert(detail::accessible<T>, "expected an access of 1, 2, 4, 8 or 16 bytes");
  sluiceEmuStoreRemote(place.address(), &value, sizeof(T), site);
}
/// Thread. Arrives on a peer's barrier; releases at cluster scope.
/// mbarrier.arrive.release.cluster.shared::cluster.
SLUICE_DEVICE void mbarrierArriveRemote(RemoteMbarrier barrier, u32 count = 1, Site site = Site::current()) {
  sluiceEmuMbarrierArriveRemote(barrier.address(), count, site);
}
/// Thread. mbarrier.expect_tx.relaxed.cluster.shared::cluster.
SLUICE_DEVICE void mbarrierExpectRemote(RemoteMbarrier barrier, u32 bytes, Site site = Site::current()) {
  sluiceEmuMbarrierExpectRemote(barrier.address(), bytes, site);
}
/// Thread. Stores 4, 8 or 16 bytes asynchronously and counts them on a barrier of the same block.
/// st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.
template <class T>
SLUICE_DEVICE void storeAsync(RemoteShared<T> place, detail::Value<T> value, RemoteMbarrier barrier,
                              Site site = Site::current()) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "expected 4 or 8 bytes");
  sluiceEmuStoreAsync(place.address(), &value, sizeof(T), barrier.address(), site);
}
template <class T, int N>
SLUICE_DEVICE void storeAsync(RemoteShared<T> place, Vec<T, N> value, RemoteMbarrier barrier,
                              Site site = Site::current()) {
  static_assert(sizeof(value) >= 4 && (sizeof(T) == 4 || sizeof(T) == 8),
                "expected elements of 4 or 8 bytes");
  sluiceEmuStoreAsync(place.address(), &value, sizeof(value), barrier.address(), site);
}

} // namespace sluice::device
