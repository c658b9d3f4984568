// C[M,N] = A[M,K] B for sm_90a: A and B in bf16 or f16, C in f32. A is row-major; B is either [N,K] or [K,N],
// whichever dimension is contiguous. Any sizes; rows of A and B are multiples of 16 bytes apart, rows of C
// of 8.
//
// A block of 384 threads computes 128 x 128 elements. Warpgroup 0 copies: one thread of it brings slices of
// 64 along K by TMA, which permutes the 16-byte pieces of 128-byte rows and fills with 0 outside the
// matrices. Warpgroups 1 and 2 multiply, 64 rows each. A ring of four stages connects them, with two barriers
// per stage:
//   full    one arrival, and the bytes of both tiles: what wgmma reads has landed;
//   empty   one arrival of each multiplying warp. A warp's wait covers the rows that it reads itself, so the
//           tile may be overwritten only after all eight have waited.
// The copying warpgroup gives registers back, so that the others can have more than the launch gave them.
#include "Device.h"
#include "wgmma/n128.h"

#ifndef GEMM_STAGES
#define GEMM_STAGES 4
#endif

namespace {

constexpr u32 stages = GEMM_STAGES;
constexpr u32 tileM = 128, tileN = 128, tileK = 64;
constexpr u32 bytesA = tileM * tileK * 2, bytesB = tileN * tileK * 2, bytesStage = bytesA + bytesB;
constexpr u32 box = 64; ///< Columns of B [K,N] that one TMA box brings: 128 bytes.
constexpr u32 barriersAt = stages * bytesStage;
constexpr u32 multiplyingWarps = 8;

struct Ring {
  u32 stage = 0, parity = 0;
  SLUICE_DEVICE void next() {
    if (++stage == stages)
      stage = 0, parity ^= 1;
  }
};

struct Barriers {
  Mbarrier full, empty;
};

template <class T, Major majorB>
SLUICE_DEVICE void copySlices(const Barriers &barriers, const TensorMap &mapA, const TensorMap &mapB,
                              u32 slices) {
  const i32 m0 = i32(blockIndex<1>() * tileM), n0 = i32(blockIndex<0>() * tileN);
  Ring ring;
  for (u32 slice = 0; slice < slices; ++slice, ring.next()) {
    const Shared<T> a = sharedMemory<T>(ring.stage * bytesStage), b = a + i32(tileM * tileK);
    const Mbarrier full = barriers.full.at(ring.stage);
    const i32 k0 = i32(slice * tileK);
    mbarrierWait(barriers.empty.at(ring.stage), ring.parity ^ 1);
    mbarrierArriveExpect(full, bytesStage);
    tensorLoad(a, mapA, full, k0, m0);
    if constexpr (majorB == Major::k) {
      tensorLoad(b, mapB, full, k0, n0);
    } else {
      tensorLoad(b, mapB, full, n0, k0);
      tensorLoad(b + i32(box * tileK), mapB, full, n0 + i32(box), k0);
    }
  }
}

template <class T, Major majorB>
SLUICE_DEVICE void multiplySlices(WgmmaAccumulator<128> &sum, const Barriers &barriers, u32 group,
                                  u32 slices) {
  Ring ring;
#pragma unroll 1 // ptxas serialises wgmma where copies of the loop differ in the accumulators' registers
  for (u32 slice = 0; slice < slices; ++slice, ring.next()) {
    const Shared<T> tileA = sharedMemory<T>(ring.stage * bytesStage), tileB = tileA + i32(tileM * tileK);
    const auto a = wgmmaDescriptor(tileA + i32(group * 64 * tileK), Swizzle::bytes128, 16, 1024);
    // Along K: 32 bytes further in the 128-byte rows of [N,K], 16 rows further in [K,N]; there the next 64
    // columns of N are another box.
    const auto b = wgmmaDescriptor(tileB, Swizzle::bytes128, majorB == Major::k ? 16 : box * tileK * 2, 1024);
    constexpr u32 stepB = majorB == Major::k ? 32 : 16 * box * 2;
    mbarrierWait(barriers.full.at(ring.stage), ring.parity);
    wgmmaFence();
    unrolled<tileK / 16>([&](auto step) {
      wgmma<Major::k, majorB>(sum, a.advance(step * 32), b.advance(step * stepB), true);
    });
    wgmmaCommit();
    wgmmaWait<0>(sum);
    if (laneIndex() == 0)
      mbarrierArrive(barriers.empty.at(ring.stage));
  }
}

/// A lane holds pairs of neighbours in rows lane / 4 and lane / 4 + 8 of its warp's 16 rows.
SLUICE_DEVICE void store(Global<f32> c, i64 m, i64 n, i64 strideC, WgmmaAccumulator<128> &sum, u32 group) {
  const u32 lane = laneIndex();
  const i64 row = i64(blockIndex<1>()) * tileM + group * 64 + warpIndex() % 4 * 16 + lane / 4;
  const auto storePair = [&](i64 i, i64 j, f32 low, f32 high) {
    const Global<f32> at = c + (i * strideC + j);
    storeGlobal(at, Vec<f32, 2>{low, high}, i < m && j + 1 < n);
    storeGlobal(at, low, i < m && j + 1 == n);
  };
  unrolled<16>([&](auto block) {
    const i64 column = i64(blockIndex<0>()) * tileN + block * 8 + lane % 4 * 2;
    storePair(row, column, sum.r(Constant<block * 4>{}), sum.r(Constant<block * 4 + 1>{}));
    storePair(row + 8, column, sum.r(Constant<block * 4 + 2>{}), sum.r(Constant<block * 4 + 3>{}));
  });
}

template <class T, Major majorB>
SLUICE_DEVICE void gemm(const TensorMap &mapA, const TensorMap &mapB, Global<f32> c, i64 m, i64 n, i64 k,
                        i64 strideC) {
  const Mbarrier first = Mbarrier(sharedMemory<u64>(barriersAt));
  const Barriers barriers = {first, first.at(stages)};
  if (threadIndex() == 0) {
    for (u32 stage = 0; stage < stages; ++stage) {
      mbarrierInit(barriers.full.at(stage), 1);
      mbarrierInit(barriers.empty.at(stage), multiplyingWarps);
    }
    mbarrierFenceInit();
  }
  syncThreads();

  const u32 role = warpUniform(warpIndex() / 4), slices = u32((k + tileK - 1) / tileK);
  if (role == 0) {
    decreaseRegisters<40>();
    if (threadIndex() == 0)
      copySlices<T, majorB>(barriers, mapA, mapB, slices);
  } else {
    increaseRegisters<232>();
    WgmmaAccumulator<128> sum;
    sum.fill(0);
    multiplySlices<T, majorB>(sum, barriers, role - 1, slices);
    store(c, m, n, strideC, sum, role - 1);
  }
}

} // namespace

SLUICE_KERNEL(gemm_sm90_bf16_nk, 384)
(SLUICE_TENSOR_MAP(a), SLUICE_TENSOR_MAP(b), Global<f32> c, i64 m, i64 n, i64 k, i64 strideC) {
  gemm<bf16, Major::k>(a, b, c, m, n, k, strideC);
}
SLUICE_EXPORT(gemm_sm90_bf16_nk)

SLUICE_KERNEL(gemm_sm90_bf16_kn, 384)
(SLUICE_TENSOR_MAP(a), SLUICE_TENSOR_MAP(b), Global<f32> c, i64 m, i64 n, i64 k, i64 strideC) {
  gemm<bf16, Major::mn>(a, b, c, m, n, k, strideC);
}
SLUICE_EXPORT(gemm_sm90_bf16_kn)

SLUICE_KERNEL(gemm_sm90_f16_kn, 384)
(SLUICE_TENSOR_MAP(a), SLUICE_TENSOR_MAP(b), Global<f32> c, i64 m, i64 n, i64 k, i64 strideC) {
  gemm<f16, Major::mn>(a, b, c, m, n, k, strideC);
}
SLUICE_EXPORT(gemm_sm90_f16_kn)
