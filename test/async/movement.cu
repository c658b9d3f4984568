// What the asynchronous and matrix primitives move, dumped for MovementTest.cpp.
#include "Device.h"

namespace {

SLUICE_DEVICE void fenceAndMeet() {
  fenceProxyAsyncShared();
  syncThreads();
}
/// Copies shared words [from, from + count) to global memory.
SLUICE_DEVICE void dump(Global<u32> to, u32 from, u32 count) {
  for (u32 i = threadIndex(); i < count; i += blockThreads())
    storeGlobal(to + i64(i), loadShared(sharedMemory<u32>(0) + i32(from + i)));
}

template <int Bytes> SLUICE_DEVICE void copyPieces(Global<const u32> in, Global<u32> out, u32 sourceBytes) {
  const u32 t = threadIndex();
  cpAsync<Bytes>(sharedMemory<u32>(0) + i32(4 * t), in + i64(4 * t), sourceBytes);
  cpAsyncCommit();
  cpAsyncWait<0>();
  for (u32 i = 0; i < Bytes / 4; ++i)
    storeGlobal(out + i64(4 * t + i), loadShared(sharedMemory<u32>(0) + i32(4 * t + i)));
}

template <int Count, bool Transposed> SLUICE_DEVICE void loadMatrices(Global<u32> out) {
  const auto registers =
      ldmatrix<Count, Transposed>(sharedMemory<f16>(0) + i32(8 * (laneIndex() % (8 * Count))));
  unrolled<Count>([&](auto i) { storeGlobal(out + i64(i * 32 + laneIndex()), registers.r(i)); });
}

template <int Count, bool Transposed> SLUICE_DEVICE void storeMatrices(Global<u32> out) {
  LdRegisters<Count> registers;
  unrolled<Count>([&](auto i) {
    const u32 low = i * 64 + 2 * laneIndex();
    registers.r(i) = low | (low + 1) << 16;
  });
  stmatrix<Count, Transposed>(sharedMemory<f16>(0) + i32(8 * (laneIndex() % (8 * Count))), registers);
  syncWarp();
  dump(out, 0, Count * 32);
  syncWarp();
}

/// D = A B + 1 with A 16 x 16 and B 16 x 8, both row-major in shared memory.
template <class T> SLUICE_DEVICE void multiply(Global<f32> out) {
  const u32 lane = laneIndex();
  const Shared<T> a = sharedMemory<T>(0), b = sharedMemory<T>(512);
  MmaA<T> left;
  MmaB<T> right;
  MmaAccumulator sum;
  sum.fill(1.0f);
  ldmatrix(left, a + i32(lane % 16 * 16 + lane / 16 * 8));
  ldmatrix<true>(right, b + i32(lane % 16 * 8));
  mma(sum, left, right);
  unrolled<4>(
      [&](auto i) { storeGlobal(out + i64((lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2), sum.r(i)); });
}

} // namespace

#define COPY_PIECES(name, bytes)                                                                             \
  SLUICE_KERNEL(name, 32)(Global<const u32> in, Global<u32> out, u32 sourceBytes) {                          \
    copyPieces<bytes>(in, out, sourceBytes);                                                                 \
  }                                                                                                          \
  SLUICE_EXPORT(name)
COPY_PIECES(copy_pieces_4, 4)
COPY_PIECES(copy_pieces_8, 8)
COPY_PIECES(copy_pieces_16, 16)

// Element i of shared memory is i.
SLUICE_KERNEL(ldmatrix_all, 32)(Global<u32> out) {
  for (u32 i = laneIndex(); i < 128; i += 32)
    storeShared(sharedMemory<u32>(0) + i32(i), 2 * i | (2 * i + 1) << 16);
  syncWarp();
  loadMatrices<1, false>(out);
  loadMatrices<2, false>(out + 128);
  loadMatrices<4, false>(out + 256);
  loadMatrices<1, true>(out + 384);
  loadMatrices<2, true>(out + 512);
  loadMatrices<4, true>(out + 640);
}
SLUICE_EXPORT(ldmatrix_all)

SLUICE_KERNEL(stmatrix_all, 32)(Global<u32> out) {
  storeMatrices<1, false>(out);
  storeMatrices<2, false>(out + 128);
  storeMatrices<4, false>(out + 256);
  storeMatrices<1, true>(out + 384);
  storeMatrices<2, true>(out + 512);
  storeMatrices<4, true>(out + 640);
}
SLUICE_EXPORT(stmatrix_all)

// A 512 bytes, then B; bf16, then the same as f16.
SLUICE_KERNEL(multiply_16, 32)(Global<const u32> operands, Global<f32> out) {
  for (u32 pass = 0; pass < 2; ++pass) {
    for (u32 i = laneIndex(); i < 192; i += 32)
      storeShared(sharedMemory<u32>(0) + i32(i), loadGlobal(operands + i64(pass * 192 + i)));
    syncWarp();
    if (pass == 0)
      multiply<bf16>(out);
    else
      multiply<f16>(out + 128);
    syncWarp();
  }
}
SLUICE_EXPORT(multiply_16)

// m16n8k8: A 16 x 8 and B 8 x 8 row-major; f16 first, then tf32.
SLUICE_KERNEL(multiply_8, 32)(Global<const u16> half, Global<const f32> full, Global<f32> out) {
  const u32 lane = laneIndex();
  const auto pair = [&](u32 low, u32 high) {
    return u32(loadGlobal(half + i64(low))) | u32(loadGlobal(half + i64(high))) << 16;
  };
  MmaAccumulator sum, sumFull;
  sum.fill(0.0f);
  sumFull.fill(0.0f);
  MmaAK8<f16> a;
  MmaBK8<f16> b;
  unrolled<2>([&](auto i) {
    const u32 at = (lane / 4 + i * 8) * 8 + lane % 4 * 2;
    a.r(i) = pair(at, at + 1);
  });
  b.r(0) = pair(128 + lane % 4 * 16 + lane / 4, 128 + lane % 4 * 16 + 8 + lane / 4);
  mma(sum, a, b);
  MmaAK8<tf32> aFull;
  MmaBK8<tf32> bFull;
  unrolled<4>([&](auto i) {
    aFull.r(i) = bitsOf(loadGlobal(full + i64((lane / 4 + i % 2 * 8) * 8 + lane % 4 + i / 2 * 4)));
  });
  unrolled<2>(
      [&](auto i) { bFull.r(i) = bitsOf(loadGlobal(full + i64(128 + (lane % 4 + i * 4) * 8 + lane / 4))); });
  mma(sumFull, aFull, bFull);
  unrolled<4>([&](auto i) {
    const i64 at = (lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2;
    storeGlobal(out + at, sum.r(i));
    storeGlobal(out + (at + 128), sumFull.r(i));
  });
}
SLUICE_EXPORT(multiply_8)

// A box of any rank, dumped as it lies in shared memory, then stored to the same place of another tensor.
#define TENSOR_BOX(name, ...)                                                                                \
  SLUICE_KERNEL(name, 64)                                                                                    \
  (SLUICE_TENSOR_MAP(in), SLUICE_TENSOR_MAP(out), Global<u32> dumped, u32 bytes, u32 c0, u32 c1, u32 c2,     \
   u32 c3, u32 c4) {                                                                                         \
    const Mbarrier landed(sharedMemory<u64>(32768));                                                         \
    if (threadIndex() == 0) {                                                                                \
      prefetchTensorMap(in);                                                                                 \
      mbarrierInit(landed, 1);                                                                               \
      mbarrierFenceInit();                                                                                   \
      mbarrierArriveExpect(landed, bytes);                                                                   \
      tensorLoad(sharedMemory<f32>(0), in, landed, __VA_ARGS__);                                             \
    }                                                                                                        \
    syncThreads();                                                                                           \
    mbarrierWait(landed, 0);                                                                                 \
    dump(dumped, 0, bytes / 4);                                                                              \
    if (threadIndex() == 0) {                                                                                \
      tensorStore(out, sharedMemory<f32>(0), __VA_ARGS__);                                                   \
      bulkCommit();                                                                                          \
      bulkWait<0>();                                                                                         \
    }                                                                                                        \
  }                                                                                                          \
  SLUICE_EXPORT(name)
TENSOR_BOX(tensor_box_1, i32(c0))
TENSOR_BOX(tensor_box_2, i32(c0), i32(c1))
TENSOR_BOX(tensor_box_3, i32(c0), i32(c1), i32(c2))
TENSOR_BOX(tensor_box_4, i32(c0), i32(c1), i32(c2), i32(c3))
TENSOR_BOX(tensor_box_5, i32(c0), i32(c1), i32(c2), i32(c3), i32(c4))

// Block 0 loads for both blocks of the cluster: a box and a contiguous piece.
SLUICE_KERNEL(multicast, 64)(SLUICE_TENSOR_MAP(in), Global<const u32> piece, Global<u32> dumped) {
  const Mbarrier landed(sharedMemory<u64>(4096));
  if (threadIndex() == 0) {
    mbarrierInit(landed, 1);
    mbarrierFenceInit();
    mbarrierArriveExpect(landed, 2048);
  }
  clusterArrive();
  clusterWait();
  if (clusterRank() == 0 && threadIndex() == 0) {
    tensorLoadMulticast(sharedMemory<f32>(0), in, landed, u16(3), 0, 0);
    bulkLoadMulticast(sharedMemory<u32>(1024), piece, 1024, landed, u16(3));
  }
  mbarrierWaitCluster(landed, 0);
  dump(dumped + i64(clusterRank()) * 512, 0, 512);
}
SLUICE_EXPORT(multicast)

// A ring over the cluster: each block passes on what it has got, in four ways.
SLUICE_KERNEL(pass_on, 32)(Global<const u32> in, Global<u32> out) {
  const u32 t = threadIndex(), rank = clusterRank(), next = (rank + 1) % clusterBlocks();
  const Mbarrier landed(sharedMemory<u64>(1024));
  const Shared<u32> own = sharedMemory<u32>(0), inbox = sharedMemory<u32>(512);
  if (t == 0) {
    mbarrierInit(landed, 1 + 32);
    mbarrierFenceInit();
    mbarrierArriveExpect(landed, 128 + 256);
  }
  storeShared(own + i32(t), loadGlobal(in + i64(rank * 32 + t)));
  fenceProxyAsyncShared();
  clusterArrive();
  clusterWait();
  const RemoteMbarrier barrier = mapMbarrier(landed, next);
  if (t == 0)
    bulkCopyToPeer(mapShared(inbox, next), own, 128, barrier);
  const u32 value = loadShared(own + i32(t));
  storeAsync(mapShared(inbox + 32, next) + i32(2 * t), Vec<u32, 2>{{value, ~value}}, barrier);
  storeRemote(mapShared(inbox + 96, next) + i32(t), value + 1);
  mbarrierArriveRemote(barrier);
  mbarrierWaitCluster(landed, 0);
  for (u32 i = t; i < 128; i += 32)
    storeGlobal(out + i64(rank * 160 + i), loadShared(inbox + i32(i)));
  storeGlobal(out + i64(rank * 160 + 128 + t), loadRemote(mapShared(own, next) + i32(t)));
  clusterArrive();
  clusterWait();
}
SLUICE_EXPORT(pass_on)

// Contiguous pieces there and back.
SLUICE_KERNEL(bulk_copy, 64)(Global<const u32> in, Global<u32> out, u32 words) {
  const Mbarrier landed(sharedMemory<u64>(8192));
  if (threadIndex() == 0) {
    mbarrierInit(landed, 1);
    mbarrierFenceInit();
    mbarrierExpect(landed, words * 4);
    mbarrierArrive(landed);
    bulkLoad(sharedMemory<u32>(0), in, words * 4, landed);
  }
  syncThreads();
  mbarrierWait(landed, 0);
  for (u32 i = threadIndex(); i < words; i += 64)
    storeShared(sharedMemory<u32>(0) + i32(i), loadShared(sharedMemory<u32>(0) + i32(i)) + 1);
  fenceAndMeet();
  if (threadIndex() == 0) {
    bulkStore(out, sharedMemory<u32>(0), words * 4);
    bulkCommit();
    bulkWaitRead<0>();
  }
}
SLUICE_EXPORT(bulk_copy)
