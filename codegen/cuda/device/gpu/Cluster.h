// Blocks of a cluster meet and reach each other's shared memory: the GPU's side, sm_90 and up.
#pragma once

#include "Mbarrier.h"
#include "Memory.h"

#if SLUICE_HAS_SM90
namespace sluice::device {

/// An address in the shared memory of a block of the cluster.
template <class T> class RemoteShared {
public:
  RemoteShared() = default;
  SLUICE_DEVICE static RemoteShared fromAddress(u32 address) { return RemoteShared(address); }
  SLUICE_DEVICE RemoteShared operator+(i32 elements) const {
    return RemoteShared(window + u32(elements) * u32(sizeof(T)));
  }
  template <class U> SLUICE_DEVICE RemoteShared<U> cast() const { return RemoteShared<U>::fromAddress(window); }
  SLUICE_DEVICE u32 address() const { return window; }

private:
  SLUICE_DEVICE explicit RemoteShared(u32 address) : window(address) {}
  u32 window;
};

/// An mbarrier of a block of the cluster.
class RemoteMbarrier {
public:
  RemoteMbarrier() = default;
  SLUICE_DEVICE explicit RemoteMbarrier(RemoteShared<u64> place) : place(place) {}
  SLUICE_DEVICE RemoteMbarrier at(u32 index) const { return RemoteMbarrier(place + i32(index)); }
  SLUICE_DEVICE u32 address() const { return place.address(); }

private:
  RemoteShared<u64> place;
};

/// The block's index in its cluster. %cluster_ctarank.
SLUICE_DEVICE u32 clusterRank() {
  u32 rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}
/// %cluster_nctarank.
SLUICE_DEVICE u32 clusterBlocks() {
  u32 blocks;
  asm("mov.u32 %0, %%cluster_nctarank;" : "=r"(blocks));
  return blocks;
}

/// Cluster, every thread. Releases what the thread did before; does not wait. barrier.cluster.arrive.release.aligned.
SLUICE_DEVICE void clusterArrive() { asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory"); }
/// The same without ordering memory. barrier.cluster.arrive.relaxed.aligned.
SLUICE_DEVICE void clusterArriveRelaxed() { asm volatile("barrier.cluster.arrive.relaxed.aligned;" ::: "memory"); }
/// Cluster, every thread. Waits for the arrival of all; acquires what they released.
/// barrier.cluster.wait.acquire.aligned.
SLUICE_DEVICE void clusterWait() { asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory"); }

namespace detail {
SLUICE_DEVICE u32 mapAddress(u32 address, u32 rank) {
  u32 mapped;
  asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(mapped) : "r"(address), "r"(rank));
  return mapped;
}
} // namespace detail

/// Thread. The same place in the shared memory of block `rank` of the cluster. mapa.shared::cluster.
template <class T> SLUICE_DEVICE RemoteShared<T> mapShared(Shared<T> place, u32 rank) {
  return RemoteShared<T>::fromAddress(detail::mapAddress(place.address(), rank));
}
SLUICE_DEVICE RemoteMbarrier mapMbarrier(Mbarrier barrier, u32 rank) {
  return RemoteMbarrier(RemoteShared<u64>::fromAddress(detail::mapAddress(barrier.address(), rank)));
}

/// Thread. Complete on return. ld.shared::cluster.
template <class T> SLUICE_DEVICE T loadRemote(RemoteShared<T> place) {
  return detail::load<detail::SharedRemote, T>(place.address());
}
/// Thread. st.shared::cluster.
template <class T> SLUICE_DEVICE void storeRemote(RemoteShared<T> place, detail::Value<T> value) {
  detail::SharedRemote::write(detail::toRaw(value), place.address());
}

/// Thread. Arrives on a peer's barrier; releases at cluster scope. mbarrier.arrive.release.cluster.shared::cluster.
SLUICE_DEVICE void mbarrierArriveRemote(RemoteMbarrier barrier, u32 count = 1) {
  asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0], %1;" ::"r"(barrier.address()), "r"(count)
               : "memory");
}
/// Thread. mbarrier.expect_tx.relaxed.cluster.shared::cluster.
SLUICE_DEVICE void mbarrierExpectRemote(RemoteMbarrier barrier, u32 bytes) {
  asm volatile("mbarrier.expect_tx.relaxed.cluster.shared::cluster.b64 [%0], %1;" ::"r"(barrier.address()), "r"(bytes)
               : "memory");
}

namespace detail {
#define SLUICE_ST_ASYNC(type, list, address, barrier)                                                         \
  "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes" type " [" address "], " list ", [" barrier "];"
SLUICE_DEVICE void storeAsync(Raw<4> raw, u32 at, u32 barrier) {
  asm volatile(SLUICE_ST_ASYNC(".b32", "%1", "%0", "%2")::"r"(at), "r"(raw.word[0]), "r"(barrier) : "memory");
}
SLUICE_DEVICE void storeAsync(Raw<8> raw, u32 at, u32 barrier) {
  asm volatile(SLUICE_ST_ASYNC(".v2.b32", "{%1, %2}", "%0", "%3")::"r"(at), "r"(raw.word[0]), "r"(raw.word[1]),
               "r"(barrier) : "memory");
}
SLUICE_DEVICE void storeAsync(Raw<16> raw, u32 at, u32 barrier) {
  asm volatile(SLUICE_ST_ASYNC(".v4.b32", "{%1, %2, %3, %4}", "%0", "%5")::"r"(at), "r"(raw.word[0]),
               "r"(raw.word[1]), "r"(raw.word[2]), "r"(raw.word[3]), "r"(barrier) : "memory");
}
#undef SLUICE_ST_ASYNC
} // namespace detail

/// Thread. Stores 4, 8 or 16 bytes asynchronously and counts them on a barrier of the same block, whose phase makes
/// them visible. st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.
template <class T>
SLUICE_DEVICE void storeAsync(RemoteShared<T> place, detail::Value<T> value, RemoteMbarrier barrier) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "expected 4 or 8 bytes");
  detail::storeAsync(detail::toRaw(value), place.address(), barrier.address());
}
template <class T, int N>
SLUICE_DEVICE void storeAsync(RemoteShared<T> place, Vec<T, N> value, RemoteMbarrier barrier) {
  static_assert(sizeof(value) >= 4 && (sizeof(T) == 4 || sizeof(T) == 8), "expected elements of 4 or 8 bytes");
  detail::storeAsync(detail::toRaw(value), place.address(), barrier.address());
}

} // namespace sluice::device
#endif
