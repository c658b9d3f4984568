// What the kernels of traffic.cu and traffic_bulk.cu must cost, from their shapes alone: in sectors of 32
// bytes, passes through 32 banks of 4 bytes, and FLOPs. Tensors start at multiples of 32 bytes.
#pragma once

#include <algorithm>
#include <cstdint>

namespace sluice::test {

constexpr int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Sectors that the bytes [begin, end) touch.
constexpr int64_t sectorsOf(int64_t begin, int64_t end) {
  return end <= begin ? 0 : (end - 1) / 32 - begin / 32 + 1;
}

struct Cost {
  int64_t requested = 0, distinctPerBlock = 0, distinctPerLaunch = 0;
  friend bool operator==(const Cost &, const Cost &) = default;
};

/// Every sector is asked for once.
constexpr Cost once(int64_t sectors) { return {sectors, sectors, sectors}; }

/// copy_rows, one side. Rows of 2-byte elements whose distance is a multiple of a sector, the first at byte
/// `offset`. A warp takes 64 bytes at a time; where rows are misaligned, two instructions meet in one sector.
constexpr Cost copyRows(int64_t rows, int64_t columns, int64_t offset) {
  int64_t row = sectorsOf(offset, offset + 2 * columns);
  int64_t shared = offset % 32 != 0 && columns > 0 ? ceilDivide(columns, 32) - 1 : 0;
  return {rows * (row + shared), rows * row, rows * row};
}

/// copy_pieces, one side. A warp takes 512 bytes.
constexpr Cost copyPieces(int64_t pieces) { return once(sectorsOf(0, 16 * pieces)); }

/// Wavefronts in which `pieces` rounded up to blocks of 128 pass shared memory, 8 pieces of 16 bytes at a
/// time.
constexpr int64_t piecePasses(int64_t pieces) { return ceilDivide(pieces, 128) * 128 / 8; }

/// copy_words, the source: the last piece reads no more than its words.
constexpr Cost copyWords(int64_t words) { return once(sectorsOf(0, 4 * words)); }
/// The target gets whole pieces.
constexpr Cost copyWordsOut(int64_t words) { return once(ceilDivide(words, 512) * 512 * 4 / 32); }

/// add_words, either direction: each of four warps meets every sector of up to 32 words.
constexpr Cost addWords(int64_t words) {
  int64_t sectors = sectorsOf(0, 4 * words);
  return {4 * sectors, sectors, sectors};
}

/// transpose_tiles. In: rows of 128 bytes. Out: a store has 8 rows of 16 bytes, half a sector each.
constexpr Cost transposeIn(int64_t tiles) { return once(tiles * 64 * 128 / 32); }
constexpr Cost transposeOut(int64_t tiles) {
  int64_t sectors = tiles * 64 * 128 / 32;
  return {2 * sectors, sectors, sectors};
}
/// 64 matrices of 8 x 8 in a tile; without the swizzle the eight rows of each begin in the same bank.
constexpr int64_t transposePasses(int64_t tiles, bool swizzled) { return tiles * 64 * (swizzled ? 1 : 8); }

/// transpose_words: loads of columns whose words are `pitch` apart.
constexpr int64_t columnPasses(int64_t tiles, int64_t pitch) {
  int64_t distinct = 32;
  while (distinct > 1 && pitch % 2 == 0) {
    pitch /= 2;
    distinct /= 2;
  }
  return tiles * 32 * (32 / distinct);
}

/// scale_rows: the table, which each of `rows` blocks reads in warps of 128 bytes.
constexpr Cost sharedTable(int64_t rows, int64_t columns) {
  int64_t sectors = sectorsOf(0, 4 * columns);
  return {rows * sectors, rows * sectors, rows > 0 ? sectors : 0};
}
/// scale_rows: source and target, rows of 4-byte elements without gaps. A row may begin within a sector.
constexpr Cost denseRows(int64_t rows, int64_t columns) {
  Cost cost;
  for (int64_t row = 0; row < rows; ++row) {
    int64_t begin = row * columns * 4, end = begin + columns * 4;
    int64_t met = begin % 32 != 0 && columns > 0 ? ceilDivide(columns, 32) - 1 : 0;
    cost.requested += sectorsOf(begin, end) + met;
    cost.distinctPerBlock += sectorsOf(begin, end);
  }
  cost.distinctPerLaunch = sectorsOf(0, rows * columns * 4);
  return cost;
}

/// alternate: each step of each warp asks for the sector of its word, although steps share sectors.
constexpr Cost alternate(int64_t steps) {
  return {4 * steps, sectorsOf(0, 4 * steps), sectorsOf(0, 4 * steps)};
}

/// copy_boxes, one side: boxes of 64 columns of 2 bytes; rows are `pitch` bytes apart, a multiple of 16.
constexpr Cost copyBoxes(int64_t rows, int64_t columns, int64_t pitch) {
  Cost cost;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; column += 64)
      cost.requested += sectorsOf(row * pitch + 2 * column, row * pitch + 2 * std::min(columns, column + 64));
  // Rows of one box, and boxes side by side, share no sector where rows begin with one.
  cost.distinctPerBlock = cost.distinctPerLaunch = cost.requested;
  return cost;
}
constexpr int64_t boxes(int64_t rows, int64_t columns) {
  return ceilDivide(rows, 32) * ceilDivide(columns, 64);
}

/// share_boxes: what one block loads for its whole cluster is requested once. Boxes of 32 rows of 128 bytes.
constexpr Cost shareBoxes(int64_t clusters) { return once(clusters * 32 * 128 / 32); }
/// In shared memory each block of the cluster is written.
constexpr int64_t sharePasses(int64_t clusters, int64_t blocks) { return clusters * blocks * 32; }

/// load_corners: of a box of 64 x 8 in each of `pages` pages, what lies within `rows` x `columns`.
constexpr Cost loadCorners(int64_t pages, int64_t rows, int64_t columns, int64_t pitch, int64_t row,
                           int64_t column) {
  Cost cost;
  for (int64_t page = 0; page < pages; ++page)
    for (int64_t r = std::max<int64_t>(row, 0); r < std::min(rows, row + 8); ++r) {
      int64_t from = std::max<int64_t>(column, 0), to = std::min(columns, column + 64);
      cost.requested += sectorsOf((page * rows + r) * pitch + 2 * from, (page * rows + r) * pitch + 2 * to);
    }
  cost.distinctPerBlock = cost.distinctPerLaunch = cost.requested;
  return cost;
}

/// store_tiles: 32 matrices of 8 x 8 in a tile; without the swizzle the eight rows of each begin in the same
/// bank.
constexpr int64_t storePasses(int64_t tiles, bool swizzled) { return tiles * 32 * (swizzled ? 1 : 8); }

/// copy_stretches, the side that overlaps: block i reads from byte 16 i on.
constexpr Cost stretches(int64_t blocks, int64_t bytes) {
  Cost cost;
  for (int64_t block = 0; block < blocks; ++block)
    cost.requested += sectorsOf(16 * block, 16 * block + bytes);
  cost.distinctPerBlock = cost.requested;
  cost.distinctPerLaunch = blocks > 0 ? sectorsOf(0, 16 * (blocks - 1) + bytes) : 0;
  return cost;
}

/// multiply: m16n8k16 and m16n8k8 in each of four warps.
constexpr int64_t mmaFlops(int64_t blocks, int64_t steps) {
  return blocks * 4 * steps * 2 * 16 * 8 * (16 + 8);
}
/// multiply_groups: m64n64k16, and the bytes of the operands in shared memory.
constexpr int64_t wgmmaFlops(int64_t blocks, int64_t steps) {
  return blocks * (steps + 1) * 2 * 64 * 64 * 16;
}
constexpr int64_t wgmmaBytes(int64_t blocks, int64_t steps) { return blocks * (steps * 2 + 1) * 64 * 16 * 2; }

} // namespace sluice::test
