// Tensor-map and bulk copies on the emulator: one thread moves a whole box or a contiguous piece.
#pragma once

#include "codegen/cuda/device/emu/AbiAsync.h"
#include "codegen/cuda/device/emu/Cluster.h"
#include "codegen/cuda/device/emu/Mbarrier.h"
#include "codegen/cuda/device/emu/Memory.h"

namespace sluice::device {

/// A tensor map as the driver encodes it: 128 opaque bytes.
struct alignas(64) TensorMap {
  u64 opaque[16];
};

namespace detail {
template <class... Coordinates>
SLUICE_DEVICE TensorBox boxOf(const TensorMap &map, Coordinates... coordinates) {
  static_assert(sizeof...(Coordinates) >= 1 && sizeof...(Coordinates) <= 5, "expected 1 to 5 coordinates");
  return {&map, sizeof...(Coordinates), {static_cast<i32>(coordinates)...}};
}
} // namespace detail

// A pack of coordinates could not be followed by a defaulted site: each rank is an overload.
#define SLUICE_FOR_EACH_RANK(DEFINE)                                                                         \
  DEFINE((i32 c0), (c0))                                                                                     \
  DEFINE((i32 c0, i32 c1), (c0, c1))                                                                         \
  DEFINE((i32 c0, i32 c1, i32 c2), (c0, c1, c2))                                                             \
  DEFINE((i32 c0, i32 c1, i32 c2, i32 c3), (c0, c1, c2, c3))                                                 \
  DEFINE((i32 c0, i32 c1, i32 c2, i32 c3, i32 c4), (c0, c1, c2, c3, c4))
#define SLUICE_OPEN(...) __VA_ARGS__

/// Thread. Loads the box at the coordinates (innermost first) into shared memory; elements outside the tensor
/// are filled. Complete for whoever waits for the phase of the barrier that counts the box's bytes. The
/// destination is aligned to 128 bytes.
/// cp.async.bulk.tensor.shared::cluster.global.tile.mbarrier::complete_tx::bytes.
#define SLUICE_DEFINE(PARAMETERS, COORDINATES)                                                               \
  template <Eviction = Eviction::normal, class T>                                                            \
  SLUICE_DEVICE void tensorLoad(Shared<T> destination, const TensorMap &map, Mbarrier barrier,               \
                                SLUICE_OPEN PARAMETERS, Site site = Site::current()) {                       \
    TensorBox box = detail::boxOf(map, SLUICE_OPEN COORDINATES);                                             \
    sluiceEmuTensorLoad(destination.address(), &box, barrier.address(), site);                               \
  }
SLUICE_FOR_EACH_RANK(SLUICE_DEFINE)
#undef SLUICE_DEFINE

/// Thread. tensorLoad into the same place of every block of the cluster whose bit is set in the mask; each
/// block's own barrier counts. .multicast::cluster.
#define SLUICE_DEFINE(PARAMETERS, COORDINATES)                                                               \
  template <Eviction = Eviction::normal, class T>                                                            \
  SLUICE_DEVICE void tensorLoadMulticast(Shared<T> destination, const TensorMap &map, Mbarrier barrier,      \
                                         u16 mask, SLUICE_OPEN PARAMETERS, Site site = Site::current()) {    \
    TensorBox box = detail::boxOf(map, SLUICE_OPEN COORDINATES);                                             \
    sluiceEmuTensorLoadMulticast(destination.address(), &box, barrier.address(), mask, site);                \
  }
SLUICE_FOR_EACH_RANK(SLUICE_DEFINE)
#undef SLUICE_DEFINE

/// Thread. Stores a box from shared memory; elements outside the tensor are dropped. Reads through the
/// asynchronous proxy; tracked by bulk groups. cp.async.bulk.tensor.global.shared::cta.tile.bulk_group.
#define SLUICE_DEFINE(PARAMETERS, COORDINATES)                                                               \
  template <Eviction = Eviction::normal, class T>                                                            \
  SLUICE_DEVICE void tensorStore(const TensorMap &map, Shared<T> source, SLUICE_OPEN PARAMETERS,             \
                                 Site site = Site::current()) {                                              \
    TensorBox box = detail::boxOf(map, SLUICE_OPEN COORDINATES);                                             \
    sluiceEmuTensorStore(&box, source.address(), site);                                                      \
  }
SLUICE_FOR_EACH_RANK(SLUICE_DEFINE)
#undef SLUICE_DEFINE
#undef SLUICE_OPEN
#undef SLUICE_FOR_EACH_RANK

/// Thread. Brings the map into the cache. prefetch.tensormap.
SLUICE_DEVICE void prefetchTensorMap(const TensorMap &map, Site site = Site::current()) {
  sluiceEmuPrefetchTensorMap(&map, site);
}

/// Thread. Loads contiguous bytes: addresses and count are multiples of 16. Completes on the barrier.
/// cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.
template <Eviction = Eviction::normal, class T, class U>
SLUICE_DEVICE void bulkLoad(Shared<T> destination, Global<U> source, u32 bytes, Mbarrier barrier,
                            Site site = Site::current()) {
  static_assert(detail::same<T, detail::Value<U>>, "expected the same type on both sides");
  sluiceEmuBulkLoad(destination.address(), detail::Access::pointer(source), bytes, barrier.address(), site);
}
/// Thread. bulkLoad into the same place of every block whose bit is set in the mask.
template <Eviction = Eviction::normal, class T, class U>
SLUICE_DEVICE void bulkLoadMulticast(Shared<T> destination, Global<U> source, u32 bytes, Mbarrier barrier,
                                     u16 mask, Site site = Site::current()) {
  static_assert(detail::same<T, detail::Value<U>>, "expected the same type on both sides");
  sluiceEmuBulkLoadMulticast(destination.address(), detail::Access::pointer(source), bytes, barrier.address(),
                             mask, site);
}
/// Thread. Stores contiguous bytes; tracked by bulk groups. cp.async.bulk.global.shared::cta.bulk_group.
template <Eviction = Eviction::normal, class T>
SLUICE_DEVICE void bulkStore(Global<T> destination, Shared<T> source, u32 bytes,
                             Site site = Site::current()) {
  sluiceEmuBulkStore(detail::Access::pointer(destination), source.address(), bytes, site);
}
/// Thread. Copies to a block of the cluster, whose barrier counts the bytes; that phase also says that the
/// source has been read. cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes.
template <class T>
SLUICE_DEVICE void bulkCopyToPeer(RemoteShared<T> destination, Shared<T> source, u32 bytes,
                                  RemoteMbarrier barrier, Site site = Site::current()) {
  sluiceEmuBulkCopyToPeer(destination.address(), source.address(), bytes, barrier.address(), site);
}

/// Thread. Its stores since the last commit form a group. cp.async.bulk.commit_group.
SLUICE_DEVICE void bulkCommit(Site site = Site::current()) { sluiceEmuBulkCommit(site); }
/// Thread. Returns when at most Pending of its youngest groups are unfinished: the others' writes are visible
/// to it. cp.async.bulk.wait_group.
template <int Pending> SLUICE_DEVICE void bulkWait(Site site = Site::current()) {
  static_assert(Pending >= 0, "expected a number of groups");
  sluiceEmuBulkWait(Pending, site);
}
/// Thread. As bulkWait, but only the sources are free again: nothing is said of what was written.
/// cp.async.bulk.wait_group.read.
template <int Pending> SLUICE_DEVICE void bulkWaitRead(Site site = Site::current()) {
  static_assert(Pending >= 0, "expected a number of groups");
  sluiceEmuBulkWaitRead(Pending, site);
}

} // namespace sluice::device
