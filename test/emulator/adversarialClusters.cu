// Kernels for the checker's own test: what must be known before the shared memory of another block of the
// cluster may be reached. AdversarialTest.cpp says which are wrong. 128 threads, clusters of two blocks.
#include "Device.h"

#define CASE(name)                                                                                           \
  SLUICE_KERNEL(name, 128)(Global<const f32> in, Global<f32> out, Global<f32> scratch, Global<u32> counter)

namespace {
constexpr u32 bytes = 512;
SLUICE_DEVICE Shared<f32> slot(u32 index) { return sharedMemory<f32>(0) + i32(index); }
SLUICE_DEVICE Mbarrier barrier() { return Mbarrier(sharedMemory<u64>(16384)); }
SLUICE_DEVICE u32 peer() { return clusterRank() ^ 1; }
SLUICE_DEVICE void result(Global<f32> out, f32 value) {
  storeGlobal(out + (i64(blockIndex()) * 128 + threadIndex()), value);
}
SLUICE_DEVICE void prepare() {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(), 1);
    mbarrierFenceInit();
  }
  fenceProxyAsyncShared();
  syncThreads();
}
SLUICE_DEVICE void meetCluster() {
  clusterArrive();
  clusterWait();
}
SLUICE_DEVICE void storeToPeer() { storeRemote(mapShared(slot(threadIndex()), peer()), 1.0f); }
/// The stores of the peer are over.
SLUICE_DEVICE void finish(Global<f32> out) {
  meetCluster();
  result(out, loadShared(slot(threadIndex())));
}
} // namespace

CASE(cluster_start_unknown) {
  storeToPeer();
  finish(out);
}
SLUICE_EXPORT(cluster_start_unknown)

CASE(cluster_start_by_the_own_block) {
  syncThreads();
  storeToPeer();
  finish(out);
}
SLUICE_EXPORT(cluster_start_by_the_own_block)

CASE(cluster_start_not_awaited) {
  clusterArrive();
  storeToPeer();
  clusterWait();
  finish(out);
}
SLUICE_EXPORT(cluster_start_not_awaited)

CASE(cluster_start_awaited) {
  clusterArrive();
  clusterWait();
  storeToPeer();
  finish(out);
}
SLUICE_EXPORT(cluster_start_awaited)

// Who has arrived has started, whatever else of it is not ordered.
CASE(cluster_start_relaxed) {
  clusterArriveRelaxed();
  clusterWait();
  storeToPeer();
  finish(out);
}
SLUICE_EXPORT(cluster_start_relaxed)

CASE(cluster_start_awaited_by_another_warp) {
  clusterArriveRelaxed();
  if (warpIndex() != 3)
    clusterWait();
  storeToPeer();
  if (warpIndex() == 3)
    clusterWait();
  finish(out);
}
SLUICE_EXPORT(cluster_start_awaited_by_another_warp)

CASE(cluster_start_passed_on) {
  clusterArriveRelaxed();
  if (warpIndex() != 3)
    clusterWait();
  syncThreads();
  storeToPeer();
  if (warpIndex() == 3)
    clusterWait();
  finish(out);
}
SLUICE_EXPORT(cluster_start_passed_on)

// A counter in global memory says it, too.
CASE(cluster_start_counted) {
  if (threadIndex() == 0) {
    addCounter<Order::release>(counter, 1);
    waitCounter(counter, 2);
  }
  syncThreads();
  storeToPeer();
  finish(out);
}
SLUICE_EXPORT(cluster_start_counted)

CASE(cluster_start_of_itself) {
  storeRemote(mapShared(slot(threadIndex()), clusterRank()), 1.0f);
  result(out, loadRemote(mapShared(slot(threadIndex()), clusterRank())));
}
SLUICE_EXPORT(cluster_start_of_itself)

CASE(cluster_start_unknown_to_a_read) {
  storeShared(slot(threadIndex()), 1.0f);
  result(out, loadRemote(mapShared(slot(threadIndex()), peer())));
  meetCluster();
}
SLUICE_EXPORT(cluster_start_unknown_to_a_read)

CASE(cluster_start_unknown_to_an_arrival) {
  prepare();
  if (threadIndex() == 0) {
    mbarrierArriveRemote(mapMbarrier(barrier(), peer()));
    mbarrierWaitCluster(barrier(), 0);
  }
  meetCluster();
}
SLUICE_EXPORT(cluster_start_unknown_to_an_arrival)

CASE(cluster_start_unknown_to_an_expectation) {
  prepare();
  if (threadIndex() == 0)
    mbarrierExpectRemote(mapMbarrier(barrier(), peer()), bytes);
  meetCluster();
}
SLUICE_EXPORT(cluster_start_unknown_to_an_expectation)

CASE(cluster_start_unknown_to_a_store) {
  prepare();
  if (threadIndex() == 0)
    mbarrierArriveExpect(barrier(), bytes);
  storeAsync(mapShared(slot(threadIndex()), peer()), 1.0f, mapMbarrier(barrier(), peer()));
  mbarrierWaitCluster(barrier(), 0);
  finish(out);
}
SLUICE_EXPORT(cluster_start_unknown_to_a_store)

CASE(cluster_start_unknown_to_a_copy) {
  storeShared(slot(threadIndex()), 1.0f);
  prepare();
  if (threadIndex() == 0) {
    mbarrierArriveExpect(barrier(), bytes);
    bulkCopyToPeer(mapShared(slot(128), peer()), slot(0), bytes, mapMbarrier(barrier(), peer()));
  }
  mbarrierWaitCluster(barrier(), 0);
  meetCluster();
}
SLUICE_EXPORT(cluster_start_unknown_to_a_copy)

CASE(cluster_start_unknown_to_a_multicast) {
  prepare();
  if (threadIndex() == 0) {
    mbarrierArriveExpect(barrier(), bytes);
    if (clusterRank() == 0)
      bulkLoadMulticast(slot(0), in, bytes, barrier(), u16(3));
  }
  mbarrierWaitCluster(barrier(), 0);
  meetCluster();
}
SLUICE_EXPORT(cluster_start_unknown_to_a_multicast)
