// The chain of counter_chain.cu with rings that the copy engine of sm_90 reads or writes, a tile at a time
// through shared memory.
//   chain_bulk_read   a tile comes from the ring by bulk copy. The copy engine is another proxy: between
//                     the wait for the counter and the copy there is a fence.
//   chain_bulk_write  a tile goes to the ring by bulk copy. Before the counter says so its writes must be
//                     complete, not only its reads of shared memory.
#include "Device.h"

#ifndef CHAIN_SLOTS
#define CHAIN_SLOTS 3
#endif

namespace {

constexpr u32 slots = CHAIN_SLOTS, threads = 128, tile = 512, tileBytes = tile * 4;
constexpr u32 counterDistance = 8; ///< Counters lie in sectors of their own.

struct Arguments {
  Global<const f32> source, scales, shifts;
  Global<f32> target, rings;
  Global<u32> counters;
  i64 count;
};

/// The ring behind one block of the chain; the last block has none.
struct Ring {
  Global<f32> tiles;
  Global<u32> written, read;
  SLUICE_DEVICE Global<f32> slot(u32 n) const { return tiles + i64(n % slots * tile); }
};

SLUICE_DEVICE Ring ringBehind(const Arguments &arguments, u32 stage) {
  const i64 ring = i64(blockIndex<1>()) * (gridBlocks<0>() - 1) + stage;
  const Global<u32> written = arguments.counters + ring * 2 * counterDistance;
  return {arguments.rings + ring * slots * tile, written, written + i64(counterDistance)};
}

/// This block's place in its chain.
struct Place {
  u32 stage;
  bool first, last;
  Ring front, behind;
  i64 sequence; ///< Of the chain's numbers.
  f32 scale, shift;
};

SLUICE_DEVICE Place placeOf(const Arguments &arguments) {
  const u32 stage = blockIndex<0>();
  return {stage,
          stage == 0,
          stage + 1 == gridBlocks<0>(),
          ringBehind(arguments, stage == 0 ? 0 : stage - 1),
          ringBehind(arguments, stage),
          i64(blockIndex<1>()) * arguments.count,
          loadGlobal(arguments.scales + i64(stage)),
          loadGlobal(arguments.shifts + i64(stage))};
}

/// Thread 0: waits until the ring behind has a free slot and tile n is in the ring in front.
SLUICE_DEVICE void waitForTile(const Place &place, u32 n) {
  if (!place.last && n >= slots)
    waitCounter(place.behind.read, n + 1 - slots);
  if (!place.first)
    waitCounter(place.front.written, n + 1);
}

/// Thread 0: says that tile n has been written behind and read in front.
SLUICE_DEVICE void releaseTile(const Place &place, u32 n) {
  if (!place.last)
    storeCounter<Order::release>(place.behind.written, n + 1);
  if (!place.first)
    storeCounter<Order::release>(place.front.read, n + 1);
}

SLUICE_DEVICE u32 tilesOf(const Arguments &arguments) { return u32((arguments.count + tile - 1) / tile); }

} // namespace

SLUICE_KERNEL(chain_bulk_read, 128)
(Global<const f32> source, Global<const f32> scales, Global<const f32> shifts, Global<f32> target,
 Global<f32> rings, Global<u32> counters, i64 count) {
  const Arguments arguments = {source, scales, shifts, target, rings, counters, count};
  const Place place = placeOf(arguments);
  const Shared<f32> staged = sharedMemory<f32>(0);
  const Mbarrier landed(sharedMemory<u64>(tileBytes));
  if (threadIndex() == 0) {
    mbarrierInit(landed, 1);
    mbarrierFenceInit();
  }
  syncThreads();
  for (u32 n = 0; n < tilesOf(arguments); ++n) {
    if (threadIndex() == 0) {
      waitForTile(place, n);
      mbarrierArriveExpect(landed, place.first ? 0 : tileBytes);
      if (!place.first) {
        fenceProxyAsyncGlobal();
        bulkLoad(staged, Global<const f32>(place.front.slot(n)), tileBytes, landed);
      }
    }
    // Passes on what thread 0 has waited for as well as the copied bytes.
    mbarrierWait(landed, n & 1);
    unrolled<tile / threads>([&](auto e) {
      const u32 element = e * threads + threadIndex();
      const i64 at = i64(n) * tile + element;
      const f32 x = place.first ? loadGlobal(source + (place.sequence + at), at < count, 0.f)
                                : loadShared(staged + i32(element));
      const f32 y = multiplyAdd(place.scale, x, place.shift);
      if (place.last)
        storeGlobal(target + (place.sequence + at), y, at < count);
      else
        storeGlobal<Cache::level2>(place.behind.slot(n) + i64(element), y);
    });
    syncThreads(); // all of the tile has been read and written
    if (threadIndex() == 0)
      releaseTile(place, n);
  }
}
SLUICE_EXPORT(chain_bulk_read)

SLUICE_KERNEL(chain_bulk_write, 128)
(Global<const f32> source, Global<const f32> scales, Global<const f32> shifts, Global<f32> target,
 Global<f32> rings, Global<u32> counters, i64 count) {
  const Arguments arguments = {source, scales, shifts, target, rings, counters, count};
  const Place place = placeOf(arguments);
  const Shared<f32> staged = sharedMemory<f32>(0);
  for (u32 n = 0; n < tilesOf(arguments); ++n) {
    if (threadIndex() == 0)
      waitForTile(place, n);
    syncThreads();
    unrolled<tile / threads>([&](auto e) {
      const u32 element = e * threads + threadIndex();
      const i64 at = i64(n) * tile + element;
      const f32 x = place.first ? loadGlobal(source + (place.sequence + at), at < count, 0.f)
                                : loadGlobal<1, Cache::level2>(place.front.slot(n) + i64(element));
      const f32 y = multiplyAdd(place.scale, x, place.shift);
      if (place.last)
        storeGlobal(target + (place.sequence + at), y, at < count);
      else
        storeShared(staged + i32(element), y);
    });
    fenceProxyAsyncShared(); // the stores above, before the copy engine reads
    syncThreads();           // all of the tile has been read and staged
    if (threadIndex() == 0) {
      if (!place.last) {
        bulkStore(place.behind.slot(n), staged, tileBytes);
        bulkCommit();
        bulkWait<0>();
      }
      releaseTile(place, n);
    }
  }
}
SLUICE_EXPORT(chain_bulk_write)
