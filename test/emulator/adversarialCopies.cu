// Kernels for the checker's own test: asynchronous operations among each other. AdversarialTest.cpp says which are
// wrong. 128 threads.
#include "Device.h"
#include "wgmma/n8.h"

#define CASE(name)                                                                                                     \
  SLUICE_KERNEL(name, 128)(Global<const f32> in, Global<f32> out, Global<f32> scratch, Global<u32> counter)

namespace {
constexpr u32 bytes = 512;
SLUICE_DEVICE Shared<f32> slot(u32 index) { return sharedMemory<f32>(0) + i32(index); }
SLUICE_DEVICE Mbarrier barrier(u32 index) { return Mbarrier(sharedMemory<u64>(16384)).at(index); }
SLUICE_DEVICE void result(Global<f32> out, f32 value) {
  storeGlobal(out + (i64(blockIndex()) * 128 + threadIndex()), value);
}
SLUICE_DEVICE void prepare() {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(0), 1);
    mbarrierInit(barrier(1), 1);
    mbarrierFenceInit();
  }
  syncThreads();
}
SLUICE_DEVICE void load(u32 index, Global<const f32> from, u32 to) {
  mbarrierArriveExpect(barrier(index), bytes);
  bulkLoad(slot(to), from, bytes, barrier(index));
}
/// 8 KiB of zeros, known to the async proxy and to all.
SLUICE_DEVICE void fillShared() {
  for (u32 i = threadIndex(); i < 2048; i += 128)
    storeShared(slot(i), 0.0f);
  fenceProxyAsyncShared();
  syncThreads();
}
SLUICE_DEVICE void send(Global<f32> to, u32 from) {
  bulkStore(to, slot(from), bytes);
  bulkCommit();
}
SLUICE_DEVICE WgmmaDescriptor<bf16> operand(u32 from) {
  return wgmmaDescriptor(sharedMemory<bf16>(from), Swizzle::bytes128, 16, 1024);
}
} // namespace

CASE(two_loads_into_one_place) {
  prepare();
  if (threadIndex() == 0) {
    load(0, in, 0);
    load(1, in + 128, 0);
  }
  mbarrierWait(barrier(0), 0);
  mbarrierWait(barrier(1), 0);
  result(out, loadShared(slot(threadIndex())));
}
SLUICE_EXPORT(two_loads_into_one_place)

CASE(two_loads_in_turn) {
  prepare();
  if (threadIndex() == 0) {
    load(0, in, 0);
    mbarrierWait(barrier(0), 0);
    load(1, in + 128, 0);
  }
  mbarrierWait(barrier(1), 0);
  result(out, loadShared(slot(threadIndex())));
}
SLUICE_EXPORT(two_loads_in_turn)

// Waits for one barrier and reads what the other one announces.
CASE(wrong_barrier) {
  prepare();
  if (threadIndex() == 0) {
    load(0, in, 0);
    load(1, in + 128, 128);
  }
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(128 + threadIndex())));
}
SLUICE_EXPORT(wrong_barrier)

CASE(load_into_what_a_store_reads) {
  prepare();
  fillShared();
  if (threadIndex() == 0) {
    send(out, 0);
    load(0, in, 0);
    mbarrierWait(barrier(0), 0);
    bulkWait<0>();
  }
}
SLUICE_EXPORT(load_into_what_a_store_reads)

CASE(load_after_the_store_has_read) {
  prepare();
  fillShared();
  if (threadIndex() == 0) {
    send(out, 0);
    bulkWaitRead<0>();
    load(0, in, 0);
    mbarrierWait(barrier(0), 0);
    bulkWait<0>();
  }
}
SLUICE_EXPORT(load_after_the_store_has_read)

// Of two groups the newer may still be reading.
CASE(one_store_still_pending) {
  prepare();
  fillShared();
  if (threadIndex() == 0) {
    send(out, 0);
    send(out + 128, 128);
    bulkWaitRead<1>();
    storeShared(slot(128), 1.0f);
    bulkWait<0>();
  }
}
SLUICE_EXPORT(one_store_still_pending)

CASE(older_store_has_read) {
  prepare();
  fillShared();
  if (threadIndex() == 0) {
    send(out, 0);
    send(out + 128, 128);
    bulkWaitRead<1>();
    storeShared(slot(0), 1.0f);
    bulkWait<0>();
  }
}
SLUICE_EXPORT(older_store_has_read)

CASE(two_stores_to_one_place) {
  prepare();
  fillShared();
  if (threadIndex() == 0) {
    send(out, 0);
    send(out, 128);
    bulkWait<0>();
  }
}
SLUICE_EXPORT(two_stores_to_one_place)

// Global memory written and fetched again by the copy engine.
CASE(fetched_before_it_is_written) {
  prepare();
  fillShared();
  if (threadIndex() == 0) {
    send(scratch, 0);
    bulkWaitRead<0>();
    load(0, scratch, 256);
  }
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(256 + threadIndex())));
  if (threadIndex() == 0)
    bulkWait<0>();
}
SLUICE_EXPORT(fetched_before_it_is_written)

CASE(fetched_after_it_is_written) {
  prepare();
  fillShared();
  if (threadIndex() == 0) {
    send(scratch, 0);
    bulkWait<0>();
    load(0, scratch, 256);
  }
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(256 + threadIndex())));
}
SLUICE_EXPORT(fetched_after_it_is_written)

// Registers go to shared memory by stmatrix and on by the copy engine.
CASE(stmatrix_not_fenced) {
  LdRegisters<4> registers;
  unrolled<4>([&](auto i) { registers.r(i) = 0; });
  stmatrix<4>(sharedMemory<bf16>(warpIndex() * 512) + i32(laneIndex() * 8), registers);
  syncThreads();
  if (threadIndex() == 0) {
    send(out, 0);
    bulkWait<0>();
  }
}
SLUICE_EXPORT(stmatrix_not_fenced)

CASE(stmatrix_fenced) {
  LdRegisters<4> registers;
  unrolled<4>([&](auto i) { registers.r(i) = 0; });
  stmatrix<4>(sharedMemory<bf16>(warpIndex() * 512) + i32(laneIndex() * 8), registers);
  fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    send(out, 0);
    bulkWait<0>();
  }
}
SLUICE_EXPORT(stmatrix_fenced)

// A ring of two stages whose parity turns with every stage instead of every round.
CASE(parity_turns_too_often) {
  prepare();
  f32 sum = 0;
  for (u32 i = 0; i < 4; ++i) {
    if (threadIndex() == 0)
      load(i % 2, in, i % 2 * 128);
    mbarrierWait(barrier(i % 2), i & 1);
    sum += loadShared(slot(i % 2 * 128 + threadIndex()));
    syncThreads();
  }
  result(out, sum);
}
SLUICE_EXPORT(parity_turns_too_often)

CASE(parity_turns_by_round) {
  prepare();
  f32 sum = 0;
  for (u32 i = 0; i < 4; ++i) {
    if (threadIndex() == 0)
      load(i % 2, in, i % 2 * 128);
    mbarrierWait(barrier(i % 2), i / 2 & 1);
    sum += loadShared(slot(i % 2 * 128 + threadIndex()));
    syncThreads();
  }
  result(out, sum);
}
SLUICE_EXPORT(parity_turns_by_round)

//===--- wgmma beside copies

CASE(load_into_an_operand_in_flight) {
  prepare();
  fillShared();
  WgmmaAccumulator<8> sum;
  sum.fill(0);
  wgmmaFence();
  wgmma(sum, operand(0), operand(0), true);
  wgmmaCommit();
  if (threadIndex() == 0)
    load(0, in, 0);
  wgmmaWait<0>(sum);
  mbarrierWait(barrier(0), 0);
  result(out, sum.r(0));
}
SLUICE_EXPORT(load_into_an_operand_in_flight)

// The first warp has waited, the load overwrites what the other warps multiply.
CASE(load_after_one_warp_waited) {
  prepare();
  fillShared();
  WgmmaAccumulator<8> sum;
  sum.fill(0);
  wgmmaFence();
  wgmma(sum, operand(0), operand(0), true);
  wgmmaCommit();
  wgmmaWait<0>(sum);
  if (threadIndex() == 0)
    load(0, in, 0);
  mbarrierWait(barrier(0), 0);
  result(out, sum.r(0));
}
SLUICE_EXPORT(load_after_one_warp_waited)

CASE(load_after_all_waited) {
  prepare();
  fillShared();
  WgmmaAccumulator<8> sum;
  sum.fill(0);
  wgmmaFence();
  wgmma(sum, operand(0), operand(0), true);
  wgmmaCommit();
  wgmmaWait<0>(sum);
  syncThreads();
  if (threadIndex() == 0)
    load(0, in, 0);
  mbarrierWait(barrier(0), 0);
  result(out, sum.r(0));
}
SLUICE_EXPORT(load_after_all_waited)

// Two groups; after waiting for the older its operand is free, that of the newer is not.
CASE(operand_of_the_newer_group) {
  prepare();
  fillShared();
  WgmmaAccumulator<8> first, second;
  first.fill(0);
  second.fill(0);
  wgmmaFence();
  wgmma(first, operand(0), operand(0), true);
  wgmmaCommit();
  wgmma(second, operand(0), operand(8192 - 1024), true);
  wgmmaCommit();
  wgmmaWait<1>(first);
  syncThreads();
  if (threadIndex() == 0)
    load(0, in, 2048 - 256);
  wgmmaWait<0>(second);
  mbarrierWait(barrier(0), 0);
  result(out, first.r(0) + second.r(0));
}
SLUICE_EXPORT(operand_of_the_newer_group)

CASE(register_operand_not_fenced) {
  prepare();
  fillShared();
  WgmmaAccumulator<8> sum;
  sum.fill(0);
  WgmmaA<bf16> a;
  wgmmaFence();
  unrolled<4>([&](auto i) { a.r(i) = 0; });
  wgmma(sum, a, operand(0), true);
  wgmmaCommit();
  wgmmaWait<0>(sum);
  result(out, sum.r(0));
}
SLUICE_EXPORT(register_operand_not_fenced)

CASE(operand_undefined) {
  prepare();
  WgmmaAccumulator<8> sum;
  sum.fill(0);
  wgmmaFence();
  wgmma(sum, operand(0), operand(0), true);
  wgmmaCommit();
  wgmmaWait<0>(sum);
  result(out, sum.r(0));
}
SLUICE_EXPORT(operand_undefined)

// Never committed, so the wait is for nothing.
CASE(product_not_committed) {
  prepare();
  fillShared();
  WgmmaAccumulator<8> sum;
  sum.fill(0);
  wgmmaFence();
  wgmma(sum, operand(0), operand(0), true);
  wgmmaWait<0>(sum);
  const f32 x = sum.r(0);
  wgmmaCommit();
  wgmmaWait<0>(sum);
  result(out, x);
}
SLUICE_EXPORT(product_not_committed)

//===--- Clusters of two blocks

// The peer reads; its place is written again before the cluster has met.
CASE(cluster_overwritten_too_early) {
  storeShared(slot(threadIndex()), 1.0f);
  clusterArrive();
  clusterWait();
  const f32 x = loadRemote(mapShared(slot(threadIndex()), clusterRank() ^ 1));
  storeShared(slot(threadIndex()), 2.0f);
  clusterArrive();
  clusterWait();
  result(out, x);
}
SLUICE_EXPORT(cluster_overwritten_too_early)

CASE(cluster_copy_to_peer) {
  prepare();
  fillShared();
  if (threadIndex() == 0)
    mbarrierArriveExpect(barrier(0), bytes);
  clusterArrive();
  clusterWait();
  if (threadIndex() == 0)
    bulkCopyToPeer(mapShared(slot(512), clusterRank() ^ 1), slot(0), bytes, mapMbarrier(barrier(0), clusterRank() ^ 1));
  mbarrierWaitCluster(barrier(0), 0);
  result(out, loadShared(slot(512 + threadIndex())));
  clusterArrive();
  clusterWait();
}
SLUICE_EXPORT(cluster_copy_to_peer)

// The source is written again, but only the peer knows when it has been read.
CASE(cluster_copy_source_reused) {
  prepare();
  fillShared();
  if (threadIndex() == 0)
    mbarrierArriveExpect(barrier(0), bytes);
  clusterArrive();
  clusterWait();
  if (threadIndex() == 0) {
    bulkCopyToPeer(mapShared(slot(512), clusterRank() ^ 1), slot(0), bytes, mapMbarrier(barrier(0), clusterRank() ^ 1));
    storeShared(slot(3), 1.0f);
  }
  mbarrierWaitCluster(barrier(0), 0);
  result(out, loadShared(slot(512 + threadIndex())));
  clusterArrive();
  clusterWait();
}
SLUICE_EXPORT(cluster_copy_source_reused)

CASE(cluster_multicast) {
  prepare();
  if (threadIndex() == 0)
    mbarrierArriveExpect(barrier(0), bytes);
  clusterArrive();
  clusterWait();
  if (threadIndex() == 0 && clusterRank() == 0)
    bulkLoadMulticast(slot(0), in, bytes, barrier(0), u16(3));
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(threadIndex())));
}
SLUICE_EXPORT(cluster_multicast)

// The peer's barrier may not have been initialised when the copy arrives there.
CASE(cluster_multicast_too_early) {
  prepare();
  if (threadIndex() == 0) {
    mbarrierArriveExpect(barrier(0), bytes);
    if (clusterRank() == 0)
      bulkLoadMulticast(slot(0), in, bytes, barrier(0), u16(3));
  }
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(threadIndex())));
  clusterArrive();
  clusterWait();
}
SLUICE_EXPORT(cluster_multicast_too_early)

CASE(cluster_multicast_unexpected) {
  prepare();
  if (threadIndex() == 0 && clusterRank() == 0)
    mbarrierArriveExpect(barrier(0), bytes);
  clusterArrive();
  clusterWait();
  if (threadIndex() == 0 && clusterRank() == 0)
    bulkLoadMulticast(slot(0), in, bytes, barrier(0), u16(3));
  clusterArrive();
  if (clusterRank() == 0)
    mbarrierWait(barrier(0), 0);
  clusterWait();
  result(out, loadShared(slot(threadIndex())));
}
SLUICE_EXPORT(cluster_multicast_unexpected)
