// Right kernels that hand values on by the synchronising primitives that the other kernels do not use, so
// that the mutants cover these too. Every thread ends by writing what it was handed. For sm_80 and later.
#include "Device.h"

namespace {

SLUICE_DEVICE Shared<f32> slot(u32 index) { return sharedMemory<f32>(0) + i32(index); }
SLUICE_DEVICE Mbarrier barrier(u32 index) { return Mbarrier(sharedMemory<u64>(4096)).at(index); }
SLUICE_DEVICE f32 inputOf(Global<const f32> source) { return loadGlobal(source + i64(threadIndex())); }
SLUICE_DEVICE void result(Global<f32> target, f32 value) {
  storeGlobal(target + (i64(blockIndex()) * 128 + threadIndex()), value);
}

/// The first block writes what the second reads. Each half of it tells for itself that it has written; one
/// thread waits for both.
template <class Signal, class Wait>
SLUICE_DEVICE f32 handOver(Global<const f32> source, Global<f32> mail, Signal &&signal, Wait &&wait) {
  const Global<f32> own = mail + i64(threadIndex());
  if (blockIndex() == 0) {
    const u32 half = warpIndex() / 2;
    storeGlobal(own, inputOf(source));
    barrierSync(1 + half, 64);
    if (threadIndex() % 64 == 0)
      signal(half);
    return 0;
  }
  if (threadIndex() == 0)
    wait();
  syncThreads();
  return loadGlobal(own);
}

} // namespace

// Two warps and a buffer: one arrives and goes on, the other waits.
SLUICE_KERNEL(hand_by_named_barriers, 128)(Global<const f32> source, Global<f32> target) {
  f32 value = 0;
  for (u32 round = 0; round < 3; ++round)
    if (warpIndex() < 2) {
      if (round > 0)
        barrierSync(2, 128);
      storeShared(slot(threadIndex()), inputOf(source));
      barrierArrive(1, 128);
    } else {
      barrierSync(1, 128);
      value += loadShared(slot(threadIndex() - 64));
      if (round < 2)
        barrierArrive(2, 128);
    }
  result(target, value);
}
SLUICE_EXPORT(hand_by_named_barriers)

// cp.async by all, arrivals by their copies; whoever reads polls.
SLUICE_KERNEL(hand_by_copies, 128)(Global<const f32> source, Global<f32> target) {
  if (threadIndex() == 0)
    mbarrierInit(barrier(0), 128);
  syncThreads();
  cpAsync<4>(slot(threadIndex()), source + i64(threadIndex()));
  cpAsyncArrive(barrier(0));
  while (!mbarrierTest(barrier(0), 0)) {
  }
  result(target, loadShared(slot(threadIndex() ^ 127)));
}
SLUICE_EXPORT(hand_by_copies)

// Within a block, by relaxed counters between fences of the block.
SLUICE_KERNEL(hand_by_block_fences, 128)(Global<const f32> source, Global<f32> target, Global<u32> counter) {
  f32 value = 0;
  const i64 lane = laneIndex();
  if (warpIndex() == 0) {
    value = inputOf(source);
    storeShared(slot(threadIndex()), value);
    fenceBlock();
    storeCounter(counter + lane, 1);
  } else if (warpIndex() == 1) {
    while (loadCounter(counter + lane) == 0) {
    }
    fenceBlock();
    value = loadShared(slot(u32(lane)));
  }
  result(target, value);
}
SLUICE_EXPORT(hand_by_block_fences)

// Between blocks, once for each way of signalling.
SLUICE_KERNEL(hand_by_counters, 128)
(Global<const f32> source, Global<f32> target, Global<f32> mail, Global<u32> counter) {
  f32 value = handOver(
      source, mail, [&](u32) { addCounter<Order::release>(counter, 1); }, [&] { waitCounter(counter, 2); });
  value += handOver(
      source, mail + 128,
      [&](u32) {
        fenceDevice();
        addCounter(counter + 1, 1);
      },
      [&] { waitCounter(counter + 1, 2); });
  value += handOver(
      source, mail + 256, [&](u32 half) { storeCounter<Order::release>(counter + i64(2 + half), 1); },
      [&] {
        while (loadCounter(counter + 2) == 0 || loadCounter(counter + 3) == 0) {
        }
        fenceDevice();
      });
  value += handOver(
      source, mail + 384, [&](u32 half) { storeCounter<Order::release>(counter + i64(4 + half), 1); },
      [&] {
        while (loadCounter<Order::acquire>(counter + 4) == 0) {
        }
        while (loadCounter<Order::acquire>(counter + 5) == 0) {
        }
      });
  result(target, value);
}
SLUICE_EXPORT(hand_by_counters)

// The same by atomics: those that change nothing only look.
SLUICE_KERNEL(hand_by_atomics, 128)
(Global<const f32> source, Global<f32> target, Global<f32> mail, Global<u32> counter) {
  f32 value = handOver(
      source, mail, [&](u32) { atomicAdd<Order::release>(counter, 1u); },
      [&] {
        while (atomicAdd<Order::acquire>(counter, 0u) < 2) {
        }
      });
  value += handOver(
      source, mail + 128, [&](u32 half) { atomicMax<Order::release>(counter + i64(1 + half), 1u); },
      [&] {
        while (atomicMin<Order::acquire>(counter + 1, ~0u) == 0) {
        }
        while (atomicExchange<Order::acquire>(counter + 2, 0u) == 0) {
        }
      });
  value += handOver(
      source, mail + 256, [&](u32 half) { atomicOr<Order::release>(counter + 3, 1u + half); },
      [&] {
        while (atomicAnd<Order::acquire>(counter + 3, 3u) != 3) {
        }
      });
  value += handOver(
      source, mail + 384, [&](u32 half) { atomicXor<Order::release>(counter + 4, 1u + half); },
      [&] {
        while (atomicCompareExchange<Order::acquire>(counter + 4, 3u, 0u) != 3) {
        }
      });
  result(target, value);
}
SLUICE_EXPORT(hand_by_atomics)
