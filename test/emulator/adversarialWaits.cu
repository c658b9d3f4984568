// Kernels for the checker's own test: who waits for whom, and who leaves too early. AdversarialTest.cpp says
// which are wrong. 128 threads.
#include "Device.h"

#define CASE(name)                                                                                           \
  SLUICE_KERNEL(name, 128)(Global<const f32> in, Global<f32> out, Global<f32> scratch, Global<u32> counter)

namespace {
constexpr u32 bytes = 512;
SLUICE_DEVICE Shared<f32> slot(u32 index) { return sharedMemory<f32>(0) + i32(index); }
SLUICE_DEVICE Mbarrier barrier(u32 index) { return Mbarrier(sharedMemory<u64>(16384)).at(index); }
SLUICE_DEVICE void result(Global<f32> out, f32 value) {
  storeGlobal(out + (i64(blockIndex()) * 128 + threadIndex()), value);
}
/// Barriers 0 and 1 with these counts, known to all of the block.
SLUICE_DEVICE void prepare(u32 full, u32 empty) {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(0), full);
    mbarrierInit(barrier(1), empty);
    mbarrierFenceInit();
  }
  syncThreads();
}
SLUICE_DEVICE void meetCluster() {
  clusterArrive();
  clusterWait();
}
} // namespace

//===--- Named barriers

CASE(pairs_of_warps) {
  storeShared(slot(threadIndex()), 1.0f);
  barrierSync(1 + warpIndex() / 2, 64);
  result(out, loadShared(slot(threadIndex() ^ 32)));
}
SLUICE_EXPORT(pairs_of_warps)

CASE(pairs_on_the_wrong_barrier) {
  storeShared(slot(threadIndex()), 1.0f);
  barrierSync(1 + warpIndex() % 2, 64);
  result(out, loadShared(slot(threadIndex() ^ 32)));
}
SLUICE_EXPORT(pairs_on_the_wrong_barrier)

CASE(barrier_of_another_number) {
  if (warpIndex() == 0)
    barrierArrive(2, 64);
  else if (warpIndex() == 1)
    barrierSync(3, 64);
}
SLUICE_EXPORT(barrier_of_another_number)

CASE(barrier_counts_a_warp_too_many) {
  if (warpIndex() < 3)
    barrierSync(1, 128);
}
SLUICE_EXPORT(barrier_counts_a_warp_too_many)

CASE(barrier_counts_a_warp_too_few) {
  if (warpIndex() < 3)
    barrierSync(1, 64);
}
SLUICE_EXPORT(barrier_counts_a_warp_too_few)

CASE(counts_of_a_barrier_differ) {
  if (warpIndex() < 3)
    barrierSync(1, warpIndex() == 2 ? 64 : 96);
}
SLUICE_EXPORT(counts_of_a_barrier_differ)

// The consumer releases the buffer by an arrival; the producer has to wait for it on the same barrier.
CASE(two_barriers_in_turn) {
  for (u32 round = 0; round < 4; ++round)
    if (warpIndex() == 0) {
      if (round > 0)
        barrierSync(2, 64);
      storeShared(slot(laneIndex()), 1.0f);
      barrierArrive(1, 64);
    } else if (warpIndex() == 1) {
      barrierSync(1, 64);
      const f32 x = loadShared(slot(laneIndex() ^ 3));
      if (round < 3)
        barrierArrive(2, 64);
      result(out, x);
    }
}
SLUICE_EXPORT(two_barriers_in_turn)

CASE(released_before_it_is_read) {
  for (u32 round = 0; round < 4; ++round)
    if (warpIndex() == 0) {
      if (round > 0)
        barrierSync(2, 64);
      storeShared(slot(laneIndex()), 1.0f);
      barrierArrive(1, 64);
    } else if (warpIndex() == 1) {
      barrierSync(1, 64);
      if (round < 3)
        barrierArrive(2, 64);
      result(out, loadShared(slot(laneIndex() ^ 3)));
    }
}
SLUICE_EXPORT(released_before_it_is_read)

//===--- Barriers in shared memory

CASE(all_but_one_arrive) {
  prepare(128, 1);
  if (threadIndex() != 77)
    mbarrierArrive(barrier(0));
  mbarrierWait(barrier(0), 0);
}
SLUICE_EXPORT(all_but_one_arrive)

// The count is reached before all have come.
CASE(one_arrives_for_two) {
  prepare(128, 1);
  storeShared(slot(threadIndex()), 1.0f);
  mbarrierArrive(barrier(0), threadIndex() == 77 ? 2 : 1);
  mbarrierWait(barrier(0), 0);
  f32 sum = 0;
  for (u32 i = 0; i < 128; ++i)
    sum = sum + loadShared(slot(i));
  result(out, sum);
}
SLUICE_EXPORT(one_arrives_for_two)

CASE(all_arrive) {
  prepare(128, 1);
  storeShared(slot(threadIndex()), 1.0f);
  mbarrierArrive(barrier(0));
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(threadIndex() ^ 99)));
}
SLUICE_EXPORT(all_arrive)

CASE(one_lane_arrives_for_its_warp) {
  prepare(4, 1);
  storeShared(slot(threadIndex()), 1.0f);
  syncWarp();
  if (laneIndex() == 0)
    mbarrierArrive(barrier(0));
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(threadIndex() ^ 99)));
}
SLUICE_EXPORT(one_lane_arrives_for_its_warp)

CASE(one_lane_arrives_unasked) {
  prepare(4, 1);
  storeShared(slot(threadIndex()), 1.0f);
  if (laneIndex() == 0)
    mbarrierArrive(barrier(0));
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(threadIndex() ^ 99)));
}
SLUICE_EXPORT(one_lane_arrives_unasked)

CASE(tested_instead_of_waited) {
  prepare(64, 1);
  if (threadIndex() >= 64) {
    storeShared(slot(threadIndex()), 1.0f);
    mbarrierArrive(barrier(0));
  } else {
    while (!mbarrierTest(barrier(0), 0)) {
    }
    result(out, loadShared(slot(threadIndex() + 64)));
  }
}
SLUICE_EXPORT(tested_instead_of_waited)

CASE(tested_once) {
  prepare(64, 1);
  if (threadIndex() >= 64) {
    storeShared(slot(threadIndex()), 1.0f);
    mbarrierArrive(barrier(0));
  } else {
    mbarrierTest(barrier(0), 1);
    result(out, loadShared(slot(threadIndex() + 64)));
  }
}
SLUICE_EXPORT(tested_once)

CASE(used_after_its_end) {
  prepare(128, 1);
  mbarrierArrive(barrier(0));
  mbarrierWait(barrier(0), 0);
  syncThreads();
  if (threadIndex() == 0)
    mbarrierInvalidate(barrier(0));
  syncThreads();
  mbarrierArrive(barrier(0));
}
SLUICE_EXPORT(used_after_its_end)

CASE(initialised_anew) {
  prepare(128, 1);
  for (u32 round = 0; round < 3; ++round) {
    mbarrierArrive(barrier(0));
    mbarrierWait(barrier(0), 0);
    syncThreads();
    if (threadIndex() == 0) {
      mbarrierInvalidate(barrier(0));
      mbarrierInit(barrier(0), 128);
    }
    syncThreads();
  }
}
SLUICE_EXPORT(initialised_anew)

CASE(barrier_in_the_way_of_a_copy) {
  prepare(1, 1);
  if (threadIndex() == 0) {
    mbarrierArriveExpect(barrier(0), bytes);
    bulkLoad(sharedMemory<f32>(16384 - 256), in, bytes, barrier(0));
    mbarrierWait(barrier(0), 0);
    mbarrierArrive(barrier(1));
  }
}
SLUICE_EXPORT(barrier_in_the_way_of_a_copy)

// Two copies on one barrier that expects the bytes of one.
CASE(second_copy_not_expected) {
  prepare(1, 1);
  if (threadIndex() == 0) {
    mbarrierArriveExpect(barrier(0), bytes);
    bulkLoad(slot(0), in, bytes, barrier(0));
    bulkLoad(slot(128), in, bytes, barrier(0));
  }
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(128 + threadIndex())));
}
SLUICE_EXPORT(second_copy_not_expected)

CASE(both_copies_expected) {
  prepare(1, 1);
  if (threadIndex() == 0) {
    bulkLoad(slot(0), in, bytes, barrier(0));
    mbarrierExpect(barrier(0), bytes);
    bulkLoad(slot(128), in, bytes, barrier(0));
    mbarrierArriveExpect(barrier(0), bytes);
  }
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(128 + threadIndex())));
}
SLUICE_EXPORT(both_copies_expected)

CASE(copy_never_awaited) {
  prepare(1, 1);
  if (threadIndex() == 0) {
    mbarrierArriveExpect(barrier(0), bytes);
    bulkLoad(slot(0), in, bytes, barrier(0));
  }
}
SLUICE_EXPORT(copy_never_awaited)

CASE(parity_not_turned) {
  prepare(1, 128);
  f32 x = 0;
  for (u32 round = 0; round < 4; ++round) {
    if (threadIndex() == 0) {
      if (round > 0)
        mbarrierWait(barrier(1), (round - 1) & 1);
      mbarrierArriveExpect(barrier(0), bytes);
      bulkLoad(slot(0), in + 128 * i64(round), bytes, barrier(0));
    }
    mbarrierWait(barrier(0), 0);
    x = x + loadShared(slot(threadIndex() ^ 1));
    mbarrierArrive(barrier(1));
  }
  result(out, x);
}
SLUICE_EXPORT(parity_not_turned)

CASE(parity_turned) {
  prepare(1, 128);
  f32 x = 0;
  for (u32 round = 0; round < 4; ++round) {
    if (threadIndex() == 0) {
      if (round > 0)
        mbarrierWait(barrier(1), (round - 1) & 1);
      mbarrierArriveExpect(barrier(0), bytes);
      bulkLoad(slot(0), in + 128 * i64(round), bytes, barrier(0));
    }
    mbarrierWait(barrier(0), round & 1);
    x = x + loadShared(slot(threadIndex() ^ 1));
    mbarrierArrive(barrier(1));
  }
  result(out, x);
}
SLUICE_EXPORT(parity_turned)

// The producer goes on without waiting for the consumers: they may miss two phases.
CASE(producer_never_waits) {
  prepare(1, 128);
  if (warpIndex() == 0) {
    for (u32 round = 0; round < 4; ++round)
      if (laneIndex() == 0)
        mbarrierArrive(barrier(0));
  } else {
    for (u32 round = 0; round < 4; ++round)
      mbarrierWait(barrier(0), round & 1);
  }
}
SLUICE_EXPORT(producer_never_waits)

//===--- Clusters

CASE(cluster_ring_by_remote_arrivals) {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(0), 1);
    mbarrierFenceInit();
  }
  meetCluster();
  if (clusterRank() == 0) {
    storeRemote(mapShared(slot(threadIndex()), 1), 1.0f);
    syncThreads();
    if (threadIndex() == 0)
      mbarrierArriveRemote(mapMbarrier(barrier(0), 1));
  } else {
    mbarrierWaitCluster(barrier(0), 0);
    result(out, loadShared(slot(threadIndex() ^ 64)));
  }
  meetCluster();
}
SLUICE_EXPORT(cluster_ring_by_remote_arrivals)

CASE(cluster_remote_arrival_before_the_stores) {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(0), 1);
    mbarrierFenceInit();
  }
  meetCluster();
  if (clusterRank() == 0) {
    if (threadIndex() == 0)
      mbarrierArriveRemote(mapMbarrier(barrier(0), 1));
    storeRemote(mapShared(slot(threadIndex()), 1), 1.0f);
  } else {
    storeShared(slot(threadIndex()), 0.0f);
    mbarrierWaitCluster(barrier(0), 0);
    result(out, loadShared(slot(threadIndex() ^ 64)));
  }
  meetCluster();
}
SLUICE_EXPORT(cluster_remote_arrival_before_the_stores)

// Threads that have exited count as arrived.
CASE(cluster_the_exited_count) {
  if (warpIndex() < 2)
    meetCluster();
}
SLUICE_EXPORT(cluster_the_exited_count)

CASE(cluster_reads_who_has_left) {
  storeShared(slot(threadIndex()), 1.0f);
  clusterArrive();
  if (clusterRank() == 0) {
    clusterWait();
    result(out, loadRemote(mapShared(slot(threadIndex()), 1)));
  } else {
    clusterWait();
  }
}
SLUICE_EXPORT(cluster_reads_who_has_left)

CASE(cluster_arrives_at_who_has_left) {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(0), 1);
    mbarrierFenceInit();
  }
  meetCluster();
  if (clusterRank() == 0 && threadIndex() == 0)
    mbarrierArriveRemote(mapMbarrier(barrier(0), 1));
}
SLUICE_EXPORT(cluster_arrives_at_who_has_left)

CASE(cluster_copies_to_who_has_left) {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(0), 1);
    mbarrierFenceInit();
    mbarrierArriveExpect(barrier(0), bytes);
  }
  storeShared(slot(threadIndex()), 1.0f);
  fenceProxyAsyncShared();
  meetCluster();
  if (clusterRank() == 0) {
    if (threadIndex() == 0)
      bulkCopyToPeer(mapShared(slot(128), 1), slot(0), bytes, mapMbarrier(barrier(0), 1));
    clusterArriveRelaxed();
    clusterWait();
  } else {
    clusterArriveRelaxed();
    clusterWait();
  }
}
SLUICE_EXPORT(cluster_copies_to_who_has_left)

CASE(cluster_stays_for_its_peer) {
  storeShared(slot(threadIndex()), 1.0f);
  meetCluster();
  result(out, loadRemote(mapShared(slot(threadIndex()), clusterRank() ^ 1)));
  clusterArriveRelaxed();
  clusterWait();
}
SLUICE_EXPORT(cluster_stays_for_its_peer)

//===--- Counters in loops

CASE(polled_counter) {
  if (blockIndex() == 0) {
    storeGlobal(scratch + i64(threadIndex()), 1.0f);
    syncThreads();
    if (threadIndex() == 0)
      storeCounter<Order::release>(counter, 1);
  } else {
    if (threadIndex() == 0)
      while (loadCounter<Order::acquire>(counter) < 1) {
      }
    syncThreads();
    result(out, loadGlobal(scratch + i64(threadIndex())));
  }
}
SLUICE_EXPORT(polled_counter)

CASE(polled_counter_relaxed) {
  if (blockIndex() == 0) {
    storeGlobal(scratch + i64(threadIndex()), 1.0f);
    syncThreads();
    if (threadIndex() == 0)
      storeCounter<Order::release>(counter, 1);
  } else {
    if (threadIndex() == 0)
      while (loadCounter(counter) < 1) {
      }
    syncThreads();
    result(out, loadGlobal(scratch + i64(threadIndex())));
  }
}
SLUICE_EXPORT(polled_counter_relaxed)

CASE(polled_counter_then_fence) {
  if (blockIndex() == 0) {
    storeGlobal(scratch + i64(threadIndex()), 1.0f);
    syncThreads();
    if (threadIndex() == 0)
      storeCounter<Order::release>(counter, 1);
  } else {
    if (threadIndex() == 0) {
      while (loadCounter(counter) < 1) {
      }
      fenceDevice();
    }
    syncThreads();
    result(out, loadGlobal(scratch + i64(threadIndex())));
  }
}
SLUICE_EXPORT(polled_counter_then_fence)

// Every thread of every block takes the lock in turn, warp by warp.
CASE(lock_by_exchange) {
  if (laneIndex() == 0) {
    while (atomicExchange<Order::acquire>(counter, 1u) != 0) {
    }
    storeGlobal(counter + 1, loadGlobal(counter + 1) + 1);
    storeCounter<Order::release>(counter, 0);
  }
}
SLUICE_EXPORT(lock_by_exchange)

CASE(lock_never_released) {
  if (laneIndex() == 0)
    while (atomicCompareExchange<Order::acquire>(counter, 0u, 1u) != 0) {
    }
}
SLUICE_EXPORT(lock_never_released)

CASE(flag_in_ordinary_memory) {
  if (blockIndex() == 0) {
    if (threadIndex() == 0)
      storeGlobal(counter, 1u);
  } else if (threadIndex() == 0) {
    while (loadGlobal(counter) == 0) {
    }
  }
}
SLUICE_EXPORT(flag_in_ordinary_memory)

CASE(flag_in_shared_memory) {
  if (threadIndex() == 0)
    storeShared(sharedMemory<u32>(0), 0u);
  syncThreads();
  if (threadIndex() == 127)
    storeShared(sharedMemory<u32>(0), 1u);
  if (threadIndex() == 0)
    while (loadShared(sharedMemory<u32>(0)) == 0) {
    }
}
SLUICE_EXPORT(flag_in_shared_memory)
