// Kernels for the checker's own test: what blocks do to each other through global memory. AdversarialTest.cpp says
// which are wrong. All blocks are resident. 128 threads.
#include "Device.h"

#define CASE(name)                                                                                                     \
  SLUICE_KERNEL(name, 128)(Global<const f32> in, Global<f32> out, Global<f32> scratch, Global<u32> counter)

namespace {
SLUICE_DEVICE void result(Global<f32> out, f32 value) {
  storeGlobal(out + (i64(blockIndex()) * 128 + threadIndex()), value);
}
SLUICE_DEVICE f32 fetch(Global<f32> scratch, u32 index) { return loadGlobal(scratch + i64(index)); }
SLUICE_DEVICE void put(Global<f32> scratch, u32 index, f32 value) { storeGlobal(scratch + i64(index), value); }
} // namespace

// Two blocks write the same word, and even the same value.
CASE(two_blocks_write) {
  storeGlobal(out + i64(threadIndex()), 1.0f);
}
SLUICE_EXPORT(two_blocks_write)

CASE(chain) {
  const u32 t = threadIndex();
  if (blockIndex() == 0) {
    put(scratch, t, 1);
    syncThreads();
    if (t == 0)
      addCounter<Order::release>(counter, 1);
  } else {
    if (t == 0)
      waitCounter(counter, 1);
    syncThreads();
    result(out, fetch(scratch, t ^ 5));
  }
}
SLUICE_EXPORT(chain)

// The release covers what the releasing thread knows: its own writes and those before a barrier.
CASE(release_without_barrier) {
  const u32 t = threadIndex();
  if (blockIndex() == 0) {
    put(scratch, t, 1);
    if (t == 0)
      addCounter<Order::release>(counter, 1);
  } else {
    if (t == 0)
      waitCounter(counter, 1);
    syncThreads();
    result(out, fetch(scratch, t));
  }
}
SLUICE_EXPORT(release_without_barrier)

CASE(acquire_without_barrier) {
  const u32 t = threadIndex();
  if (blockIndex() == 0) {
    put(scratch, t, 1);
    syncThreads();
    if (t == 0)
      addCounter<Order::release>(counter, 1);
  } else {
    if (t == 0)
      waitCounter(counter, 1);
    result(out, fetch(scratch, t));
  }
}
SLUICE_EXPORT(acquire_without_barrier)

CASE(relaxed_add) {
  const u32 t = threadIndex();
  if (blockIndex() == 0) {
    put(scratch, t, 1);
    syncThreads();
    if (t == 0)
      addCounter(counter, 1);
  } else {
    if (t == 0)
      waitCounter(counter, 1);
    syncThreads();
    result(out, fetch(scratch, t));
  }
}
SLUICE_EXPORT(relaxed_add)

// A fence makes a relaxed addition release, for every thread that the fence has heard of.
CASE(fence_and_relaxed_add) {
  const u32 t = threadIndex();
  if (blockIndex() == 0) {
    put(scratch, t, 1);
    syncThreads();
    if (t == 0) {
      fenceDevice();
      addCounter(counter, 1);
    }
  } else {
    if (t == 0)
      waitCounter(counter, 1);
    syncThreads();
    result(out, fetch(scratch, t));
  }
}
SLUICE_EXPORT(fence_and_relaxed_add)

// The fence comes before what it should cover.
CASE(fence_too_early) {
  const u32 t = threadIndex();
  if (blockIndex() == 0) {
    if (t == 0)
      fenceDevice();
    put(scratch, t, 1);
    syncThreads();
    if (t == 0)
      addCounter(counter, 1);
  } else {
    if (t == 0)
      waitCounter(counter, 1);
    syncThreads();
    result(out, fetch(scratch, t));
  }
}
SLUICE_EXPORT(fence_too_early)

// Written after the release.
CASE(write_after_release) {
  const u32 t = threadIndex();
  if (blockIndex() == 0) {
    if (t == 0) {
      addCounter<Order::release>(counter, 1);
      put(scratch, 0, 1);
    }
  } else {
    if (t == 0)
      waitCounter(counter, 1);
    syncThreads();
    result(out, fetch(scratch, 0));
  }
}
SLUICE_EXPORT(write_after_release)

// Each block waits for the one before it: what the first wrote is known to the last.
CASE(transitive) {
  const u32 t = threadIndex(), b = blockIndex();
  if (b == 0)
    put(scratch, t, 1);
  if (b > 0 && t == 0)
    waitCounter(counter + i64(b - 1), 1);
  syncThreads();
  if (t == 0)
    addCounter<Order::release>(counter + i64(b), 1);
  if (b == gridBlocks() - 1)
    result(out, fetch(scratch, t ^ 9));
}
SLUICE_EXPORT(transitive)

// The last waits for the first, but reads what the second wrote.
CASE(wrong_counter) {
  const u32 t = threadIndex(), b = blockIndex();
  if (b < 2)
    put(scratch, b * 128 + t, 1);
  syncThreads();
  if (b < 2 && t == 0)
    addCounter<Order::release>(counter + i64(b), 1);
  if (b == 2) {
    if (t == 0)
      waitCounter(counter, 1);
    syncThreads();
    result(out, fetch(scratch, 128 + t));
  }
}
SLUICE_EXPORT(wrong_counter)

// Waits for the first of two arrivals that it needs.
CASE(counts_too_few) {
  const u32 t = threadIndex(), b = blockIndex();
  if (b < 2)
    put(scratch, b * 128 + t, 1);
  syncThreads();
  if (b < 2 && t == 0)
    addCounter<Order::release>(counter, 1);
  if (b == 2) {
    if (t == 0)
      waitCounter(counter, 1);
    syncThreads();
    result(out, fetch(scratch, t) + fetch(scratch, 128 + t));
  }
}
SLUICE_EXPORT(counts_too_few)

CASE(counts_all) {
  const u32 t = threadIndex(), b = blockIndex();
  if (b < 2)
    put(scratch, b * 128 + t, 1);
  syncThreads();
  if (b < 2 && t == 0)
    addCounter<Order::release>(counter, 1);
  if (b == 2) {
    if (t == 0)
      waitCounter(counter, 2);
    syncThreads();
    result(out, fetch(scratch, t) + fetch(scratch, 128 + t));
  }
}
SLUICE_EXPORT(counts_all)

// A ring of one place in global memory: the producer goes on although the consumer has not released the place.
CASE(ring_without_back_pressure) {
  const u32 t = threadIndex();
  for (u32 i = 0; i < 3; ++i) {
    if (blockIndex() == 0) {
      put(scratch, t, f32(i));
      syncThreads();
      if (t == 0)
        addCounter<Order::release>(counter, 1);
    } else {
      if (t == 0)
        waitCounter(counter, i + 1);
      syncThreads();
      result(out, fetch(scratch, t));
    }
  }
}
SLUICE_EXPORT(ring_without_back_pressure)

CASE(ring) {
  const u32 t = threadIndex();
  for (u32 i = 0; i < 3; ++i) {
    if (blockIndex() == 0) {
      if (t == 0)
        waitCounter(counter + 1, i);
      syncThreads();
      put(scratch, t, f32(i));
      syncThreads();
      if (t == 0)
        addCounter<Order::release>(counter, 1);
    } else {
      if (t == 0)
        waitCounter(counter, i + 1);
      syncThreads();
      result(out, fetch(scratch, t));
      syncThreads();
      if (t == 0)
        addCounter<Order::release>(counter + 1, 1);
    }
  }
}
SLUICE_EXPORT(ring)

// The consumer gives the place back before all of its threads have read it.
CASE(ring_released_early) {
  const u32 t = threadIndex();
  for (u32 i = 0; i < 3; ++i) {
    if (blockIndex() == 0) {
      if (t == 0)
        waitCounter(counter + 1, i);
      syncThreads();
      put(scratch, t, f32(i));
      syncThreads();
      if (t == 0)
        addCounter<Order::release>(counter, 1);
    } else {
      if (t == 0)
        waitCounter(counter, i + 1);
      syncThreads();
      result(out, fetch(scratch, t));
      if (t == 0)
        addCounter<Order::release>(counter + 1, 1);
    }
  }
}
SLUICE_EXPORT(ring_released_early)

// A compare-exchange that fails writes nothing, so it releases nothing.
CASE(failed_exchange_is_no_release) {
  if (threadIndex() != 0)
    return;
  if (blockIndex() == 0) {
    put(scratch, 0, 1);
    atomicCompareExchange<Order::release>(counter, 7, 8);
    addCounter(counter + 1, 1);
  } else {
    while (loadCounter(counter + 1) == 0) {
    }
    loadCounter<Order::acquire>(counter);
    result(out, fetch(scratch, 0));
  }
}
SLUICE_EXPORT(failed_exchange_is_no_release)

// Exchange and compare-exchange as a lock.
CASE(lock) {
  if (threadIndex() != 0)
    return;
  while (atomicCompareExchange<Order::acquire>(counter, 0, 1) != 0) {
  }
  const u32 sum = loadGlobal(counter + 8) + 1;
  storeGlobal(counter + 8, sum);
  atomicExchange<Order::release>(counter, 0);
}
SLUICE_EXPORT(lock)

CASE(lock_released_relaxed) {
  if (threadIndex() != 0)
    return;
  while (atomicCompareExchange<Order::acquire>(counter, 0, 1) != 0) {
  }
  const u32 sum = loadGlobal(counter + 8) + 1;
  storeGlobal(counter + 8, sum);
  atomicExchange(counter, 0);
}
SLUICE_EXPORT(lock_released_relaxed)

// Waits for a count that no block will reach.
CASE(waits_for_ever) {
  if (threadIndex() == 0) {
    addCounter<Order::release>(counter, 1);
    waitCounter(counter, gridBlocks() + 1);
  }
}
SLUICE_EXPORT(waits_for_ever)

// A fence at the scope of the block reaches no other block.
CASE(fence_of_the_block) {
  const u32 t = threadIndex();
  if (blockIndex() == 0) {
    put(scratch, t, 1);
    syncThreads();
    if (t == 0) {
      fenceBlock();
      addCounter(counter, 1);
    }
  } else {
    if (t == 0)
      waitCounter(counter, 1);
    syncThreads();
    result(out, fetch(scratch, t));
  }
}
SLUICE_EXPORT(fence_of_the_block)

// A barrier of the grid: everyone adds and waits for all; twice, with a count that goes on.
CASE(grid_barrier) {
  const u32 t = threadIndex(), b = blockIndex(), n = gridBlocks();
  for (u32 turn = 1; turn <= 2; ++turn) {
    put(scratch, b * 128 + t, f32(turn));
    syncThreads();
    if (t == 0) {
      addCounter<Order::release>(counter, 1);
      waitCounter(counter, (2 * turn - 1) * n);
    }
    syncThreads();
    result(out, fetch(scratch, (b + 1) % n * 128 + t));
    syncThreads();
    if (t == 0) {
      addCounter<Order::release>(counter, 1);
      waitCounter(counter, 2 * turn * n);
    }
    syncThreads();
  }
}
SLUICE_EXPORT(grid_barrier)

// The second half of each turn is left out: the next turn overwrites what neighbours still read.
CASE(half_a_grid_barrier) {
  const u32 t = threadIndex(), b = blockIndex(), n = gridBlocks();
  for (u32 turn = 1; turn <= 2; ++turn) {
    put(scratch, b * 128 + t, f32(turn));
    syncThreads();
    if (t == 0) {
      addCounter<Order::release>(counter, 1);
      waitCounter(counter, turn * n);
    }
    syncThreads();
    result(out, fetch(scratch, (b + 1) % n * 128 + t));
  }
}
SLUICE_EXPORT(half_a_grid_barrier)

// One short of all blocks.
CASE(grid_barrier_one_short) {
  const u32 t = threadIndex(), b = blockIndex(), n = gridBlocks();
  put(scratch, b * 128 + t, 1);
  syncThreads();
  if (t == 0) {
    addCounter<Order::release>(counter, 1);
    waitCounter(counter, n - 1);
  }
  syncThreads();
  f32 sum = 0;
  for (u32 other = 0; other < n; ++other)
    sum += fetch(scratch, other * 128 + t);
  result(out, sum);
}
SLUICE_EXPORT(grid_barrier_one_short)

// Counters that are stored rather than added to: what each value carries.
CASE(stored_values) {
  const u32 t = threadIndex();
  if (blockIndex() == 0) {
    for (u32 i = 0; i < 2; ++i) {
      put(scratch, i * 128 + t, 1);
      syncThreads();
      if (t == 0)
        storeCounter<Order::release>(counter, i + 1);
    }
  } else {
    if (t == 0)
      waitCounter(counter, 2);
    syncThreads();
    result(out, fetch(scratch, t) + fetch(scratch, 128 + t));
  }
}
SLUICE_EXPORT(stored_values)

CASE(stored_value_awaited_too_early) {
  const u32 t = threadIndex();
  if (blockIndex() == 0) {
    for (u32 i = 0; i < 2; ++i) {
      put(scratch, i * 128 + t, 1);
      syncThreads();
      if (t == 0)
        storeCounter<Order::release>(counter, i + 1);
    }
  } else {
    if (t == 0)
      waitCounter(counter, 1);
    syncThreads();
    result(out, fetch(scratch, t) + fetch(scratch, 128 + t));
  }
}
SLUICE_EXPORT(stored_value_awaited_too_early)

//===--- Blocks that are declared independent

CASE(independent_neighbours) {
  const i64 at = i64(threadIndex() * gridBlocks() + blockIndex());
  storeGlobal(out.cast<u16>() + at, u16(1));
  storeGlobal(scratch.cast<u8>() + at, u8(2));
  addCounter(counter, 1);
}
SLUICE_EXPORT(independent_neighbours)

CASE(independent_same_word) {
  storeGlobal(out + i64(threadIndex()), 1.0f);
}
SLUICE_EXPORT(independent_same_word)

CASE(independent_same_byte) {
  if (threadIndex() == 5)
    storeGlobal(out.cast<u8>() + 77, u8(1));
}
SLUICE_EXPORT(independent_same_byte)

CASE(independent_reads_of_others) {
  put(scratch, blockIndex() * 128 + threadIndex(), 1);
  syncThreads();
  result(out, fetch(scratch, (blockIndex() + 1) % gridBlocks() * 128 + threadIndex()));
}
SLUICE_EXPORT(independent_reads_of_others)

CASE(independent_sum_read) {
  if (threadIndex() == 0)
    addCounter(counter, 1);
  if (threadIndex() == 32)
    storeGlobal(out + i64(blockIndex()), f32(loadGlobal(counter)));
}
SLUICE_EXPORT(independent_sum_read)

CASE(independent_that_wait) {
  if (threadIndex() == 0) {
    addCounter<Order::release>(counter, 1);
    waitCounter(counter, 1);
  }
}
SLUICE_EXPORT(independent_that_wait)
