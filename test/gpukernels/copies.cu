// Two copies for sm_80 and later.
//
// copy_rows: rows of any length at any distance, a warp for each row. Where the launch record finds every row
// of both tensors to start at a multiple of 16 bytes, whole 16-byte pieces are copied and then the elements
// left over; else elements of 2 bytes.
//
// copy_transposed: C[N,M] = A[M,N] through shared memory. A block takes 64 columns of A and walks down the
// rows in tiles of 64 x 64, two of which are in shared memory: cp.async fills one while the other is read.
// ldmatrix transposes blocks of 8 x 8 elements; the rows of A are dealt to the blocks so that a lane receives
// eight neighbours of one row of C.
#include "Device.h"

namespace {

constexpr u32 threads = 128, tile = 64, tileElements = tile * tile;

/// Element of the tile where piece `piece` (8 elements) of row `row` starts. ldmatrix reads the rows 8 q + 2
/// i + e for q < 4, e < 2 at once: the permutation gives these eight rows eight different places.
SLUICE_DEVICE u32 pieceAt(u32 row, u32 piece) {
  return row * tile + ((piece ^ ((row >> 3 & 3) << 1 | (row & 1))) << 3);
}

struct Matrix {
  Global<const bf16> source;
  Global<bf16> target;
  i64 rows, columns, strideSource, strideTarget;
};

/// Starts the copies of the tile at (row0, column0); what lies outside the matrix becomes 0.
SLUICE_DEVICE void loadTile(Shared<bf16> stage, const Matrix &matrix, i64 row0, i64 column0) {
  for (u32 i = threadIndex(); i < tileElements / 8; i += threads) {
    const i64 row = row0 + i / 8, column = column0 + i % 8 * 8, left = matrix.columns - column;
    const u32 count = row >= matrix.rows || left <= 0 ? 0 : left < 8 ? u32(left) : 8;
    cpAsync<16>(stage + pieceAt(i / 8, i % 8),
                matrix.source + (count ? row * matrix.strideSource + column : 0), count * 2);
  }
}

/// Writes 8 neighbours of a row of the target, given as four pairs; `left` of them exist.
SLUICE_DEVICE void storePiece(Global<bf16> target, const Vec<u32, 4> &pairs, i64 left) {
  storeGlobal(target.cast<u32>(), pairs, left >= 8);
  if (left < 8)
    unrolled<8>([&](auto e) {
      storeGlobal(target + e, bf16{u16(pairs(Constant<e / 2>{}) >> (e % 2 * 16))}, e < left);
    });
}

/// Warp w writes the columns 16 w to 16 w + 15 of the tile as rows of the target.
SLUICE_DEVICE void storeTile(const Matrix &matrix, Shared<bf16> stage, i64 row0, i64 column0) {
  const u32 lane = laneIndex(), block = lane / 8, inBlock = lane % 8;
  unrolled<2>([&](auto eight) {
    unrolled<2>([&](auto half) {
      // Lane 8 i + 2 q + e hands in row 8 q + 2 i + e; lane 4 c + q receives column c, rows 8 q to 8 q + 7.
      const u32 row = half * 32 + inBlock / 2 * 8 + block * 2 + inBlock % 2;
      const auto four = ldmatrix<4, true>(stage + pieceAt(row, warpIndex() * 2 + eight));
      const i64 targetRow = column0 + warpIndex() * 16 + eight * 8 + lane / 4;
      const i64 targetColumn = row0 + half * 32 + lane % 4 * 8;
      if (targetRow < matrix.columns)
        storePiece(matrix.target + (targetRow * matrix.strideTarget + targetColumn),
                   {four.r(0), four.r(1), four.r(2), four.r(3)}, matrix.rows - targetColumn);
    });
  });
}

} // namespace

SLUICE_KERNEL(copy_rows, 128)
(Global<const bf16> source, Global<bf16> target, i64 rows, i64 columns, i64 strideSource, i64 strideTarget,
 i64 aligned) {
  const i64 row = i64(blockIndex()) * (threads / 32) + warpIndex();
  if (row >= rows)
    return;
  const Global<const bf16> from = source + row * strideSource;
  const Global<bf16> to = target + row * strideTarget;
  const i64 pieces = aligned ? columns / 8 : 0;
  for (i64 piece = laneIndex(); piece < pieces; piece += 32)
    storeGlobal<Cache::streaming>(to + piece * 8, loadGlobal<8, Cache::lastUse>(from + piece * 8));
  for (i64 column = pieces * 8 + laneIndex(); column < columns; column += 32)
    storeGlobal(to + column, loadGlobal(from + column));
}
SLUICE_EXPORT(copy_rows)

SLUICE_KERNEL(copy_transposed, 128)
(Global<const bf16> source, Global<bf16> target, i64 rows, i64 columns, i64 strideSource, i64 strideTarget) {
  const Matrix matrix = {source, target, rows, columns, strideSource, strideTarget};
  const Shared<bf16> stages = sharedMemory<bf16>(0);
  const i64 column0 = i64(blockIndex()) * tile;
  const u32 tiles = u32((rows + tile - 1) / tile);
  loadTile(stages, matrix, 0, column0);
  cpAsyncCommit();
  for (u32 i = 0; i < tiles; ++i) {
    if (i + 1 < tiles)
      loadTile(stages + (i + 1) % 2 * tileElements, matrix, i64(i + 1) * tile, column0);
    cpAsyncCommit();
    cpAsyncWait<1>();
    syncThreads(); // the copies of every thread have landed
    storeTile(matrix, stages + i % 2 * tileElements, i64(i) * tile, column0);
    syncThreads(); // every thread is done with the tile that is filled next
  }
}
SLUICE_EXPORT(copy_transposed)
