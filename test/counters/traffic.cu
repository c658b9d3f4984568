// Kernels for sm_80 and later whose traffic, bank conflicts and FLOPs are known in advance. Three mistakes of speed,
// none of result, can be compiled in: REDUNDANT loads everything twice, PLAIN leaves out the swizzle. (The third, a
// misaligned row, is a matter of the arguments.)
#include "Device.h"

#ifndef REDUNDANT
#define REDUNDANT 0
#endif
#ifndef FMAS
#define FMAS 4
#endif
#ifndef PLAIN
#define PLAIN 0
#endif

namespace {
constexpr u32 threads = 128, warps = threads / 32;
constexpr Swizzle pattern = PLAIN ? Swizzle::none : Swizzle::bytes128;
} // namespace

// A warp for each row, an element of 2 bytes for each lane at a time.
SLUICE_KERNEL(copy_rows, 128)(Global<const bf16> source, Global<bf16> target, i64 rows, i64 columns, i64 pitch) {
  const i64 row = i64(blockIndex()) * warps + warpIndex();
  for (i64 column = laneIndex(); row < rows && column < columns; column += 32) {
    bf16 value = loadGlobal(source + (row * pitch + column));
    if (REDUNDANT)
      value = loadGlobal<1, Cache::level2>(source + (row * pitch + column));
    storeGlobal(target + (row * pitch + column), value);
  }
}
SLUICE_EXPORT(copy_rows)

// Pieces of 16 bytes through shared memory, one for each thread.
SLUICE_KERNEL(copy_pieces, 128)(Global<const f32> source, Global<f32> target, i64 pieces) {
  const i64 piece = i64(blockIndex()) * threads + threadIndex();
  const bool exists = piece < pieces;
  const Shared<f32> place = sharedMemory<f32>(0) + i32(threadIndex() * 4);
  cpAsync<16>(place, source + (exists ? piece * 4 : 0), exists ? 16u : 0u);
  cpAsyncCommit();
  cpAsyncWait<0>();
  storeGlobal(target + piece * 4, loadShared<4>(place), exists);
}
SLUICE_EXPORT(copy_pieces)

// The same of words, whose last piece may be a part of one.
SLUICE_KERNEL(copy_words, 128)(Global<const f32> source, Global<f32> target, i64 words) {
  const i64 first = (i64(blockIndex()) * threads + threadIndex()) * 4, left = words - first;
  const Shared<f32> place = sharedMemory<f32>(0) + i32(threadIndex() * 4);
  cpAsync<16>(place, source + (left > 0 ? first : 0), left <= 0 ? 0u : left < 4 ? u32(left) * 4 : 16u);
  cpAsyncCommit();
  cpAsyncWait<0>();
  storeGlobal(target + first, loadShared<4>(place));
}
SLUICE_EXPORT(copy_words)

// Every thread adds to one of `words` words in turn.
SLUICE_KERNEL(add_words, 128)(Global<u32> target, u32 words) {
  atomicAdd(target + i64(remainder(threadIndex(), words)), 1u);
}
SLUICE_EXPORT(add_words)

// A block transposes one tile of 64 x 64: in by rows of 128 bytes, out by ldmatrix as pairs.
SLUICE_KERNEL(transpose_tiles, 128)(Global<const bf16> source, Global<bf16> target) {
  const Shared<bf16> tile = sharedMemory<bf16>(0);
  const i64 base = i64(blockIndex()) * 64 * 64;
  const auto place = [&](u32 row, u32 column) {
    return tile + i32(layout::tileOffset(pattern, 128, row, column, 2) / 2);
  };
  for (u32 piece = threadIndex(); piece < 512; piece += threads)
    storeShared(place(piece / 8, piece % 8 * 8), loadGlobal<8>(source + (base + piece * 8)));
  syncThreads();
  const u32 lane = laneIndex();
  unrolled<2>([&](auto half) {
    unrolled<2>([&](auto eight) {
      const u32 column = warpIndex() * 16 + eight * 8;
      const auto four = ldmatrix<4, true>(place(half * 32 + lane, column));
      unrolled<4>([&](auto matrix) {
        const i64 at = base + (column + lane / 4) * 64 + half * 32 + matrix * 8 + lane % 4 * 2;
        storeGlobal(target.cast<u32>() + at / 2, four.r(matrix));
      });
    });
  });
}
SLUICE_EXPORT(transpose_tiles)

// Transposes tiles of 32 x 32 float32 word by word: rows of 32 words conflict, rows of `pitch` = 33 do not.
SLUICE_KERNEL(transpose_words, 128)(Global<const f32> source, Global<f32> target, u32 pitch) {
  const Shared<f32> tile = sharedMemory<f32>(0);
  const i64 base = i64(blockIndex()) * 32 * 32;
  for (u32 row = warpIndex(); row < 32; row += warps)
    storeShared(tile + i32(row * pitch + laneIndex()), loadGlobal(source + (base + row * 32 + laneIndex())));
  syncThreads();
  for (u32 row = warpIndex(); row < 32; row += warps)
    storeGlobal(target + (base + row * 32 + laneIndex()), loadShared(tile + i32(laneIndex() * pitch + row)));
}
SLUICE_EXPORT(transpose_words)

// Every block reads the same table.
SLUICE_KERNEL(scale_rows, 128)(Global<const f32> source, Global<const f32> table, Global<f32> target, i64 columns) {
  const i64 row = blockIndex();
  for (i64 column = threadIndex(); column < columns; column += threads)
    storeGlobal(target + (row * columns + column),
                loadGlobal(source + (row * columns + column)) * loadGlobal(table + column));
}
SLUICE_EXPORT(scale_rows)

// Even lanes load in even steps, odd ones in odd steps, all of a step the same word.
SLUICE_KERNEL(alternate, 128)(Global<const f32> source, Global<f32> target, i64 steps) {
  const Shared<f32> words = sharedMemory<f32>(0);
  if (threadIndex() < 64)
    storeShared(words + i32(threadIndex()), 0.0f);
  syncThreads();
  f32 sum = 0;
  for (i64 i = 0; i < steps; ++i) {
    const bool turn = (i + laneIndex()) % 2 == 0;
    sum += loadGlobal(source + i, turn, 0.0f) + loadShared(words + i32(i), turn, 0.0f);
  }
  storeGlobal(target + i64(threadIndex()), sum);
}
SLUICE_EXPORT(alternate)

// `steps` products of each shape in every warp.
SLUICE_KERNEL(multiply, 128)(Global<f32> target, i64 steps) {
  MmaAccumulator sum;
  sum.fill(0);
  MmaA<bf16> a;
  MmaB<bf16> b;
  MmaAK8<tf32> narrowA;
  MmaBK8<tf32> narrowB;
  unrolled<4>([&](auto i) { a.r(i) = narrowA.r(i) = 0; });
  unrolled<2>([&](auto i) { b.r(i) = narrowB.r(i) = 0; });
  for (i64 i = 0; i < steps; ++i) {
    mma(sum, a, b);
    mma(sum, narrowA, narrowB);
  }
  storeGlobal(target + (i64(blockIndex()) * threads + threadIndex()), sum.r(0));
}
SLUICE_EXPORT(multiply)

// Straight-line arithmetic: FMAS fma and one ex2 for each thread, as the machine code must show.
SLUICE_KERNEL(arithmetic, 128)(Global<f32> target, f32 a, f32 b) {
  f32 x = a;
  unrolled<FMAS>([&](auto) { x = multiplyAdd(x, a, b); });
  storeGlobal(target + i64(threadIndex()), exp2Approx(x));
}
SLUICE_EXPORT(arithmetic)
