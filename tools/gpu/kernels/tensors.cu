// Probes of tensor maps: boxes of rank 1 to 5 in every swizzle come in, partly out of bounds, and go out again.
#include "Device.h"

namespace {

/// Thread 0 brings the box to shared memory; all of it, as it lies there, is written to `image`; then the box goes
/// out through the other map. The box has `bytes` bytes and comes from `at` in every dimension.
template <class Load, class Store>
SLUICE_DEVICE void move(const TensorMap &from, const TensorMap &to, Global<u32> image, i64 bytes, Load load, Store store) {
  const Shared<u32> box = sharedMemory<u32>(0);
  const Mbarrier barrier(sharedMemory<u64>(u32(bytes)));
  if (threadIndex() == 0) {
    prefetchTensorMap(from);
    prefetchTensorMap(to);
    mbarrierInit(barrier, 1);
    mbarrierFenceInit();
    mbarrierArriveExpect(barrier, u32(bytes));
    load(box, barrier);
  }
  syncThreads();
  mbarrierWait(barrier, 0);
  const u32 words = u32(bytes) / 4;
  for (u32 i = threadIndex(); i < words; i += blockThreads())
    storeGlobal(image + i64(i), loadShared(box + i32(i)));
  if (threadIndex() == 0) {
    store(box);
    bulkCommit();
    bulkWait<0>();
  }
}

} // namespace

#define PROBE_TENSOR(rank, eviction, ...)                                                                      \
  SLUICE_KERNEL(tensor##rank, 64)                                                                              \
  (SLUICE_TENSOR_MAP(from), SLUICE_TENSOR_MAP(to), Global<u32> image, i64 bytes, i64 start) {                  \
    const i32 at = i32(start);                                                                                 \
    move(                                                                                                      \
        from, to, image, bytes,                                                                                \
        [&](Shared<u32> box, Mbarrier barrier) { tensorLoad<eviction>(box, from, barrier, __VA_ARGS__); },     \
        [&](Shared<u32> box) { tensorStore<eviction>(to, box, __VA_ARGS__); });                                \
  }                                                                                                            \
  SLUICE_EXPORT(tensor##rank)
PROBE_TENSOR(1, Eviction::normal, at)
PROBE_TENSOR(2, Eviction::first, at, at + 1)
PROBE_TENSOR(3, Eviction::normal, at, at + 1, at - 1)
PROBE_TENSOR(4, Eviction::last, at, at + 1, at - 1, at)
PROBE_TENSOR(5, Eviction::normal, at, at + 1, at - 1, at, at + 1)

/// Clusters of 2: each block brings one half of a tile of `bytes` to both, and writes all of it.
SLUICE_KERNEL(tensorMulticast, 64)(SLUICE_TENSOR_MAP(from), Global<u32> image, i64 bytes, i64 start) {
  const Shared<u32> box = sharedMemory<u32>(0);
  const u32 half = u32(bytes) / 2, rank = clusterRank();
  const Mbarrier barrier(sharedMemory<u64>(u32(bytes)));
  if (threadIndex() == 0) {
    mbarrierInit(barrier, 1);
    mbarrierFenceInit();
    mbarrierArriveExpect(barrier, u32(bytes));
  }
  clusterArrive();
  clusterWait();
  if (threadIndex() == 0)
    tensorLoadMulticast(box + i32(rank * half / 4), from, barrier, 3, i32(start), i32(rank * 8));
  mbarrierWaitCluster(barrier, 0);
  for (u32 i = threadIndex(); i < half / 2; i += blockThreads())
    storeGlobal(image + (i64(rank * (half / 2)) + i), loadShared(box + i32(i)));
  clusterArriveRelaxed();
  clusterWait();
}
SLUICE_EXPORT(tensorMulticast)
