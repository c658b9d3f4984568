// Probes of memory: loads and stores of every width, predicates, cache policies, counters, atomics, barriers.
#include "Device.h"
#include "Words.h"

namespace {

/// Moves this thread's 16 bytes through shared memory in pieces of N elements, each piece to another thread's
/// place.
template <class T, int N> SLUICE_DEVICE void moveShared(u32 from, u32 to) {
  constexpr u32 bytes = sizeof(T) * N;
  for (u32 piece = 0; piece < 16 / bytes; ++piece) {
    const u32 offset = threadIndex() * 16 + piece * bytes;
    storeShared(sharedMemory<T>(to + offset), loadShared<N>(sharedMemory<T>(from + (offset ^ 16))));
  }
  syncThreads();
}

template <class T, int N, Cache load, Cache store>
SLUICE_DEVICE void moveGlobal(Global<const u32> input, Global<u32> output, u32 row) {
  constexpr u32 bytes = sizeof(T) * N;
  const Global<const T> from = input.cast<const T>();
  const Global<T> to = output.cast<T>();
  for (u32 piece = 0; piece < 16 / bytes; ++piece) {
    const i64 place = i64((row * blockThreads() + threadIndex()) * (16 / sizeof(T)) + piece * N);
    storeGlobal<store>(to + place, loadGlobal<N, load>(from + (place ^ i64(16 / sizeof(T)))));
  }
}

} // namespace

/// 44 words in and out: eleven rows of 16 bytes per thread, each with another width and policy; neighbours
/// swap.
SLUICE_KERNEL(widths, 64)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  const i64 part = i64(blockIndex()) * 44 * blockThreads();
  moveGlobal<u8, 1, Cache::all, Cache::all>(input + part, output + part, 0);
  moveGlobal<u16, 1, Cache::level2, Cache::level2>(input + part, output + part, 1);
  moveGlobal<u32, 1, Cache::streaming, Cache::streaming>(input + part, output + part, 2);
  moveGlobal<u16, 4, Cache::lastUse, Cache::all>(input + part, output + part, 3);
  moveGlobal<u32, 4, Cache::all, Cache::streaming>(input + part, output + part, 4);
  moveGlobal<u64, 1, Cache::level2, Cache::level2>(input + part, output + part, 5);
  moveGlobal<u16, 1, Cache::all, Cache::all>(input + part, output + part, 6);
  moveGlobal<u16, 8, Cache::all, Cache::all>(input + part, output + part, 7);
  moveGlobal<u32, 1, Cache::lastUse, Cache::all>(input + part, output + part, 8);
  moveGlobal<u32, 2, Cache::all, Cache::all>(input + part, output + part, 9);
  moveGlobal<u64, 1, Cache::all, Cache::all>(input + part, output + part, 10);
}
SLUICE_EXPORT(widths)

/// 4 words in and out: through shared memory with every width. 8 KiB of shared memory.
SLUICE_KERNEL(sharedWidths, 256)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  const i64 place = (i64(blockIndex()) * blockThreads() + threadIndex()) * 4;
  storeShared(sharedMemory<u32>(threadIndex() * 16), loadGlobal<4>(input + place));
  syncThreads();
  moveShared<u8, 1>(0, 4096);
  moveShared<u16, 1>(4096, 0);
  moveShared<u32, 1>(0, 4096);
  moveShared<u16, 4>(4096, 0);
  moveShared<u64, 1>(0, 4096);
  moveShared<u32, 4>(4096, 0);
  storeGlobal(output + place, loadShared<4>(sharedMemory<u32>(threadIndex() * 16)));
}
SLUICE_EXPORT(sharedWidths)

/// 4 words in, 8 out. Where a predicate is false the load gives the other value and the store leaves the
/// memory.
SLUICE_KERNEL(predicates, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  const i64 block = i64(blockIndex()) * blockThreads();
  const Global<const u32> from = input + (block + threadIndex()) * 4;
  const Global<u32> to = output + (block + threadIndex()) * 8;
  const u32 choice = loadGlobal(from);
  prefetchLevel2(from);
  storeGlobal(to, Vec<u32, 4>{{7, 8, 9, 10}});
  storeGlobal(to, loadGlobal<4>(from, (choice & 1) != 0, 5u), (choice & 2) != 0);
  const Shared<u32> own = sharedMemory<u32>(threadIndex() * 16);
  storeShared(own, Vec<u32, 4>{{choice, 1, 2, 3}});
  storeShared(own + 2, choice, (choice & 4) != 0);
  storeShared(own, Vec<u32, 2>{{choice ^ 1, choice ^ 2}}, (choice & 16) != 0);
  storeGlobal(to + 4, loadShared<4>(own, (choice & 8) != 0, 6u));
}
SLUICE_EXPORT(predicates)

/// 8 words in, 16 out: predicates with other widths. 2 KiB.
SLUICE_KERNEL(predicatedWidths, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  const i64 thread = i64(blockIndex()) * blockThreads() + threadIndex();
  const Global<const u32> from = input + thread * 8;
  const Global<const u16> halves = from.cast<const u16>() + 8;
  const Global<u32> to = output + thread * 16;
  const u32 choice = loadGlobal(from);
  unrolled<4>([&](auto i) { storeGlobal(to + 4 * i, Vec<u32, 4>{{7, 8, 9, 10}}); });
  storeGlobal(to, loadGlobal(from + 1, (choice & 1) != 0, 5u), (choice & 2) != 0);
  storeGlobal(to + 2, loadGlobal<2>(from + 2, (choice & 4) != 0, 6u), (choice & 8) != 0);
  storeGlobal(to.cast<u16>() + 9, loadGlobal(halves, (choice & 16) != 0, u16(77)), (choice & 32) != 0);
  storeGlobal(to.cast<u16>() + 16, loadGlobal<8, Cache::level2>(halves, (choice & 64) != 0, u16(99)),
              (choice & 128) != 0);
  const Shared<u32> own = sharedMemory<u32>(threadIndex() * 16);
  storeShared(own, Vec<u32, 4>{{choice, 1, 2, 3}});
  storeShared(own, Vec<u32, 4>{{4, 5, 6, choice ^ 7}}, (choice & 256) != 0);
  storeGlobal(to + 12, Vec<u32, 4>{{loadShared(own, (choice & 512) != 0, 3u), loadShared(own + 1),
                                    loadShared(own + 2), loadShared(own + 3)}});
}
SLUICE_EXPORT(predicatedWidths)

/// 2 words in, 3 out: atomics whose outcome does not depend on the order: the memory after all threads. 64
/// bytes.
SLUICE_KERNEL(atomics, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  const u32 value = words.get(), other = words.get();
  const Shared<u32> sum = sharedMemory<u32>(0);
  if (threadIndex() == 0)
    storeShared(sum, 0);
  syncThreads();
  atomicAdd(sum, value);
  syncThreads();
  words.put(loadShared(sum));
  // A word of this thread's own: each operation gives what the one before left.
  const Global<u32> own = words.to;
  storeGlobal(own, value);
  u32 seen = atomicAdd(own, other);
  seen = seen * 31 + atomicMin<Order::acquire>(own, other);
  seen = seen * 31 + atomicMax<Order::release>(own, value);
  seen = seen * 31 + atomicAnd<Order::acquireRelease>(own, other | 0xffu);
  seen = seen * 31 + atomicOr(own, value);
  seen = seen * 31 + atomicXor(own, other);
  seen = seen * 31 + atomicCompareExchange(own, value, other);
  seen = seen * 31 + atomicCompareExchange<Order::acquireRelease>(own, other, value ^ 5);
  seen = seen * 31 + atomicExchange(own, loadCounter(Global<const u32>(own)) + 1);
  words.to = words.to + i64(blockThreads());
  words.put(seen);
}
SLUICE_EXPORT(atomics)

/// 2 words in, 6 out: the other orders, and sums of 64 bits; again on words of each thread's own.
SLUICE_KERNEL(orderedAtomics, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  const i64 thread = i64(blockIndex()) * blockThreads() + threadIndex();
  const u32 value = loadGlobal(input + thread * 2), other = loadGlobal(input + (thread * 2 + 1));
  const Global<u32> to = output + thread * 6, own = to + 2;
  const Global<u64> wide = to.cast<u64>();
  storeGlobal(own, value);
  u32 seen = atomicAdd<Order::acquire>(own, other);
  seen = seen * 31 + atomicAdd<Order::release>(own, value);
  seen = seen * 31 + atomicMin(own, other);
  addCounter(own, value);
  seen = seen * 31 + atomicMax(own, value);
  seen = seen * 31 + atomicMin<Order::acquireRelease>(own, other ^ 9);
  seen = seen * 31 + atomicMax<Order::acquireRelease>(own, value ^ 3);
  seen = seen * 31 + atomicAnd(own, other | 0xffffu);
  seen = seen * 31 + atomicOr<Order::acquireRelease>(own, value & other);
  seen = seen * 31 + atomicXor<Order::acquireRelease>(own, other);
  seen = seen * 31 + atomicCompareExchange<Order::acquire>(own, value, other);
  seen = seen * 31 + atomicExchange<Order::acquireRelease>(own, seen);
  storeCounter(own, loadCounter(Global<const u32>(own)) + other);
  storeGlobal(own + 1, seen);
  storeGlobal(wide, u64(value) << 31 | other);
  const u64 before = atomicAdd(wide, u64(other) << 32 | value);
  storeGlobal(to + 4, u32(before));
  storeGlobal(to + 5, u32(before >> 32));
}
SLUICE_EXPORT(orderedAtomics)

/// 1 word in, 2 out: blocks hand a token on through counters in the last words of the output. Cooperative.
SLUICE_KERNEL(counters, 64)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  const i64 part = i64(blockIndex()) * 2 * blockThreads() + threadIndex();
  const Global<u32> flags = output + i64(gridBlocks()) * 2 * blockThreads();
  const u32 value = loadGlobal(input + (i64(blockIndex()) * blockThreads() + threadIndex()));
  storeGlobal<Cache::level2>(output + part, value);
  fenceDevice();
  syncThreads();
  if (threadIndex() == 0) {
    waitCounter(Global<const u32>(flags), blockIndex());
    addCounter<Order::release>(flags, 1);
    waitCounter(Global<const u32>(flags), gridBlocks());
    storeCounter<Order::release>(flags + 1 + i64(blockIndex()),
                                 loadCounter<Order::acquire>(Global<const u32>(flags)));
  }
  fenceBlock();
  syncThreads();
  const i64 next = i64(remainder(blockIndex() + 1, gridBlocks())) * 2 * blockThreads() + threadIndex();
  storeGlobal(output + (part + blockThreads()), loadGlobal<1, Cache::level2>(output + next));
}
SLUICE_EXPORT(counters)

/// 1 word in, 2 out: in each pair of blocks, every lane of the first hands its word to the same lane of the
/// second, each through another release or acquire on a flag of its own. Flags: 32 words for each pair.
/// Cooperative.
SLUICE_KERNEL(orders, 32)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  const u32 lane = threadIndex(), pair = blockIndex() / 2;
  const i64 part = i64(blockIndex()) * 64;
  const Global<u32> own = output + part + lane, from = output + (i64(pair) * 128 + lane);
  const Global<u32> flag = output + i64(gridBlocks()) * 64 + (i64(pair) * 32 + lane);
  storeGlobal(own, loadGlobal(input + (i64(blockIndex()) * 32 + lane)));
  if ((blockIndex() & 1) == 0) {
    if (lane < 10)
      storeCounter<Order::release>(flag, 1);
    else if (lane < 20)
      addCounter<Order::release>(flag, 1);
    else if (lane == 20)
      atomicAdd<Order::release>(flag, 1u);
    else if (lane == 21)
      atomicMax<Order::acquireRelease>(flag, 1);
    else {
      fenceDevice();
      addCounter(flag, 1);
    }
    storeGlobal(own + 32, lane);
    return;
  }
  u32 seen = 0;
  if (lane < 16) {
    while (seen == 0)
      seen = loadCounter(Global<const u32>(flag));
    seen = lane == 0   ? atomicAdd<Order::acquire>(flag, 1u)
           : lane == 1 ? atomicMin<Order::acquireRelease>(flag, 5)
           : lane == 2 ? atomicMax<Order::acquireRelease>(flag, 5)
           : lane == 3 ? atomicAnd<Order::acquireRelease>(flag, 7)
           : lane == 4 ? atomicOr<Order::acquireRelease>(flag, 8)
           : lane == 5 ? atomicXor<Order::acquireRelease>(flag, 9)
           : lane == 6 ? atomicExchange<Order::acquireRelease>(flag, 3)
           : lane == 7 ? atomicCompareExchange<Order::acquire>(flag, 1, 4)
                       : loadCounter<Order::acquire>(Global<const u32>(flag));
  } else {
    waitCounter(Global<const u32>(flag), 1);
  }
  storeGlobal(own + 32, loadGlobal<1, Cache::level2>(from) + seen);
}
SLUICE_EXPORT(orders)

/// 1 word in, 2 out: the first half of the only block hands its words to the second half, fenced for the
/// block alone. A flag for each. Cooperative.
SLUICE_KERNEL(blockOrders, 64)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  const u32 thread = threadIndex();
  const Global<u32> flag = output + i64(128 + thread % 32);
  storeGlobal(output + thread, loadGlobal(input + thread));
  if (thread < 32) {
    fenceBlock();
    addCounter(flag, 1);
  } else {
    waitCounter(Global<const u32>(flag), 1);
  }
  storeGlobal(output + i64(64 + thread), thread < 32 ? thread : loadGlobal(output + (thread - 32)));
}
SLUICE_EXPORT(blockOrders)

/// 1 word in, 3 out: named barriers hand values from the lower half of the block to the upper one. 1 KiB.
SLUICE_KERNEL(barriers, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  const u32 value = words.get();
  const Shared<u32> slots = sharedMemory<u32>(0);
  const u32 half = threadIndex() % 64;
  u32 got = 0;
  if (threadIndex() < 64) {
    storeShared(slots + i32(half), value);
    barrierArrive(1, 128);
  } else {
    barrierSync(1, 128);
    got = loadShared(slots + i32(63 - half));
  }
  words.put(got);
  barrierSync(2 + threadIndex() / 64, 64);
  // Elsewhere: the upper half may still read what the lower one wrote.
  const Shared<u32> others = slots + 128;
  storeShared(others + i32(threadIndex()), value ^ got);
  syncWarp();
  words.put(loadShared(others + i32(threadIndex() ^ 31)));
  syncThreads();
  words.put(loadShared(others + i32(threadIndex() ^ 127)));
}
SLUICE_EXPORT(barriers)
