// Blocks chained through counters in global memory: y = f_S(... f_1(x)) with f_s(x) = scale_s x + shift_s in
// float32, one block for each map. Tiles of 512 numbers pass from block to block through rings of three
// slots, small enough to stay in L2. All blocks must be resident at once. For sm_80 and later.
//
// Each ring has two counters: tiles written, and tiles that its reader is done with. One thread of a block
// waits for a counter with acquire; a block barrier passes on to the other threads what the wait has ordered.
// In the other direction a barrier collects what all threads have done, and one thread releases it by setting
// the counter.
#include "Device.h"

#ifndef CHAIN_SLOTS
#define CHAIN_SLOTS 3
#endif

namespace {

constexpr u32 slots = CHAIN_SLOTS, threads = 128, tile = 512;
constexpr u32 counterDistance = 8; ///< Counters lie in sectors of their own.

/// The ring behind one block of the chain; the last block has none.
struct Ring {
  Global<f32> tiles;
  Global<u32> written, read;
  SLUICE_DEVICE Global<f32> slot(u32 n) const { return tiles + i64(n % slots * tile); }
};

SLUICE_DEVICE Ring ringBehind(Global<f32> rings, Global<u32> counters, u32 stage) {
  const i64 ring = i64(blockIndex<1>()) * (gridBlocks<0>() - 1) + stage;
  const Global<u32> written = counters + ring * 2 * counterDistance;
  return {rings + ring * slots * tile, written, written + i64(counterDistance)};
}

} // namespace

SLUICE_KERNEL(chain, 128)
(Global<const f32> source, Global<const f32> scales, Global<const f32> shifts, Global<f32> target,
 Global<f32> rings, Global<u32> counters, i64 count) {
  const u32 stage = blockIndex<0>();
  const bool first = stage == 0, last = stage + 1 == gridBlocks<0>();
  const Ring front = ringBehind(rings, counters, first ? 0 : stage - 1),
             behind = ringBehind(rings, counters, stage);
  const f32 scale = loadGlobal(scales + i64(stage)), shift = loadGlobal(shifts + i64(stage));
  const i64 sequence = i64(blockIndex<1>()) * count;
  const u32 tiles = u32((count + tile - 1) / tile);

  for (u32 n = 0; n < tiles; ++n) {
    if (threadIndex() == 0) {
      if (!last && n >= slots)
        waitCounter(behind.read, n + 1 - slots);
      if (!first)
        waitCounter(front.written, n + 1);
    }
    syncThreads();
    unrolled<tile / threads>([&](auto e) {
      const u32 element = e * threads + threadIndex();
      const i64 at = i64(n) * tile + element;
      f32 x;
      if (first)
        x = loadGlobal(source + (sequence + at), at < count, 0.f);
      else
        x = loadGlobal<1, Cache::level2>(front.slot(n) + i64(element));
      const f32 y = multiplyAdd(scale, x, shift);
      if (last)
        storeGlobal(target + (sequence + at), y, at < count);
      else
        storeGlobal<Cache::level2>(behind.slot(n) + i64(element), y);
    });
    syncThreads(); // all of the tile has been read and written
    if (threadIndex() == 0) {
      if (!last)
        storeCounter<Order::release>(behind.written, n + 1);
      if (!first)
        storeCounter<Order::release>(front.read, n + 1);
    }
  }
}
SLUICE_EXPORT(chain)
