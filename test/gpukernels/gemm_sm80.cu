// C[M,N] = A[M,K] B[K,N] for sm_80 and later: A and B in bf16 or f16, C in f32, all row-major. Any sizes;
// rows of A and B start at multiples of 16 bytes, rows of C at multiples of 8.
//
// A block of 128 threads computes 128 x 128 elements, each of its four warps 64 x 64. Slices of 32 along K
// pass through a ring of three stages that cp.async fills two slices ahead. One barrier per slice does two
// things: it publishes the slice that every thread's copies have brought, and it says that all warps are done
// with the stage filled next. 16-byte pieces of a row are permuted, so that neither the copies nor ldmatrix
// meet a bank conflict.
#include "Device.h"

#ifndef GEMM_STAGES
#define GEMM_STAGES 3
#endif

namespace {

constexpr u32 stages = GEMM_STAGES, threads = 128;
constexpr u32 tileM = 128, tileN = 128, tileK = 32;
constexpr u32 elementsA = tileM * tileK, elementsB = tileK * tileN, elementsStage = elementsA + elementsB;

template <class T> struct Problem {
  Global<const T> a, b;
  Global<f32> c;
  i64 m, n, k, strideA, strideB, strideC;
};

/// Element where piece `piece` (8 elements) of row `row` of A starts: rows of 4 pieces, two rows per 128
/// bytes.
SLUICE_DEVICE u32 pieceA(u32 row, u32 piece) { return row * tileK + ((piece ^ (row >> 1 & 3)) << 3); }
/// The same for B: rows of 16 pieces.
SLUICE_DEVICE u32 pieceB(u32 row, u32 piece) { return row * tileN + ((piece ^ (row & 7)) << 3); }

/// How many of the 8 elements from `at` on lie below `end`.
SLUICE_DEVICE u32 valid(i64 at, i64 end) { return at >= end ? 0 : at + 8 <= end ? 8 : u32(end - at); }

/// Starts the copies of the slice at column k0 of A and row k0 of B. What lies outside the matrices becomes
/// 0.
template <class T>
SLUICE_DEVICE void loadSlice(Shared<T> stage, const Problem<T> &problem, i64 m0, i64 n0, i64 k0) {
  for (u32 i = threadIndex(); i < tileM * tileK / 8; i += threads) {
    const u32 row = i / 4, piece = i % 4;
    const i64 m = m0 + row, k = k0 + piece * 8;
    const u32 count = m < problem.m ? valid(k, problem.k) : 0;
    cpAsync<16>(stage + pieceA(row, piece), problem.a + (count ? m * problem.strideA + k : 0), count * 2);
  }
  for (u32 i = threadIndex(); i < tileK * tileN / 8; i += threads) {
    const u32 row = i / 16, piece = i % 16;
    const i64 k = k0 + row, n = n0 + piece * 8;
    const u32 count = k < problem.k ? valid(n, problem.n) : 0;
    cpAsync<16>(stage + elementsA + pieceB(row, piece), problem.b + (count ? k * problem.strideB + n : 0),
                count * 2);
  }
}

/// Adds the product of one slice to the warp's 64 x 64 elements at (row, column) of the block's tile.
template <class T>
SLUICE_DEVICE void multiplySlice(MmaAccumulator (&sum)[4][8], Shared<T> stage, u32 row, u32 column) {
  const u32 lane = laneIndex();
  unrolled<tileK / 16>([&](auto step) {
    MmaA<T> a[4];
    unrolled<4>(
        [&](auto i) { ldmatrix(a[i], stage + pieceA(row + i * 16 + lane % 16, step * 2 + lane / 16)); });
    unrolled<4>([&](auto pair) {
      // Both 8-column blocks of 16 columns: registers 0, 1 belong to the first, 2, 3 to the second.
      const auto both = ldmatrix<4, true>(stage + elementsA +
                                          pieceB(step * 16 + lane % 16, column / 8 + pair * 2 + lane / 16));
      MmaB<T> left, right;
      left.r(0) = both.r(0), left.r(1) = both.r(1);
      right.r(0) = both.r(2), right.r(1) = both.r(3);
      unrolled<4>([&](auto i) {
        mma(sum[i][pair * 2], a[i], left);
        mma(sum[i][pair * 2 + 1], a[i], right);
      });
    });
  });
}

/// Writes the warp's elements: a lane holds pairs of neighbours in rows lane / 4 and lane / 4 + 8 of each 16
/// x 8 block.
template <class T>
SLUICE_DEVICE void store(const Problem<T> &problem, MmaAccumulator (&sum)[4][8], i64 row, i64 column) {
  const u32 lane = laneIndex();
  const auto storePair = [&](i64 m, i64 n, f32 low, f32 high) {
    const Global<f32> at = problem.c + (m * problem.strideC + n);
    storeGlobal(at, Vec<f32, 2>{low, high}, m < problem.m && n + 1 < problem.n);
    storeGlobal(at, low, m < problem.m && n + 1 == problem.n);
  };
  unrolled<4>([&](auto i) {
    unrolled<8>([&](auto j) {
      const i64 m = row + i * 16 + lane / 4, n = column + j * 8 + lane % 4 * 2;
      storePair(m, n, sum[i][j].r(0), sum[i][j].r(1));
      storePair(m + 8, n, sum[i][j].r(2), sum[i][j].r(3));
    });
  });
}

template <class T> SLUICE_DEVICE void gemm(const Problem<T> &problem) {
  const Shared<T> ring = sharedMemory<T>(0);
  const u32 warp = warpUniform(warpIndex()), row = warp / 2 * 64, column = warp % 2 * 64;
  const i64 m0 = i64(blockIndex<1>()) * tileM, n0 = i64(blockIndex<0>()) * tileN;
  const u32 slices = u32((problem.k + tileK - 1) / tileK);

  MmaAccumulator sum[4][8];
  unrolled<4>(
      [&](auto i) { unrolled<8>([&](auto j) { unrolled<4>([&](auto e) { sum[i][j].r(e) = 0; }); }); });

  // Every slice is a group of copies, also one that is past the end: the wait counts groups.
  for (u32 slice = 0; slice < stages - 1; ++slice) {
    if (slice < slices)
      loadSlice(ring + slice * elementsStage, problem, m0, n0, i64(slice) * tileK);
    cpAsyncCommit();
  }
  for (u32 slice = 0; slice < slices; ++slice) {
    cpAsyncWait<stages - 2>();
    syncThreads();
    const u32 ahead = slice + stages - 1;
    if (ahead < slices)
      loadSlice(ring + ahead % stages * elementsStage, problem, m0, n0, i64(ahead) * tileK);
    cpAsyncCommit();
    multiplySlice(sum, ring + slice % stages * elementsStage, row, column);
  }
  store(problem, sum, m0 + row, n0 + column);
}

} // namespace

SLUICE_KERNEL(gemm_sm80_bf16, 128)
(Global<const bf16> a, Global<const bf16> b, Global<f32> c, i64 m, i64 n, i64 k, i64 strideA, i64 strideB,
 i64 strideC) {
  gemm<bf16>({a, b, c, m, n, k, strideA, strideB, strideC});
}
SLUICE_EXPORT(gemm_sm80_bf16)

SLUICE_KERNEL(gemm_sm80_f16, 128)
(Global<const f16> a, Global<const f16> b, Global<f32> c, i64 m, i64 n, i64 k, i64 strideA, i64 strideB,
 i64 strideC) {
  gemm<f16>({a, b, c, m, n, k, strideA, strideB, strideC});
}
SLUICE_EXPORT(gemm_sm80_f16)
