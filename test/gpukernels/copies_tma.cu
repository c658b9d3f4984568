// Two copies for sm_90 and later by the bulk copy engine.
//
// copy_bulk: n float32 numbers in pieces of 4 KiB. One thread of a block does everything: it brings a piece
// to one of four stages of shared memory, and sends it on two pieces later; the numbers never pass through
// registers. A stage is filled again when the copy out of it, two turns ago, has read it.
//
// copy_scaled: Y[b] = scale * X[b] for matrices of bf16, in tiles of 64 x 64 that TMA permutes with the
// 128-byte pattern on the way in and back on the way out; it also fills and clips at the ragged edges. Since
// the product is elementwise, the threads need not know the pattern.
#include "Device.h"

#ifndef COPY_STAGES
#define COPY_STAGES 4
#endif

namespace {

constexpr u32 stages = COPY_STAGES, lead = 2; ///< Pieces between a piece's way in and its way out.
constexpr u32 piece = 1024, pieceBytes = piece * 4;
constexpr u32 tileElements = 64 * 64, tileBytes = tileElements * 2;

/// Pieces blockIndex, blockIndex + gridBlocks, ... of n / 4 * 4 numbers; the last one may be shorter.
SLUICE_DEVICE void copyPieces(Global<f32> target, Global<const f32> source, i64 n, const Mbarrier &full) {
  const Shared<f32> ring = sharedMemory<f32>(0);
  const i64 stride = i64(gridBlocks()) * piece, first = i64(blockIndex()) * piece;
  const auto bytesAt = [&](i64 at) { return u32(n - at < piece ? n - at : i64(piece)) * 4; };
  u32 in = 0, out = 0;
  for (i64 at = first; at < n + i64(lead) * stride; at += stride, ++in) {
    if (at < n) {
      const Shared<f32> stage = ring + i32(in % stages * piece);
      // Of the copies out, only the latest may still be reading: it reads another stage.
      bulkWaitRead<stages - lead - 1>();
      mbarrierArriveExpect(full.at(in % stages), bytesAt(at));
      bulkLoad(stage, source + at, bytesAt(at), full.at(in % stages));
    }
    const i64 arrived = at - i64(lead) * stride;
    if (arrived >= 0 && arrived < n) {
      mbarrierWait(full.at(out % stages), out / stages & 1);
      bulkStore(target + arrived, ring + i32(out % stages * piece), bytesAt(arrived));
      bulkCommit();
      ++out;
    }
  }
  bulkWaitRead<0>(); // shared memory lives until the last copy has read it
}

} // namespace

SLUICE_KERNEL(copy_bulk, 64)(Global<const f32> source, Global<f32> target, i64 n) {
  const Mbarrier full(sharedMemory<u64>(stages * pieceBytes));
  const i64 whole = n / 4 * 4; // a bulk copy moves multiples of 16 bytes
  if (threadIndex() == 0) {
    for (u32 stage = 0; stage < stages; ++stage)
      mbarrierInit(full.at(stage), 1);
    mbarrierFenceInit();
    copyPieces(target, source, whole, full);
  } else if (blockIndex() == 0 && threadIndex() >= 32) {
    const i64 at = whole + laneIndex();
    if (at < n)
      storeGlobal(target + at, loadGlobal(source + at));
  }
}
SLUICE_EXPORT(copy_bulk)

SLUICE_KERNEL(copy_scaled, 128)(SLUICE_TENSOR_MAP(source), SLUICE_TENSOR_MAP(target), f32 scale) {
  const Shared<bf16> tile = sharedMemory<bf16>(0);
  const Mbarrier full(sharedMemory<u64>(tileBytes));
  const i32 column = i32(blockIndex<0>() * 64), row = i32(blockIndex<1>() * 64), batch = i32(blockIndex<2>());
  if (threadIndex() == 0) {
    prefetchTensorMap(target);
    mbarrierInit(full, 1);
    mbarrierFenceInit();
    mbarrierArriveExpect(full, tileBytes);
    tensorLoad<Eviction::first>(tile, source, full, column, row, batch);
  }
  syncThreads(); // the barrier exists
  mbarrierWait(full, 0);
  for (u32 i = threadIndex(); i < tileElements / 8; i += 128) {
    const auto x = loadShared<8>(tile + i32(i * 8));
    Vec<bf16, 8> y;
    unrolled<8>([&](auto e) { y(e) = toBf16(scale * toFloat(x(e))); });
    storeShared(tile + i32(i * 8), y);
  }
  fenceProxyAsyncShared(); // the stores above, before the copy engine reads
  syncThreads();
  if (threadIndex() == 0) {
    tensorStore(target, tile, column, row, batch);
    bulkCommit();
    bulkWaitRead<0>();
  }
}
SLUICE_EXPORT(copy_scaled)
