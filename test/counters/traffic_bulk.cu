// Kernels for sm_90a whose traffic is known in advance: tensor maps, bulk copies, wgmma.
#include "Device.h"
#include "wgmma/n64.h"

#ifndef PLAIN
#define PLAIN 0
#endif

namespace {
constexpr Swizzle pattern = PLAIN ? Swizzle::none : Swizzle::bytes128;
constexpr u32 tileRows = 32, tileBytes = tileRows * 128;
} // namespace

// Boxes of 64 x 32 elements of 2 bytes, one for each block, in and out.
SLUICE_KERNEL(copy_boxes, 32)(SLUICE_TENSOR_MAP(source), SLUICE_TENSOR_MAP(target)) {
  const Shared<bf16> tile = sharedMemory<bf16>(0);
  const Mbarrier full(sharedMemory<u64>(tileBytes));
  if (threadIndex() != 0)
    return;
  const i32 column = i32(blockIndex<0>() * 64), row = i32(blockIndex<1>() * tileRows);
  mbarrierInit(full, 1);
  mbarrierFenceInit();
  mbarrierArriveExpect(full, tileBytes);
  tensorLoad(tile, source, full, column, row);
  mbarrierWait(full, 0);
  tensorStore(target, tile, column, row);
  bulkCommit();
  bulkWait<0>();
}
SLUICE_EXPORT(copy_boxes)

// The first block of a cluster loads a box into every block; each stores its own.
SLUICE_KERNEL(share_boxes, 32)(SLUICE_TENSOR_MAP(source), Global<bf16> target) {
  const Shared<bf16> tile = sharedMemory<bf16>(0);
  const Mbarrier full(sharedMemory<u64>(tileBytes));
  if (threadIndex() == 0) {
    mbarrierInit(full, 1);
    mbarrierFenceInit();
    mbarrierArriveExpect(full, tileBytes);
  }
  clusterArrive();
  clusterWait();
  if (threadIndex() == 0 && clusterRank() == 0)
    tensorLoadMulticast(tile, source, full, u16((1u << clusterBlocks()) - 1), 0, i32(blockIndex<1>() * tileRows));
  mbarrierWait(full, 0);
  if (threadIndex() == 0) {
    bulkStore(target + (i64(blockIndex<1>()) * clusterBlocks() + clusterRank()) * (tileBytes / 2), tile, tileBytes);
    bulkCommit();
    bulkWait<0>();
  }
  clusterArrive();
  clusterWait();
}
SLUICE_EXPORT(share_boxes)

// A box of 64 x 8 from each page of a tensor of rank 3, from `column` and `row` on, which may lie outside.
SLUICE_KERNEL(load_corners, 32)(SLUICE_TENSOR_MAP(source), i32 column, i32 row) {
  const Shared<bf16> tile = sharedMemory<bf16>(0);
  const Mbarrier full(sharedMemory<u64>(1024));
  if (threadIndex() != 0)
    return;
  mbarrierInit(full, 1);
  mbarrierFenceInit();
  mbarrierArriveExpect(full, 1024);
  tensorLoad(tile, source, full, column, row, i32(blockIndex()));
  mbarrierWait(full, 0);
}
SLUICE_EXPORT(load_corners)

// Tiles of 32 rows of 128 bytes, stored by four warps and read by rows.
SLUICE_KERNEL(store_tiles, 128)(Global<u64> target) {
  const Shared<bf16> tile = sharedMemory<bf16>(0);
  const auto place = [&](u32 row, u32 column) {
    return tile + i32(layout::tileOffset(pattern, 128, row, column, 2) / 2);
  };
  LdRegisters<4> four;
  unrolled<4>([&](auto matrix) { four.r(matrix) = threadIndex() + matrix; });
  unrolled<2>([&](auto eight) { stmatrix(place(laneIndex(), warpIndex() * 16 + eight * 8), four); });
  syncThreads();
  const i64 base = i64(blockIndex()) * tileBytes / 8;
  for (u32 piece = threadIndex(); piece < tileBytes / 16; piece += 128)
    storeGlobal(target + (base + piece * 2), loadShared<2>(place(piece / 8, piece % 8 * 8).cast<u64>()));
}
SLUICE_EXPORT(store_tiles)

// `bytes` of contiguous memory from byte 16 block on: neighbours overlap.
SLUICE_KERNEL(copy_stretches, 32)(Global<const f32> source, Global<f32> target, u32 bytes) {
  const Shared<f32> place = sharedMemory<f32>(0);
  const Mbarrier full(sharedMemory<u64>(8192));
  if (threadIndex() != 0)
    return;
  mbarrierInit(full, 1);
  mbarrierFenceInit();
  mbarrierArriveExpect(full, bytes);
  bulkLoad(place, source + i64(blockIndex()) * 4, bytes, full);
  mbarrierWait(full, 0);
  bulkStore(target + i64(blockIndex()) * (bytes / 4), place, bytes);
  bulkCommit();
  bulkWait<0>();
}
SLUICE_EXPORT(copy_stretches)

// `steps` products of 64 x 64 x 16, both operands from shared memory, then one with A in registers.
SLUICE_KERNEL(multiply_groups, 128)(Global<f32> target, i64 steps) {
  const Shared<bf16> tile = sharedMemory<bf16>(0);
  for (u32 i = threadIndex(); i < 64 * 64; i += 128)
    storeShared(tile + i32(i), bf16{0});
  fenceProxyAsyncShared();
  syncThreads();
  const auto operand = wgmmaDescriptor(tile, Swizzle::bytes128, 16, 1024);
  WgmmaAccumulator<64> sum;
  sum.fill(0);
  WgmmaA<bf16> a;
  unrolled<4>([&](auto i) { a.r(i) = 0; });
  pin(sum);
  for (i64 i = 0; i < steps; ++i) {
    wgmmaFence();
    wgmma(sum, operand, operand, true);
    wgmmaCommit();
    wgmmaWait<0>(sum);
  }
  wgmmaFence();
  wgmma(sum, a, operand, true);
  wgmmaCommit();
  wgmmaWait<0>(sum);
  storeGlobal(target + (i64(blockIndex()) * 128 + threadIndex()), sum.r(0));
}
SLUICE_EXPORT(multiply_groups)
