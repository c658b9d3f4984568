// Kernels for the checker's own test: wgmma and clusters of sm_90a. AdversarialTest.cpp says which are wrong. 128
// threads.
#include "Device.h"
#include "wgmma/n8.h"

#define CASE(name)                                                                                                     \
  SLUICE_KERNEL(name, 128)(Global<const f32> in, Global<f32> out, Global<f32> scratch, Global<u32> counter)

namespace {
SLUICE_DEVICE Shared<f32> slot(u32 index) { return sharedMemory<f32>(0) + i32(index); }
SLUICE_DEVICE Mbarrier barrier(u32 index) { return Mbarrier(sharedMemory<u64>(16384)).at(index); }
SLUICE_DEVICE void result(Global<f32> out, f32 value) {
  storeGlobal(out + (i64(blockIndex()) * 128 + threadIndex()), value);
}
} // namespace

//===--- wgmma

namespace {
struct Product {
  WgmmaAccumulator<8> sum;
  WgmmaDescriptor<bf16> a, b;
};
SLUICE_DEVICE void fillOperands(bool fence) {
  for (u32 i = threadIndex(); i < 64 * 64; i += 128)
    storeShared(sharedMemory<bf16>(0) + i32(i), bf16{0});
  if (fence)
    fenceProxyAsyncShared();
  syncThreads();
}
SLUICE_DEVICE Product start() {
  Product p;
  p.a = p.b = wgmmaDescriptor(sharedMemory<bf16>(0), Swizzle::bytes128, 16, 1024);
  p.sum.fill(0);
  return p;
}
} // namespace

CASE(wgmma_right) {
  fillOperands(true);
  Product p = start();
  wgmmaFence();
  wgmma(p.sum, p.a, p.b, true);
  wgmmaCommit();
  wgmmaWait<0>(p.sum);
  result(out, p.sum.r(0));
}
SLUICE_EXPORT(wgmma_right)

CASE(wgmma_operands_not_fenced) {
  fillOperands(false);
  Product p = start();
  wgmmaFence();
  wgmma(p.sum, p.a, p.b, true);
  wgmmaCommit();
  wgmmaWait<0>(p.sum);
  result(out, p.sum.r(0));
}
SLUICE_EXPORT(wgmma_operands_not_fenced)

CASE(wgmma_without_fence) {
  fillOperands(true);
  Product p = start();
  wgmma(p.sum, p.a, p.b, true);
  wgmmaCommit();
  wgmmaWait<0>(p.sum);
  result(out, p.sum.r(0));
}
SLUICE_EXPORT(wgmma_without_fence)

CASE(wgmma_result_read_early) {
  fillOperands(true);
  Product p = start();
  wgmmaFence();
  wgmma(p.sum, p.a, p.b, true);
  wgmmaCommit();
  const f32 x = p.sum.r(1);
  wgmmaWait<0>(p.sum);
  result(out, x);
}
SLUICE_EXPORT(wgmma_result_read_early)

CASE(wgmma_wait_leaves_one) {
  fillOperands(true);
  Product p = start(), q = start();
  wgmmaFence();
  wgmma(p.sum, p.a, p.b, true);
  wgmmaCommit();
  wgmma(q.sum, q.a, q.b, true);
  wgmmaCommit();
  wgmmaWait<1>(p.sum);
  const f32 x = p.sum.r(0) + q.sum.r(0);
  wgmmaWait<0>(q.sum);
  result(out, x);
}
SLUICE_EXPORT(wgmma_wait_leaves_one)

CASE(wgmma_operand_overwritten) {
  fillOperands(true);
  Product p = start();
  wgmmaFence();
  wgmma(p.sum, p.a, p.b, true);
  wgmmaCommit();
  if (threadIndex() == 9)
    storeShared(sharedMemory<bf16>(0), bf16{0});
  wgmmaWait<0>(p.sum);
  result(out, p.sum.r(0));
}
SLUICE_EXPORT(wgmma_operand_overwritten)

CASE(wgmma_register_operand_overwritten) {
  fillOperands(true);
  Product p = start();
  WgmmaA<bf16> a;
  unrolled<4>([&](auto i) { a.r(i) = 0; });
  wgmmaFence();
  wgmma(p.sum, a, p.b, true);
  wgmmaCommit();
  a.r(2) = 1;
  wgmmaWait<0>(p.sum);
  result(out, p.sum.r(0));
}
SLUICE_EXPORT(wgmma_register_operand_overwritten)

// The first warp's wait says nothing of the others', whose part of the product may still read the operand.
CASE(wgmma_one_warp_waited) {
  fillOperands(true);
  Product p = start();
  wgmmaFence();
  wgmma(p.sum, p.a, p.b, true);
  wgmmaCommit();
  wgmmaWait<0>(p.sum);
  if (threadIndex() == 0)
    storeShared(sharedMemory<bf16>(64 * 128 - 16), bf16{0});
  result(out, p.sum.r(0));
}
SLUICE_EXPORT(wgmma_one_warp_waited)

//===--- Clusters of two blocks

CASE(cluster_exchange) {
  storeShared(slot(threadIndex()), 1.0f);
  clusterArrive();
  clusterWait();
  const f32 x = loadRemote(mapShared(slot(threadIndex()), clusterRank() ^ 1));
  clusterArrive();
  clusterWait();
  result(out, x);
}
SLUICE_EXPORT(cluster_exchange)

CASE(cluster_arrive_relaxed) {
  storeShared(slot(threadIndex()), 1.0f);
  clusterArriveRelaxed();
  clusterWait();
  const f32 x = loadRemote(mapShared(slot(threadIndex()), clusterRank() ^ 1));
  clusterArrive();
  clusterWait();
  result(out, x);
}
SLUICE_EXPORT(cluster_arrive_relaxed)

CASE(cluster_write_after_arrive) {
  clusterArrive();
  storeShared(slot(threadIndex()), 1.0f);
  clusterWait();
  const f32 x = loadRemote(mapShared(slot(threadIndex()), clusterRank() ^ 1));
  clusterArrive();
  clusterWait();
  result(out, x);
}
SLUICE_EXPORT(cluster_write_after_arrive)

CASE(cluster_exit_too_early) {
  storeShared(slot(threadIndex()), 1.0f);
  clusterArrive();
  clusterWait();
  if (clusterRank() == 0)
    result(out, loadRemote(mapShared(slot(threadIndex()), 1)));
}
SLUICE_EXPORT(cluster_exit_too_early)

CASE(cluster_barrier_of_the_block) {
  storeShared(slot(threadIndex()), 1.0f);
  syncThreads();
  const f32 x = loadRemote(mapShared(slot(threadIndex()), clusterRank() ^ 1));
  clusterArrive();
  clusterWait();
  result(out, x);
}
SLUICE_EXPORT(cluster_barrier_of_the_block)

// Arrives on the peer's barrier, which the peer may not have initialised.
CASE(cluster_remote_arrive_early) {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(0), 1);
    mbarrierFenceInit();
    mbarrierArriveRemote(mapMbarrier(barrier(0), clusterRank() ^ 1));
  }
  syncThreads();
  mbarrierWait(barrier(0), 0);
  clusterArrive();
  clusterWait();
  result(out, 1);
}
SLUICE_EXPORT(cluster_remote_arrive_early)

// The wait orders the block's own threads; what a peer wrote needs the scope of the cluster.
CASE(cluster_remote_store) {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(0), 128);
    mbarrierFenceInit();
  }
  clusterArrive();
  clusterWait();
  storeRemote(mapShared(slot(threadIndex()), clusterRank() ^ 1), 1.0f);
  mbarrierArriveRemote(mapMbarrier(barrier(0), clusterRank() ^ 1));
  mbarrierWaitCluster(barrier(0), 0);
  result(out, loadShared(slot(threadIndex() ^ 32)));
}
SLUICE_EXPORT(cluster_remote_store)

CASE(cluster_store_after_arrive) {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(0), 128);
    mbarrierFenceInit();
  }
  clusterArrive();
  clusterWait();
  mbarrierArriveRemote(mapMbarrier(barrier(0), clusterRank() ^ 1));
  storeRemote(mapShared(slot(threadIndex()), clusterRank() ^ 1), 1.0f);
  mbarrierWaitCluster(barrier(0), 0);
  result(out, loadShared(slot(threadIndex() ^ 32)));
  clusterArrive();
  clusterWait();
}
SLUICE_EXPORT(cluster_store_after_arrive)

CASE(cluster_store_async) {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(0), 1);
    mbarrierFenceInit();
    mbarrierArriveExpect(barrier(0), 512);
  }
  clusterArrive();
  clusterWait();
  storeAsync(mapShared(slot(threadIndex()), clusterRank() ^ 1), 1.0f, mapMbarrier(barrier(0), clusterRank() ^ 1));
  mbarrierWaitCluster(barrier(0), 0);
  result(out, loadShared(slot(threadIndex() ^ 32)));
}
SLUICE_EXPORT(cluster_store_async)

CASE(cluster_store_async_not_awaited) {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(0), 1);
    mbarrierFenceInit();
    mbarrierArriveExpect(barrier(0), 512);
  }
  clusterArrive();
  clusterWait();
  storeAsync(mapShared(slot(threadIndex()), clusterRank() ^ 1), 1.0f, mapMbarrier(barrier(0), clusterRank() ^ 1));
  clusterArrive();
  clusterWait();
  const f32 x = loadShared(slot(threadIndex() ^ 32));
  mbarrierWaitCluster(barrier(0), 0);
  result(out, x);
}
SLUICE_EXPORT(cluster_store_async_not_awaited)

// Tiles brought by cp.async are ordinary writes to wgmma.
CASE(wgmma_of_copies_not_fenced) {
  for (u32 i = threadIndex(); i < 512; i += 128)
    cpAsync<16>(slot(i * 4), in + i64(i * 4));
  cpAsyncCommit();
  cpAsyncWait<0>();
  syncThreads();
  Product p = start();
  wgmmaFence();
  wgmma(p.sum, p.a, p.b, true);
  wgmmaCommit();
  wgmmaWait<0>(p.sum);
  result(out, p.sum.r(0));
}
SLUICE_EXPORT(wgmma_of_copies_not_fenced)

CASE(wgmma_of_copies_fenced) {
  for (u32 i = threadIndex(); i < 512; i += 128)
    cpAsync<16>(slot(i * 4), in + i64(i * 4));
  cpAsyncCommit();
  cpAsyncWait<0>();
  fenceProxyAsyncShared();
  syncThreads();
  Product p = start();
  wgmmaFence();
  wgmma(p.sum, p.a, p.b, true);
  wgmmaCommit();
  wgmmaWait<0>(p.sum);
  result(out, p.sum.r(0));
}
SLUICE_EXPORT(wgmma_of_copies_fenced)

// One of four warps waits for nothing.
CASE(wgmma_one_warp_does_not_wait) {
  fillOperands(true);
  Product p = start();
  wgmmaFence();
  wgmma(p.sum, p.a, p.b, true);
  wgmmaCommit();
  if (warpIndex() != 2)
    wgmmaWait<0>(p.sum);
  syncThreads();
  if (threadIndex() == 0)
    storeShared(sharedMemory<bf16>(40 * 128), bf16{0}); // the third warp's rows
  wgmmaWait<0>(p.sum);
  result(out, p.sum.r(0));
}
SLUICE_EXPORT(wgmma_one_warp_does_not_wait)

// The accumulator's registers are changed between two products without a fence.
CASE(wgmma_changed_between) {
  fillOperands(true);
  Product p = start();
  wgmmaFence();
  wgmma(p.sum, p.a, p.b, true);
  wgmmaCommit();
  wgmmaWait<0>(p.sum);
  p.sum.r(1) = 3;
  wgmma(p.sum, p.a, p.b, true);
  wgmmaCommit();
  wgmmaWait<0>(p.sum);
  result(out, p.sum.r(0));
}
SLUICE_EXPORT(wgmma_changed_between)

//===--- Asynchronous stores to a peer

namespace {
SLUICE_DEVICE void expectStores(u32 count) {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(0), 1);
    mbarrierFenceInit();
    mbarrierArriveExpect(barrier(0), 4 * count);
  }
  clusterArrive();
  clusterWait();
}
SLUICE_DEVICE void storeToPeer() {
  const u32 peer = clusterRank() ^ 1;
  storeAsync(mapShared(slot(threadIndex()), peer), 1.0f, mapMbarrier(barrier(0), peer));
}
} // namespace

CASE(cluster_stores_awaited) {
  expectStores(128);
  storeToPeer();
  mbarrierWaitCluster(barrier(0), 0);
  result(out, loadShared(slot(threadIndex() ^ 64)));
}
SLUICE_EXPORT(cluster_stores_awaited)

CASE(cluster_one_store_not_expected) {
  expectStores(127);
  storeToPeer();
  mbarrierWaitCluster(barrier(0), 0);
  result(out, loadShared(slot(threadIndex() ^ 64)));
}
SLUICE_EXPORT(cluster_one_store_not_expected)

CASE(cluster_reads_before_the_stores) {
  storeShared(slot(threadIndex()), 0.0f);
  expectStores(128);
  storeToPeer();
  const f32 x = loadShared(slot(threadIndex()));
  mbarrierWaitCluster(barrier(0), 0);
  result(out, x);
}
SLUICE_EXPORT(cluster_reads_before_the_stores)

CASE(cluster_stores_to_who_has_left) {
  expectStores(128);
  if (clusterRank() == 0)
    storeToPeer();
}
SLUICE_EXPORT(cluster_stores_to_who_has_left)

//===--- Bulk stores that another block reads

CASE(released_when_only_read) {
  if (blockIndex() == 0) {
    storeShared(slot(threadIndex()), 1.0f);
    fenceProxyAsyncShared();
    syncThreads();
    if (threadIndex() == 0) {
      bulkStore(scratch, slot(0), 512);
      bulkCommit();
      bulkWaitRead<0>();
      addCounter<Order::release>(counter, 1);
    }
  } else {
    if (threadIndex() == 0)
      waitCounter(counter, 1);
    syncThreads();
    result(out, loadGlobal(scratch + i64(threadIndex())));
  }
}
SLUICE_EXPORT(released_when_only_read)

CASE(released_when_written) {
  if (blockIndex() == 0) {
    storeShared(slot(threadIndex()), 1.0f);
    fenceProxyAsyncShared();
    syncThreads();
    if (threadIndex() == 0) {
      bulkStore(scratch, slot(0), 512);
      bulkCommit();
      bulkWait<0>();
      addCounter<Order::release>(counter, 1);
    }
  } else {
    if (threadIndex() == 0)
      waitCounter(counter, 1);
    syncThreads();
    result(out, loadGlobal(scratch + i64(threadIndex())));
  }
}
SLUICE_EXPORT(released_when_written)
