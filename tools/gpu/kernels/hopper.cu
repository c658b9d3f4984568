// Probes of what sm_90 adds: stmatrix, bulk copies, barriers that count bytes, clusters.
#include "Device.h"
#include "Words.h"

namespace {

template <int Count, bool Transposed> SLUICE_DEVICE void storeMatrices(Words &words, u32 row) {
  LdRegisters<Count> registers;
  unrolled<Count>([&](auto i) { registers.r(i) = words.get(); });
  stmatrix<Count, Transposed>(sharedMemory<f16>(row * 16), registers);
  syncWarp();
  for (u32 i = 0; i < 4; ++i)
    words.put(loadShared(sharedMemory<u32>((i * 32 + threadIndex()) * 4)));
  syncWarp();
}

} // namespace

/// 14 words in, 24 out. 512 bytes: 32 rows of 16 bytes, each lane its own.
SLUICE_KERNEL(stmatrices, 32)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  // An odd factor permutes the rows.
  const u32 row = (threadIndex() * (2 * blockIndex() + 1) + blockIndex()) % 32;
  storeShared(sharedMemory<u32>(threadIndex() * 16), Vec<u32, 4>{{1, 2, 3, 4}});
  syncWarp();
  storeMatrices<1, false>(words, row);
  storeMatrices<2, false>(words, row);
  storeMatrices<4, false>(words, row);
  storeMatrices<1, true>(words, row);
  storeMatrices<2, true>(words, row);
  storeMatrices<4, true>(words, row);
}
SLUICE_EXPORT(stmatrices)

/// 4 words in, 8 out: a bulk copy in, out from the asynchronous side, and out once more. 4 KiB and a barrier.
SLUICE_KERNEL(bulkCopies, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  const u32 bytes = blockThreads() * 16;
  const Shared<u32> tile = sharedMemory<u32>(0), copy = sharedMemory<u32>(2048);
  const Mbarrier barrier(sharedMemory<u64>(4096));
  const i64 part = i64(blockIndex()) * 4 * blockThreads();
  if (threadIndex() == 0) {
    mbarrierInit(barrier, 1);
    mbarrierFenceInit();
  }
  syncThreads();
  if (threadIndex() == 0) {
    mbarrierExpect(barrier, 16);
    mbarrierArriveExpect(barrier, bytes - 16);
    bulkLoad<Eviction::first>(tile, input + part, 16, barrier);
    bulkLoad<Eviction::last>(tile + 4, input + (part + 4), 16, barrier);
    bulkLoad<Eviction::unchanged>(tile + 8, input + (part + 8), 16, barrier);
    bulkLoad(tile + 12, input + (part + 12), bytes - 48, barrier);
  }
  mbarrierWait(barrier, 0);
  const Vec<u32, 4> own = loadShared<4>(tile + i32(threadIndex() * 4));
  storeShared(copy + i32((threadIndex() ^ 5) * 4), Vec<u32, 4>{{own(3), own(2), own(1), own(0)}});
  fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore<Eviction::first>(output + part * 2, tile, 16);
    bulkStore(output + (part * 2 + 4), tile + 4, bytes - 16);
    bulkCommit();
    bulkStore<Eviction::last>(output + (part * 2 + 4 * i64(blockThreads())), copy, bytes);
    bulkCommit();
    // The first source may be overwritten, then the first result be read; so with the second.
    bulkWaitRead<1>();
    storeShared(tile, 0);
    bulkWait<1>();
    storeGlobal(output + part * 2, loadGlobal(output + part * 2) + 1);
    bulkWaitRead<0>();
    storeShared(copy, 0);
    bulkWait<0>();
    const Global<u32> second = output + (part * 2 + 4 * i64(blockThreads()));
    storeGlobal(second, loadGlobal(second) + 1);
  }
}
SLUICE_EXPORT(bulkCopies)

/// 1 word in, 2 out: what threads write to global memory, a bulk copy reads. 512 bytes and a barrier.
SLUICE_KERNEL(globalProxies, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  const i64 part = i64(blockIndex()) * 2 * blockThreads();
  const Mbarrier barrier(sharedMemory<u64>(512));
  if (threadIndex() == 0) {
    mbarrierInit(barrier, 1);
    mbarrierFenceInit();
  }
  storeGlobal(output + (part + threadIndex()),
              loadGlobal(input + (i64(blockIndex()) * blockThreads() + threadIndex())));
  fenceProxyAsyncGlobal();
  syncThreads();
  if (threadIndex() == 0) {
    mbarrierArriveExpect(barrier, 512);
    bulkLoad(sharedMemory<u32>(0), output + part, 512, barrier);
  }
  mbarrierWait(barrier, 0);
  storeGlobal(output + (part + blockThreads() + threadIndex()),
              loadShared(sharedMemory<u32>((threadIndex() ^ 5) * 4)));
}
SLUICE_EXPORT(globalProxies)

/// 1 word in, 2 out: phases that complete by several counts of arrivals at once.
SLUICE_KERNEL(arrivalCounts, 64)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  const u32 value = words.get();
  const Shared<u32> slots = sharedMemory<u32>(64);
  const Mbarrier barrier(sharedMemory<u64>(0));
  if (threadIndex() == 0) {
    mbarrierInit(barrier, 3 * 64);
    mbarrierFenceInit();
  }
  syncThreads();
  for (u32 phase = 0; phase < 2; ++phase) {
    storeShared(slots + i32(threadIndex()), value ^ phase);
    mbarrierArrive(barrier, 1 + phase);
    mbarrierArrive(barrier, 2 - phase);
    mbarrierWait(barrier, phase);
    words.put(loadShared(slots + i32(63 - threadIndex())));
    syncThreads();
  }
}
SLUICE_EXPORT(arrivalCounts)

/// 4 words in, 12 out. Clusters of 4: every block reads, writes and signals in the next one's memory. 8 KiB.
SLUICE_KERNEL(clusters, 64)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  const u32 next = remainder(clusterRank() + 1, clusterBlocks());
  const Shared<u32> own = sharedMemory<u32>(0), received = sharedMemory<u32>(1024),
                    bulk = sharedMemory<u32>(4096);
  const Mbarrier barrier(sharedMemory<u64>(7168)), bytes = barrier.at(1);
  if (threadIndex() == 0) {
    mbarrierInit(barrier, 64);
    mbarrierInit(bytes, 1);
    mbarrierFenceInit();
    mbarrierArriveExpect(bytes, 64 * 28);
  }
  unrolled<4>([&](auto i) { storeShared(own + i32(threadIndex() * 4 + i), words.get()); });
  fenceProxyAsync();
  clusterArrive();
  clusterWait();
  const RemoteMbarrier signal = mapMbarrier(bytes, next);
  if (threadIndex() == 0)
    mbarrierExpectRemote(signal, 1024);
  const Shared<u32> late = sharedMemory<u32>(3072);
  storeShared(late + i32(threadIndex()), clusterRank() * 64 + threadIndex());
  // Before anything lands: the phase must not complete without the bytes expected here.
  clusterArrive();
  clusterWait();
  words.put(loadRemote(mapShared(late, next) + i32(threadIndex() ^ 1)));
  words.put(clusterRank());
  words.put(clusterBlocks());
  words.put(loadRemote(mapShared(own, next) + i32(threadIndex() * 4)));
  storeRemote(mapShared(received, next) + i32(threadIndex()), loadShared(own + i32(threadIndex() * 4 + 1)));
  mbarrierArriveRemote(mapMbarrier(barrier, next));
  mbarrierWaitCluster(barrier, 0);
  words.put(loadShared(received + i32(threadIndex() ^ 3)));
  const RemoteShared<u32> far = mapShared(sharedMemory<u32>(2048), next);
  storeAsync(far + i32(threadIndex() * 4), loadShared<4>(own + i32(threadIndex() * 4)), signal);
  storeAsync(mapShared(received, next) + i32(64 + threadIndex() * 2),
             loadShared<2>(own + i32(threadIndex() * 4 + 2)), signal);
  storeAsync(mapShared(received, next) + i32(192 + threadIndex()),
             loadShared(own + i32(threadIndex() * 4 + 1)), signal);
  if (threadIndex() == 0)
    bulkCopyToPeer(mapShared(bulk, next), own, 1024, signal);
  mbarrierWaitCluster(bytes, 0);
  const i32 other = i32(threadIndex() ^ 9);
  words.put(loadShared(sharedMemory<u32>(2048) + (other * 4 + 3)));
  words.put(loadShared(sharedMemory<u32>(2048) + other * 4));
  words.put(loadShared(received + (64 + other * 2)));
  words.put(loadShared(received + (65 + other * 2)));
  words.put(loadShared(received + (192 + other)));
  words.put(loadShared(bulk + other * 4));
  words.put(loadShared(bulk + (other * 4 + 2)));
  // Nobody leaves while a peer may still reach its memory.
  clusterArriveRelaxed();
  clusterWait();
}
SLUICE_EXPORT(clusters)

/// 4 words in and out. Clusters of 2: each block brings one half of the tile to both. 2 KiB and a barrier.
SLUICE_KERNEL(multicasts, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  const Shared<u32> tile = sharedMemory<u32>(0);
  const Mbarrier barrier(sharedMemory<u64>(2048));
  const i64 pair = i64(blockIndex() / 2) * 8 * blockThreads();
  if (threadIndex() == 0) {
    mbarrierInit(barrier, 1);
    mbarrierFenceInit();
    mbarrierArriveExpect(barrier, 2048);
  }
  clusterArrive();
  clusterWait();
  const u32 rank = clusterRank();
  if (threadIndex() == 0 && rank == 0)
    bulkLoadMulticast(tile, input + pair, 1024, barrier, 3);
  if (threadIndex() == 0 && rank == 1)
    bulkLoadMulticast<Eviction::unchanged>(tile + 256, input + (pair + 256), 1024, barrier, 3);
  mbarrierWaitCluster(barrier, 0);
  storeGlobal(output + ((i64(blockIndex()) * blockThreads() + threadIndex()) * 4),
              loadShared<4>(tile + i32((threadIndex() ^ rank) * 4)));
  clusterArriveRelaxed();
  clusterWait();
}
SLUICE_EXPORT(multicasts)
