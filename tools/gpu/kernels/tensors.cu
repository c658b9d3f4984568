// Probes of tensor maps: boxes of rank 1 to 5 in every swizzle come in, partly out of bounds, and go out
// again.
#include "Device.h"

namespace {

/// Thread 0 brings the box to shared memory; all of it, as it lies there, is written to `image`; then the box
/// goes out through the other map. The box has `bytes` bytes.
template <class Load, class Store>
SLUICE_DEVICE void move(Global<u32> image, u32 bytes, Mbarrier barrier, u32 parity, Load load, Store store) {
  const Shared<u32> box = sharedMemory<u32>(0);
  if (threadIndex() == 0) {
    mbarrierArriveExpect(barrier, bytes);
    load(box);
  }
  mbarrierWait(barrier, parity);
  for (u32 i = threadIndex(); i < bytes / 4; i += blockThreads())
    storeGlobal(image + i64(i), loadShared(box + i32(i)));
  if (threadIndex() == 0) {
    store(box);
    bulkCommit();
    bulkWait<0>();
  }
  syncThreads();
}

SLUICE_DEVICE void begin(Mbarrier barrier) {
  if (threadIndex() == 0) {
    mbarrierInit(barrier, 1);
    mbarrierFenceInit();
  }
  syncThreads();
}

} // namespace

/// Twice, the second time with policies for L2. The box comes from `at` and next to it.
#define PROBE_TENSOR(rank, eviction, ...)                                                                    \
  SLUICE_KERNEL(tensor##rank, 64)                                                                            \
  (SLUICE_TENSOR_MAP(from), SLUICE_TENSOR_MAP(to), Global<u32> image, i64 bytes, i64 start) {                \
    const i32 at = i32(start);                                                                               \
    const Mbarrier barrier(sharedMemory<u64>(u32(bytes)));                                                   \
    if (threadIndex() == 0) {                                                                                \
      prefetchTensorMap(from);                                                                               \
      prefetchTensorMap(to);                                                                                 \
    }                                                                                                        \
    begin(barrier);                                                                                          \
    move(                                                                                                    \
        image, u32(bytes), barrier, 0,                                                                       \
        [&](Shared<u32> box) { tensorLoad(box, from, barrier, __VA_ARGS__); },                               \
        [&](Shared<u32> box) { tensorStore(to, box, __VA_ARGS__); });                                        \
    move(                                                                                                    \
        image + bytes / 4, u32(bytes), barrier, 1,                                                           \
        [&](Shared<u32> box) { tensorLoad<eviction>(box, from, barrier, __VA_ARGS__); },                     \
        [&](Shared<u32> box) { tensorStore<eviction>(to, box, __VA_ARGS__); });                              \
  }                                                                                                          \
  SLUICE_EXPORT(tensor##rank)
PROBE_TENSOR(1, Eviction::first, at)
PROBE_TENSOR(2, Eviction::first, at, at + 1)
PROBE_TENSOR(3, Eviction::first, at, at + 1, at - 1)
PROBE_TENSOR(4, Eviction::first, at, at + 1, at - 1, at)
PROBE_TENSOR(5, Eviction::first, at, at + 1, at - 1, at, at + 1)

/// Clusters of 2: each block brings one half of a tile of `bytes` to both, and writes all of it. The halves
/// are `step` apart in the last dimension.
#define PROBE_MULTICAST(rank, ...)                                                                           \
  SLUICE_KERNEL(tensorMulticast##rank, 64)                                                                   \
  (SLUICE_TENSOR_MAP(from), Global<u32> image, i64 bytes, i64 start, i64 step) {                             \
    const Shared<u32> box = sharedMemory<u32>(0);                                                            \
    const u32 words = u32(bytes) / 4, half = words / 2;                                                      \
    const Mbarrier barrier(sharedMemory<u64>(u32(bytes)));                                                   \
    begin(barrier);                                                                                          \
    if (threadIndex() == 0)                                                                                  \
      mbarrierArriveExpect(barrier, u32(bytes));                                                             \
    clusterArrive();                                                                                         \
    clusterWait();                                                                                           \
    const i32 at = i32(start), last = i32(i64(clusterRank()) * step);                                        \
    if (threadIndex() == 0 && clusterRank() == 0)                                                            \
      tensorLoadMulticast(box, from, barrier, 3, __VA_ARGS__);                                               \
    if (threadIndex() == 0 && clusterRank() == 1)                                                            \
      tensorLoadMulticast<Eviction::first>(box + i32(half), from, barrier, 3, __VA_ARGS__);                  \
    mbarrierWaitCluster(barrier, 0);                                                                         \
    for (u32 i = threadIndex(); i < words; i += blockThreads())                                              \
      storeGlobal(image + (i64(clusterRank() * words) + i), loadShared(box + i32(i)));                       \
    clusterArriveRelaxed();                                                                                  \
    clusterWait();                                                                                           \
  }                                                                                                          \
  SLUICE_EXPORT(tensorMulticast##rank)
PROBE_MULTICAST(1, at + last)
PROBE_MULTICAST(2, at, last)
PROBE_MULTICAST(3, at, at, last)
PROBE_MULTICAST(4, at, at, at, last)
PROBE_MULTICAST(5, at, at, at, at, last)
