// Kernels for the checker's own test: proxies, bulk copies, mbarriers of sm_90. AdversarialTest.cpp says which are
// wrong. 128 threads.
#include "Device.h"

#define CASE(name)                                                                                                     \
  SLUICE_KERNEL(name, 128)(Global<const f32> in, Global<f32> out, Global<f32> scratch, Global<u32> counter)

namespace {
constexpr u32 bytes = 512;
SLUICE_DEVICE Shared<f32> slot(u32 index) { return sharedMemory<f32>(0) + i32(index); }
SLUICE_DEVICE Mbarrier barrier(u32 index) { return Mbarrier(sharedMemory<u64>(16384)).at(index); }
SLUICE_DEVICE void result(Global<f32> out, f32 value) {
  storeGlobal(out + (i64(blockIndex()) * 128 + threadIndex()), value);
}
/// Barriers 0 and 1 with these counts, known to all.
SLUICE_DEVICE void prepare(u32 full, u32 empty) {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(0), full);
    mbarrierInit(barrier(1), empty);
    mbarrierFenceInit();
  }
  syncThreads();
}
SLUICE_DEVICE void load(Global<const f32> in) {
  mbarrierArriveExpect(barrier(0), bytes);
  bulkLoad(slot(0), in, bytes, barrier(0));
}
} // namespace

//===--- Proxies

CASE(store_without_fence) {
  storeShared(slot(threadIndex()), 1.0f);
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, slot(0), bytes);
    bulkCommit();
    bulkWait<0>();
  }
}
SLUICE_EXPORT(store_without_fence)

CASE(store_with_fence) {
  storeShared(slot(threadIndex()), 1.0f);
  fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, slot(0), bytes);
    bulkCommit();
    bulkWait<0>();
  }
}
SLUICE_EXPORT(store_with_fence)

CASE(fence_before_the_write) {
  fenceProxyAsyncShared();
  storeShared(slot(threadIndex()), 1.0f);
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, slot(0), bytes);
    bulkCommit();
    bulkWait<0>();
  }
}
SLUICE_EXPORT(fence_before_the_write)

// One thread fences what it has heard of: its own writes only.
CASE(fence_of_one_writer) {
  storeShared(slot(threadIndex()), 1.0f);
  if (threadIndex() == 0)
    fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, slot(0), bytes);
    bulkCommit();
    bulkWait<0>();
  }
}
SLUICE_EXPORT(fence_of_one_writer)

// The fence of global memory does nothing for shared memory.
CASE(fence_of_global_memory) {
  storeShared(slot(threadIndex()), 1.0f);
  fenceProxyAsyncGlobal();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, slot(0), bytes);
    bulkCommit();
    bulkWait<0>();
  }
}
SLUICE_EXPORT(fence_of_global_memory)

//===--- Bulk groups

CASE(source_reused_at_once) {
  storeShared(slot(threadIndex()), 1.0f);
  fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, slot(0), bytes);
    bulkCommit();
    storeShared(slot(5), 2.0f);
    bulkWait<0>();
  }
}
SLUICE_EXPORT(source_reused_at_once)

CASE(source_reused_after_read) {
  storeShared(slot(threadIndex()), 1.0f);
  fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, slot(0), bytes);
    bulkCommit();
    bulkWaitRead<0>();
  }
  syncThreads();
  storeShared(slot(threadIndex()), 2.0f);
}
SLUICE_EXPORT(source_reused_after_read)

// Groups belong to the thread that made them.
CASE(another_thread_waits) {
  storeShared(slot(threadIndex()), 1.0f);
  fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, slot(0), bytes);
    bulkCommit();
  }
  if (threadIndex() == 32)
    bulkWaitRead<0>();
  syncThreads();
  storeShared(slot(threadIndex()), 2.0f);
}
SLUICE_EXPORT(another_thread_waits)

CASE(commit_after_wait) {
  storeShared(slot(threadIndex()), 1.0f);
  fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, slot(0), bytes);
    bulkWaitRead<0>();
    storeShared(slot(5), 2.0f);
    bulkCommit();
    bulkWait<0>();
  }
}
SLUICE_EXPORT(commit_after_wait)

// The source has been read, the target not yet written.
CASE(target_read_too_early) {
  storeShared(slot(threadIndex()), 1.0f);
  fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(scratch, slot(0), bytes);
    bulkCommit();
    bulkWaitRead<0>();
    storeGlobal(out, loadGlobal(scratch + 3));
    bulkWait<0>();
  }
}
SLUICE_EXPORT(target_read_too_early)

CASE(target_read_after_wait) {
  storeShared(slot(threadIndex()), 1.0f);
  fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(scratch, slot(0), bytes);
    bulkCommit();
    bulkWait<0>();
    storeGlobal(out, loadGlobal(scratch + 3));
  }
}
SLUICE_EXPORT(target_read_after_wait)

//===--- Mbarriers

CASE(load_and_wait) {
  prepare(1, 1);
  if (threadIndex() == 0)
    load(in);
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(threadIndex())));
}
SLUICE_EXPORT(load_and_wait)

CASE(wrong_parity) {
  prepare(1, 1);
  if (threadIndex() == 0)
    load(in);
  mbarrierWait(barrier(0), 1);
  result(out, loadShared(slot(threadIndex())));
}
SLUICE_EXPORT(wrong_parity)

CASE(one_waits_for_all) {
  prepare(1, 1);
  if (threadIndex() == 0) {
    load(in);
    mbarrierWait(barrier(0), 0);
  }
  result(out, loadShared(slot(threadIndex())));
}
SLUICE_EXPORT(one_waits_for_all)

CASE(expects_too_few_bytes) {
  prepare(1, 1);
  if (threadIndex() == 0) {
    mbarrierArriveExpect(barrier(0), bytes - 16);
    bulkLoad(slot(0), in, bytes, barrier(0));
  }
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(threadIndex())));
}
SLUICE_EXPORT(expects_too_few_bytes)

CASE(expects_too_many_bytes) {
  prepare(1, 1);
  if (threadIndex() == 0) {
    mbarrierArriveExpect(barrier(0), bytes + 16);
    bulkLoad(slot(0), in, bytes, barrier(0));
  }
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(threadIndex())));
}
SLUICE_EXPORT(expects_too_many_bytes)

CASE(barrier_not_fenced) {
  if (threadIndex() == 0)
    mbarrierInit(barrier(0), 1);
  syncThreads();
  if (threadIndex() == 0)
    load(in);
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(threadIndex())));
}
SLUICE_EXPORT(barrier_not_fenced)

CASE(barrier_not_known_to_others) {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(0), 1);
    mbarrierFenceInit();
    load(in);
  }
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(threadIndex())));
}
SLUICE_EXPORT(barrier_not_known_to_others)

/// A ring of one stage: warp 0 loads, warps 1 to 3 read.
template <class Release> SLUICE_DEVICE void ring(Global<const f32> in, Global<f32> out, u32 releases, Release &&body) {
  prepare(1, releases);
  f32 sum = 0;
  for (u32 i = 0; i < 3; ++i) {
    if (warpIndex() == 0) {
      if (laneIndex() == 0) {
        if (i > 0)
          mbarrierWait(barrier(1), (i - 1) & 1);
        load(in);
      }
    } else {
      mbarrierWait(barrier(0), i & 1);
      sum += body();
    }
  }
  result(out, sum);
}

CASE(ring_of_one) {
  ring(in, out, 96, [] {
    const f32 x = loadShared(slot(threadIndex()));
    mbarrierArrive(barrier(1));
    return x;
  });
}
SLUICE_EXPORT(ring_of_one)

CASE(ring_of_one_by_warp) {
  ring(in, out, 3, [] {
    const f32 x = loadShared(slot(threadIndex()));
    syncWarp();
    if (laneIndex() == 0)
      mbarrierArrive(barrier(1));
    return x;
  });
}
SLUICE_EXPORT(ring_of_one_by_warp)

// One lane releases for a warp that has not met.
CASE(ring_released_for_others) {
  ring(in, out, 3, [] {
    const f32 x = loadShared(slot(threadIndex()));
    if (laneIndex() == 0)
      mbarrierArrive(barrier(1));
    return x;
  });
}
SLUICE_EXPORT(ring_released_for_others)

CASE(ring_released_before_reading) {
  ring(in, out, 96, [] {
    mbarrierArrive(barrier(1));
    return loadShared(slot(threadIndex()));
  });
}
SLUICE_EXPORT(ring_released_before_reading)

// Three warps release, but the count says that one is enough.
CASE(ring_counts_too_few) {
  ring(in, out, 1, [] {
    const f32 x = loadShared(slot(threadIndex()));
    syncWarp();
    if (warpIndex() == 1 && laneIndex() == 0)
      mbarrierArrive(barrier(1));
    return x;
  });
}
SLUICE_EXPORT(ring_counts_too_few)

//===--- Global memory through both proxies

// Written by ordinary stores, fetched by the copy engine.
CASE(global_source_not_fenced) {
  prepare(1, 1);
  storeGlobal(scratch + i64(threadIndex()), 1.0f);
  syncThreads();
  if (threadIndex() == 0)
    load(scratch);
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(threadIndex())));
}
SLUICE_EXPORT(global_source_not_fenced)

CASE(global_source_fenced) {
  prepare(1, 1);
  storeGlobal(scratch + i64(threadIndex()), 1.0f);
  fenceProxyAsyncGlobal();
  syncThreads();
  if (threadIndex() == 0)
    load(scratch);
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(threadIndex())));
}
SLUICE_EXPORT(global_source_fenced)

CASE(global_source_undefined) {
  prepare(1, 1);
  if (threadIndex() == 0)
    load(scratch);
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot(threadIndex())));
}
SLUICE_EXPORT(global_source_undefined)

CASE(shared_source_undefined) {
  if (threadIndex() != 17)
    storeShared(slot(threadIndex()), 1.0f);
  fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, slot(0), bytes);
    bulkCommit();
    bulkWait<0>();
  }
}
SLUICE_EXPORT(shared_source_undefined)

CASE(exits_with_a_store_in_flight) {
  storeShared(slot(threadIndex()), 1.0f);
  fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, slot(0), bytes);
    bulkCommit();
  }
}
SLUICE_EXPORT(exits_with_a_store_in_flight)

CASE(store_past_the_end) {
  storeShared(slot(threadIndex()), 1.0f);
  fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out + i64(4096 - 124), slot(0), bytes);
    bulkCommit();
    bulkWait<0>();
  }
}
SLUICE_EXPORT(store_past_the_end)

//===--- Blocks that hand on what the copy engine moved

namespace {
SLUICE_DEVICE void produce(Global<f32> scratch) {
  storeShared(slot(threadIndex()), 1.0f);
  fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(scratch, slot(0), bytes);
    bulkCommit();
  }
}
SLUICE_DEVICE void consume(Global<f32> out, Global<f32> scratch, Global<u32> counter) {
  if (threadIndex() == 0)
    waitCounter(counter, 1);
  syncThreads();
  result(out, loadGlobal(scratch + i64(threadIndex())));
}
} // namespace

CASE(blocks_hand_on) {
  if (blockIndex() == 0) {
    produce(scratch);
    if (threadIndex() == 0) {
      bulkWait<0>();
      addCounter<Order::release>(counter, 1);
    }
  } else {
    consume(out, scratch, counter);
  }
}
SLUICE_EXPORT(blocks_hand_on)

CASE(blocks_hand_on_early) {
  if (blockIndex() == 0) {
    produce(scratch);
    if (threadIndex() == 0) {
      bulkWaitRead<0>();
      addCounter<Order::release>(counter, 1);
      bulkWait<0>();
    }
  } else {
    consume(out, scratch, counter);
  }
}
SLUICE_EXPORT(blocks_hand_on_early)

// The thread that signals is not the one that waited.
CASE(blocks_hand_on_by_another) {
  if (blockIndex() == 0) {
    produce(scratch);
    if (threadIndex() == 0)
      bulkWait<0>();
    if (threadIndex() == 32)
      addCounter<Order::release>(counter, 1);
  } else {
    consume(out, scratch, counter);
  }
}
SLUICE_EXPORT(blocks_hand_on_by_another)

// cp.async that arrives on a barrier, and a plain arrival in its place.
CASE(copies_arrive) {
  prepare(128, 1);
  cpAsync<16>(slot(threadIndex() * 4), in + i64(threadIndex() * 4));
  cpAsyncArrive(barrier(0));
  mbarrierWait(barrier(0), 0);
  result(out, loadShared(slot((threadIndex() ^ 64) * 4)));
}
SLUICE_EXPORT(copies_arrive)

CASE(copies_do_not_arrive) {
  prepare(128, 1);
  cpAsync<16>(slot(threadIndex() * 4), in + i64(threadIndex() * 4));
  cpAsyncCommit();
  mbarrierArrive(barrier(0));
  mbarrierWait(barrier(0), 0);
  const f32 x = loadShared(slot((threadIndex() ^ 64) * 4));
  cpAsyncWait<0>();
  result(out, x);
}
SLUICE_EXPORT(copies_do_not_arrive)
