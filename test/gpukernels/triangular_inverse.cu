// X = L^-1 of unit lower triangular 64 x 64 matrices in float32, for sm_80 and later, a block of four warps
// for each. Only what is strictly below the diagonal of L is used.
//
// The four 16 x 16 blocks on the diagonal are inverted by substitution in float32, a column in each lane.
// Then pairs of neighbours are merged, to 32 x 32 and to 64 x 64:
//     [ P  0 ]^-1     [      P^-1         0   ]
//     [ M  Q ]     =  [ -Q^-1 M P^-1    Q^-1  ]
// The products run on tensor cores. An operand is split into two tf32 numbers, and three of the four partial
// products are summed: about 21 bits, since what the inverse loses is lost for all its users. Q^-1 M comes
// out of the accumulators as the left operand of the next product: a lane holds columns 2 t and 2 t + 1
// there, where an operand wants t and t + 4, so columns of left and rows of right operands are permuted alike
// everywhere.
#include "Device.h"

namespace {

constexpr u32 threads = 128, size = 64;
constexpr u32 pitch = 68; ///< Of rows in shared memory: lanes of different rows meet different banks.

/// A 16 x 8 left and an 8 x 8 right operand, each as a sum of two tf32 matrices.
struct Left {
  MmaAK8<tf32> high, low;
};
struct Right {
  MmaBK8<tf32> high, low;
};

template <class Operand> SLUICE_DEVICE void split(Operand &operand, Index index, f32 value) {
  const tf32 high = toTf32(value);
  operand.high.r(index) = high.bits;
  operand.low.r(index) = toTf32(value - toFloat(high)).bits;
}

SLUICE_DEVICE Left toLeft(f32 topEven, f32 topOdd, f32 bottomEven, f32 bottomOdd) {
  Left left;
  split(left, 0, topEven), split(left, 1, bottomEven);
  split(left, 2, topOdd), split(left, 3, bottomOdd);
  return left;
}

SLUICE_DEVICE Left loadLeft(Shared<f32> block) {
  const Shared<f32> at = block + i32(laneIndex() / 4 * pitch + laneIndex() % 4 * 2);
  const auto top = loadShared<2>(at), bottom = loadShared<2>(at + i32(8 * pitch));
  return toLeft(top(0), top(1), bottom(0), bottom(1));
}

SLUICE_DEVICE Right loadRight(Shared<f32> block) {
  const Shared<f32> at = block + i32(laneIndex() % 4 * 2 * pitch + laneIndex() / 4);
  Right right;
  split(right, 0, loadShared(at)), split(right, 1, loadShared(at + i32(pitch)));
  return right;
}

/// sum += left right, the small terms first.
SLUICE_DEVICE void multiply(MmaAccumulator &sum, const Left &left, const Right &right) {
  mma(sum, left.low, right.high);
  mma(sum, left.high, right.low);
  mma(sum, left.high, right.high);
}

SLUICE_DEVICE void clear(MmaAccumulator &sum) {
  unrolled<4>([&](auto e) { sum.r(e) = 0; });
}

SLUICE_DEVICE Shared<f32> blockAt(Shared<f32> matrix, u32 row, u32 column) {
  return matrix + i32(row * 16 * pitch + column * 16);
}

/// y (16 x 16, in halves of 8 columns) += X[row][k] L[k][column]
SLUICE_DEVICE void multiplyBlocks(MmaAccumulator (&y)[2], Shared<f32> left, Shared<f32> right) {
  unrolled<2>([&](auto step) {
    const Left a = loadLeft(left + step * 8);
    unrolled<2>(
        [&](auto half) { multiply(y[half], a, loadRight(right + i32(step * 8 * pitch + half * 8))); });
  });
}

/// z (16 x 8) += y times 8 columns of a block
SLUICE_DEVICE void multiplyAccumulators(MmaAccumulator &z, MmaAccumulator (&y)[2], Shared<f32> right) {
  unrolled<2>([&](auto step) {
    const Left a = toLeft(y[step].r(0), y[step].r(1), y[step].r(2), y[step].r(3));
    multiply(z, a, loadRight(right + i32(step * 8 * pitch)));
  });
}

SLUICE_DEVICE void storeNegated(Shared<f32> block, MmaAccumulator &z) {
  const Shared<f32> at = block + i32(laneIndex() / 4 * pitch + laneIndex() % 4 * 2);
  storeShared(at, Vec<f32, 2>{-z.r(0), -z.r(1)});
  storeShared(at + i32(8 * pitch), Vec<f32, 2>{-z.r(2), -z.r(3)});
}

/// Inverts the warp's diagonal block: x_i = e_i - sum over k < i of L_ik x_k. Both halves of the warp do the
/// same.
SLUICE_DEVICE void invertDiagonal(Shared<f32> x, Shared<f32> l) {
  const u32 column = laneIndex() % 16;
  f32 value[16];
  unrolled<16>([&](auto i) {
    value[i] = column == u32(i) ? 1.f : 0.f;
    unrolled<(decltype(i)::value + 3) / 4>([&](auto quarter) {
      const auto factors = loadShared<4>(l + i32(i * pitch + quarter * 4));
      unrolled<4>([&](auto e) {
        if constexpr (decltype(quarter)::value * 4 + decltype(e)::value < decltype(i)::value)
          value[i] = multiplyAdd(-factors(e), value[quarter * 4 + e], value[i]);
      });
    });
  });
  if (laneIndex() < 16)
    unrolled<16>([&](auto i) { storeShared(x + i32(i * pitch + column), value[i]); });
}

/// 16 to 32: warps 2 p and 2 p + 1 make 8 columns each of block (2 p + 1, 2 p).
SLUICE_DEVICE void mergePairs(Shared<f32> x, Shared<f32> l, u32 warp) {
  const u32 upper = warp / 2 * 2, lower = upper + 1, column = warp % 2 * 8;
  MmaAccumulator y[2], z;
  clear(y[0]), clear(y[1]), clear(z);
  multiplyBlocks(y, blockAt(x, lower, lower), blockAt(l, lower, upper));
  multiplyAccumulators(z, y, blockAt(x, upper, upper) + i32(column));
  storeNegated(blockAt(x, lower, upper) + i32(column), z);
}

/// 32 to 64: a warp makes one of the blocks (2, 0), (2, 1), (3, 0), (3, 1).
SLUICE_DEVICE void mergeHalves(Shared<f32> x, Shared<f32> l, u32 warp) {
  const u32 row = 2 + warp / 2, column = warp % 2;
  MmaAccumulator z[2];
  clear(z[0]), clear(z[1]);
  for (u32 j = column; j < 2; ++j) { // X is 0 above its diagonal
    MmaAccumulator y[2];
    clear(y[0]), clear(y[1]);
    for (u32 k = 2; k <= row; ++k)
      multiplyBlocks(y, blockAt(x, row, k), blockAt(l, k, j));
    unrolled<2>([&](auto half) { multiplyAccumulators(z[half], y, blockAt(x, j, column) + half * 8); });
  }
  unrolled<2>([&](auto half) { storeNegated(blockAt(x, row, column) + half * 8, z[half]); });
}

} // namespace

SLUICE_KERNEL(triangular_inverse, 128)(Global<const f32> source, Global<f32> target) {
  const Shared<f32> l = sharedMemory<f32>(0), x = sharedMemory<f32>(size * pitch * 4);
  const u32 warp = warpUniform(warpIndex());
  const i64 matrix = i64(blockIndex()) * size * size;
  for (u32 i = threadIndex(); i < size * size / 4; i += threads)
    storeShared(l + i32(i / 16 * pitch + i % 16 * 4), loadGlobal<4>(source + (matrix + i * 4)));
  syncThreads();
  invertDiagonal(blockAt(x, warp, warp), blockAt(l, warp, warp));
  syncThreads();
  mergePairs(x, l, warp);
  syncThreads();
  mergeHalves(x, l, warp);
  syncThreads();
  for (u32 i = threadIndex(); i < size * size / 4; i += threads) {
    const u32 row = i / 16, piece = i % 16;
    // Blocks above the diagonal were never written.
    const auto value = loadShared<4>(x + i32(row * pitch + piece * 4), piece / 4 <= row / 16, 0.f);
    storeGlobal(target + (matrix + i * 4), value);
  }
}
SLUICE_EXPORT(triangular_inverse)
