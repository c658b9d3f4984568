// Like handovers.cu, by what sm_90 added: bytes announced to a peer, multicast copies, the fence of both
// memories.
#include "Device.h"

namespace {

constexpr u32 bytes = 512; ///< Of 128 numbers.

SLUICE_DEVICE Shared<f32> slot(u32 index) { return sharedMemory<f32>(0) + i32(index); }
SLUICE_DEVICE Mbarrier barrier(u32 index) { return Mbarrier(sharedMemory<u64>(4096)).at(index); }
SLUICE_DEVICE void result(Global<f32> target, f32 value) {
  storeGlobal(target + (i64(blockIndex()) * 128 + threadIndex()), value);
}

} // namespace

// Each block of a pair brings half of what both read, and tells both how many bytes will come. Each waits for
// all that is done to it, so that it may end first.
SLUICE_KERNEL(hand_by_multicast, 128)(SLUICE_TENSOR_MAP(source), Global<const f32> more, Global<f32> target) {
  const Mbarrier full = barrier(0);
  const u32 rank = clusterRank();
  if (threadIndex() == 0) {
    mbarrierInit(full, 2);
    mbarrierFenceInit();
  }
  clusterArriveRelaxed(); // the fence has told the peer of the barrier
  clusterWait();
  if (threadIndex() == 0) {
    mbarrierExpect(full, bytes);
    mbarrierArrive(full);
    mbarrierExpectRemote(mapMbarrier(full, rank ^ 1), bytes);
    mbarrierArriveRemote(mapMbarrier(full, rank ^ 1));
    if (rank == 0)
      tensorLoadMulticast(slot(0), source, full, 3, 0);
    else
      bulkLoadMulticast(slot(128), more, bytes, full, 3);
  }
  mbarrierWaitCluster(full, 0);
  result(target, loadShared(slot(threadIndex())) + loadShared(slot(128 + threadIndex())));
}
SLUICE_EXPORT(hand_by_multicast)

// Ordinary writes to both memories, bulk copies of both: one fence serves them, and the barrier.
SLUICE_KERNEL(hand_to_the_async_proxy, 128)(Global<const f32> source, Global<f32> target, Global<f32> mail) {
  if (threadIndex() == 0)
    mbarrierInit(barrier(0), 1);
  const f32 value = loadGlobal(source + i64(threadIndex()));
  storeGlobal(mail + i64(threadIndex()), value);
  storeShared(slot(128 + threadIndex()), value);
  fenceProxyAsync();
  syncThreads();
  if (threadIndex() == 0) {
    mbarrierArriveExpect(barrier(0), bytes);
    bulkLoad(slot(0), mail, bytes, barrier(0));
    bulkStore(mail + 128, slot(128), bytes);
    bulkCommit();
    bulkWait<0>();
  }
  mbarrierWait(barrier(0), 0);
  syncThreads();
  result(target, loadShared(slot(threadIndex())) + loadGlobal(mail + i64(128 + threadIndex())));
}
SLUICE_EXPORT(hand_to_the_async_proxy)
