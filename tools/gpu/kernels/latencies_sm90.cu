// What one step costs of what only Hopper has: each kernel repeats it `rounds` times, one after the other, so
// that the time of 2 n rounds less that of n rounds is n steps. One block; the output keeps the compiler from
// leaving anything out.
#include "Device.h"
#include "wgmma/n8.h"
#include "wgmma/n16.h"
#include "wgmma/n32.h"
#include "wgmma/n64.h"
#include "wgmma/n128.h"
#include "wgmma/n256.h"

/// 4 KiB from L2, awaited.
SLUICE_KERNEL(latencyBulkLoad, 32)(Global<u32> output, i64 rounds) {
  const Mbarrier barrier(sharedMemory<u64>(4096));
  if (threadIndex() == 0) {
    mbarrierInit(barrier, 1);
    mbarrierFenceInit();
  }
  syncWarp();
  u32 parity = 0;
  for (i64 i = 0; i < rounds; ++i, parity ^= 1) {
    if (threadIndex() == 0) {
      mbarrierArriveExpect(barrier, 4096);
      bulkLoad(sharedMemory<u32>(0), output + 1024, 4096, barrier);
    }
    mbarrierWait(barrier, parity);
    syncWarp();
  }
  storeGlobal(output + threadIndex(), parity);
}
SLUICE_EXPORT(latencyBulkLoad)

/// A box of 64 x 64 bf16 in the 128-byte swizzle, 8 KiB from L2, awaited.
SLUICE_KERNEL(latencyTensorLoad, 32)(Global<u32> output, SLUICE_TENSOR_MAP(map), i64 rounds) {
  const Mbarrier barrier(sharedMemory<u64>(8192));
  if (threadIndex() == 0) {
    mbarrierInit(barrier, 1);
    mbarrierFenceInit();
  }
  syncWarp();
  u32 parity = 0;
  for (i64 i = 0; i < rounds; ++i, parity ^= 1) {
    if (threadIndex() == 0) {
      mbarrierArriveExpect(barrier, 8192);
      tensorLoad(sharedMemory<bf16>(0), map, barrier, 0, 0);
    }
    mbarrierWait(barrier, parity);
    syncWarp();
  }
  storeGlobal(output + threadIndex(), parity);
}
SLUICE_EXPORT(latencyTensorLoad)

/// Each product waits for the one before.
template <int N> SLUICE_DEVICE void waitForProducts(Global<u32> output, i64 rounds) {
  for (u32 i = threadIndex(); i < 10240; i += blockThreads())
    storeShared(sharedMemory<u32>(i * 4), 0);
  fenceProxyAsyncShared();
  syncThreads();
  const auto a = wgmmaDescriptor(sharedMemory<bf16>(0), Swizzle::bytes128, 16, 1024);
  const auto b = wgmmaDescriptor(sharedMemory<bf16>(8192), Swizzle::bytes128, 16, 1024);
  WgmmaAccumulator<N> sum;
  sum.fill(0.0f);
  pin(sum);
  for (i64 i = 0; i < rounds; ++i) {
    wgmmaFence();
    wgmma(sum, a, b, true);
    wgmmaCommit();
    wgmmaWait<0>(sum);
  }
  storeGlobal(output + threadIndex(), bitsOf(sum.r(0)));
}
#define LATENCY_WGMMA(N)                                                                                     \
  SLUICE_KERNEL(latencyWgmma##N, 128)(Global<u32> output, i64 rounds) {                                      \
    waitForProducts<N>(output, rounds);                                                                      \
  }                                                                                                          \
  SLUICE_EXPORT(latencyWgmma##N)
LATENCY_WGMMA(8)
LATENCY_WGMMA(16)
LATENCY_WGMMA(32)
LATENCY_WGMMA(64)
LATENCY_WGMMA(128)
LATENCY_WGMMA(256)
