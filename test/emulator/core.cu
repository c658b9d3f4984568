// Kernels for CoreTest.cpp: each makes one mistake in the line marked "// <name>", where the test looks for it; the
// corrected twin of a kernel is right. 128 threads unless the test says otherwise.
#include "Device.h"

#define KERNEL(name) SLUICE_KERNEL(name, 1024)(Global<const f32> in, Global<f32> out, Global<u32> counter)

KERNEL(copies) { storeGlobal(out + i64(threadIndex()), loadGlobal(in + i64(threadIndex()))); }
SLUICE_EXPORT(copies)

KERNEL(races) {
  Shared<f32> slot = sharedMemory<f32>(0) + i32(threadIndex());
  storeShared(slot, 1.0f);
  syncThreads();
  f32 other = 0;
  if (warpIndex() == 0)
    other = loadShared(slot + 32); // races
  else
    storeShared(slot, 2.0f); // races:earlier
  storeGlobal(out + i64(blockIndex() * blockThreads() + threadIndex()), other);
}
SLUICE_EXPORT(races)

KERNEL(readsUnwritten) {
  f32 value = loadShared(sharedMemory<f32>(64)); // readsUnwritten
  storeGlobal(out + i64(threadIndex()), value);
}
SLUICE_EXPORT(readsUnwritten)

KERNEL(readsPastTheEnd) {
  f32 value = loadGlobal(in + i64(threadIndex() + 1)); // readsPastTheEnd
  storeGlobal(out + i64(threadIndex()), value);
}
SLUICE_EXPORT(readsPastTheEnd)

KERNEL(storesMisaligned) {
  Vec<f32, 4> four = {};
  if (threadIndex() == 5)
    storeShared(sharedMemory<f32>(8), four); // storesMisaligned
}
SLUICE_EXPORT(storesMisaligned)

KERNEL(writesItsInput) {
  if (threadIndex() == 0)
    storeGlobal(counter, 1u); // writesItsInput
}
SLUICE_EXPORT(writesItsInput)

KERNEL(diverges) {
  u32 bits = threadIndex();
  if (laneIndex() < 16)
    bits = shuffle(bits, 0); // diverges:one
  else
    bits = shuffle(bits, 0); // diverges:other
  storeGlobal(counter + i64(threadIndex()), bits);
}
SLUICE_EXPORT(diverges)

// The optimiser may copy a call; its place in the source stays one.
KERNEL(convergesByPlace) {
  u32 bits = 0;
  for (u32 round = 0; round < 2 + laneIndex() / 32; ++round)
    bits += shuffleXor(threadIndex(), 1u << round);
  storeGlobal(counter + i64(threadIndex()), bits);
}
SLUICE_EXPORT(convergesByPlace)

template <int Copy> SLUICE_DEVICE u32 exchangeHalves(u32 value) { return shuffleXor(value + Copy, 16); }
KERNEL(convergesAcrossCopies) {
  u32 bits = laneIndex() < 16 ? exchangeHalves<100>(threadIndex()) : exchangeHalves<200>(threadIndex());
  storeGlobal(out + i64(threadIndex()), toFloat(bits));
}
SLUICE_EXPORT(convergesAcrossCopies)

KERNEL(leavesEarly) {
  if (laneIndex() == 7)
    return;
  syncWarp(); // leavesEarly
}
SLUICE_EXPORT(leavesEarly)

KERNEL(oddBarrier) { barrierSync(1, 40); } // oddBarrier
SLUICE_EXPORT(oddBarrier)
KERNEL(unknownBarrier) { barrierSync(16, 128); } // unknownBarrier
SLUICE_EXPORT(unknownBarrier)
KERNEL(reservedBarrier) { barrierArrive(0, 128); } // reservedBarrier
SLUICE_EXPORT(reservedBarrier)
KERNEL(wideBarrier) { barrierSync(1, 160); } // wideBarrier
SLUICE_EXPORT(wideBarrier)

KERNEL(mixedBarrier) {
  if (warpIndex() < 2)
    barrierSync(1, 96); // mixedBarrier:first
  else
    barrierSync(1, 128); // mixedBarrier:second
}
SLUICE_EXPORT(mixedBarrier)

KERNEL(disagreesOnBarrier) { barrierSync(1 + laneIndex() / 16, 128); } // disagreesOnBarrier
SLUICE_EXPORT(disagreesOnBarrier)

KERNEL(arrivesTwice) {
  if (warpIndex() == 0) {
    barrierArrive(1, 96);
    barrierArrive(1, 96); // arrivesTwice
  }
}
SLUICE_EXPORT(arrivesTwice)

KERNEL(deadlocks) {
  if (warpIndex() < 3)
    barrierSync(1, 128); // deadlocks:three
  else
    barrierSync(2, 64); // deadlocks:one
}
SLUICE_EXPORT(deadlocks)

KERNEL(meets) {
  if (threadIndex() == 0) {
    addCounter<Order::release>(counter, 1u);
    waitCounter(counter, gridBlocks()); // meets
  }
}
SLUICE_EXPORT(meets)

// Each block waits for the one before: two resident ones are enough, if they are taken in order.
KERNEL(waitsForThePrevious) {
  if (threadIndex() == 0) {
    if (blockIndex() != 0)
      waitCounter(counter + i64(blockIndex() - 1), 1);
    addCounter<Order::release>(counter + i64(blockIndex()), 1u);
  }
}
SLUICE_EXPORT(waitsForThePrevious)

// All but the last lane poll for it, then each other's lock.
KERNEL(polls) {
  if (threadIndex() != blockThreads() - 1)
    while (loadCounter<Order::acquire>(counter) == 0) // polls
      ;
  else
    storeCounter<Order::release>(counter, 1u);
  while (atomicCompareExchange<Order::acquireRelease>(counter + 1, 0u, 1u) != 0)
    ;
  storeGlobal(out + i64(0), f32(threadIndex()));
  storeCounter<Order::release>(counter + 1, 0u);
}
SLUICE_EXPORT(polls)

KERNEL(pollsForEver) {
  while (loadCounter(counter) == 0) // pollsForEver
    ;
}
SLUICE_EXPORT(pollsForEver)

KERNEL(writesTheSame) {
  if (threadIndex() == 3)
    storeGlobal(out + i64(0), f32(blockIndex())); // writesTheSame
}
SLUICE_EXPORT(writesTheSame)

KERNEL(writesItsOwn) { storeGlobal(out + i64(blockIndex() * blockThreads() + threadIndex()), 1.0f); }
SLUICE_EXPORT(writesItsOwn)

KERNEL(readsOthers) {
  storeGlobal(out + i64(blockIndex()), 1.0f, threadIndex() == 0);                  // readsOthers:write
  if (threadIndex() == 0 && blockIndex() == 1)
    storeGlobal(out + i64(100), loadGlobal(out + i64(0)));                         // readsOthers:read
}
SLUICE_EXPORT(readsOthers)

KERNEL(overflowsItsStack) {
  volatile u8 local[96 * 1024];
  for (u32 i = 0; i < sizeof local; i += 64)
    local[sizeof local - 1 - i] = u8(i);
  storeGlobal(counter, u32(local[threadIndex()]));
}
SLUICE_EXPORT(overflowsItsStack)

// Who comes when: the order of the threads of a block.
KERNEL(records) {
  u32 place = atomicAdd(counter, 1u);
  storeGlobal(counter + i64(1 + place), threadIndex());
}
SLUICE_EXPORT(records)

KERNEL(sums) {
  f32 value = loadGlobal(in + i64(threadIndex()));
  f32 total = blockSum(value, sharedMemory<f32>(0));
  f32 prefix = blockInclusiveSum(value, sharedMemory<f32>(256));
  storeGlobal(out + i64(threadIndex()), prefix);
  if (electLane())
    storeGlobal(out + i64(blockThreads() + warpIndex()), total);
}
SLUICE_EXPORT(sums)

KERNEL(exchanges) {
  u32 lane = laneIndex();
  u32 up = shuffleUp(lane, 3), down = shuffleDown(lane, 3), cross = shuffleXor(lane, 5), first = warpUniform(lane);
  u32 odd = ballotLanes(lane % 2 == 1);
  u32 some = anyLane(lane == 31) && !allLanes(lane == 31);
  bool right = up == (lane < 3 ? lane : lane - 3) && down == (lane > 28 ? lane : lane + 3) && cross == (lane ^ 5) &&
               first == 0 && odd == 0xaaaaaaaau && some == 1;
  storeGlobal(counter + i64(threadIndex()), u32(right));
}
SLUICE_EXPORT(exchanges)

KERNEL(updates) {
  const u32 t = threadIndex();
  atomicAdd(counter + 0, t);
  atomicMax(counter + 1, t);
  atomicOr(counter + 2, 1u << (t % 32));
  atomicXor(counter + 3, 1u << (t % 32));
  if (atomicCompareExchange(counter + 4, 0u, t + 1) == 0)
    storeGlobal(counter + 5, t + 1);
  atomicMin(counter + 6, 1000 - t);
  atomicAnd(counter + 7, ~(1u << (t % 32)));
}
SLUICE_EXPORT(updates)

// The mutations of the core's primitives are tried on this one.
KERNEL(synchronises) {
  Shared<f32> slots = sharedMemory<f32>(0);
  const u32 t = threadIndex();
  storeShared(slots + i32(t), f32(t));
  syncThreads(); // mutate:syncThreads
  f32 other = loadShared(slots + i32(t ^ 64));
  barrierSync(1, 128); // mutate:barrierSync
  storeShared(slots + i32(t), other);
  syncWarp(); // mutate:syncWarp
  storeGlobal(out + i64(blockIndex() * 128 + t), loadShared(slots + i32(t ^ 1)));
  if (warpIndex() == 0) {
    barrierArrive(2, 64); // mutate:barrierArrive
  } else if (warpIndex() == 1) {
    barrierSync(2, 64);
    storeShared(slots + i32(t - 32), 0.0f);
  }
  syncThreads();
  if (t == 0) {
    addCounter<Order::release>(counter, 1u); // mutate:addCounter
    waitCounter(counter, gridBlocks());      // mutate:waitCounter
  }
  syncThreads();
  f32 theirs = loadGlobal(out + i64((blockIndex() + 1) % gridBlocks() * 128 + t));
  storeGlobal(out + i64(1024 + blockIndex() * 128 + t), theirs);
}
SLUICE_EXPORT(synchronises)

KERNEL(dividesByZero) {
  if (threadIndex() == 5)
    storeGlobal(counter, 7u / loadGlobal(counter));
}
SLUICE_EXPORT(dividesByZero)

KERNEL(goesWhereCodeEnds) {
  if (threadIndex() == 5)
    __builtin_trap();
}
SLUICE_EXPORT(goesWhereCodeEnds)

KERNEL(computesForEver) {
  u32 value = threadIndex();
  while (opaque(value) != 4096)
    value = opaque(value) % 1024;
  storeGlobal(counter, value);
}
SLUICE_EXPORT(computesForEver)

KERNEL(computesForLong) {
  u32 value = threadIndex();
  for (u32 i = 0; i < 4000; ++i)
    value = opaque(value) + loadGlobal(counter);
  storeGlobal(out + i64(threadIndex()), f32(value));
}
SLUICE_EXPORT(computesForLong)

KERNEL(readsForEver) {
  while (loadGlobal(counter + i64(threadIndex() + 1)) + loadGlobal(counter) == 0) { // readsForEver
  }
}
SLUICE_EXPORT(readsForEver)

KERNEL(readsElsewhere) {
  f32 value = loadGlobal(in + loadGlobal(counter.cast<i64>())); // readsElsewhere
  storeGlobal(out + i64(threadIndex()), value);
}
SLUICE_EXPORT(readsElsewhere)

KERNEL(counts) {
  if (threadIndex() == 0)
    addCounter(counter, 1);
}
SLUICE_EXPORT(counts)

// In each block a warp polls for what the next one does.
KERNEL(pollsForItsNeighbour) {
  Global<u32> flag = counter + i64(blockIndex() * 64 + warpIndex());
  if (laneIndex() == 0) {
    storeCounter<Order::release>(flag, 1);
    if (warpIndex() + 1 < blockThreads() / 32)
      while (loadCounter<Order::acquire>(flag + 1) == 0) {
      }
  }
}
SLUICE_EXPORT(pollsForItsNeighbour)

KERNEL(pollsByUpdates) {
  if (threadIndex() == 0)
    while (atomicOr<Order::acquire>(counter + i64(blockIndex()), 0u) == 0) {
    }
  if (threadIndex() == 96)
    storeCounter<Order::release>(counter + i64(remainder(blockIndex() + 1, gridBlocks())), 1);
}
SLUICE_EXPORT(pollsByUpdates)

KERNEL(meetsByPolling) {
  if (threadIndex() == 0) {
    addCounter<Order::release>(counter, 1);
    while (loadCounter<Order::acquire>(counter) < gridBlocks()) { // meetsByPolling
    }
  }
}
SLUICE_EXPORT(meetsByPolling)
