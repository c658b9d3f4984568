// What one step of something costs: each kernel repeats it `rounds` times, one after the other, so that the
// time of 2 n rounds less that of n rounds is n steps. One block; the output keeps the compiler from leaving
// anything out.
#include "Device.h"

SLUICE_KERNEL(latencyNothing, 128)(Global<u32> output, i64 rounds) {
  storeGlobal(output + threadIndex(), u32(rounds));
}
SLUICE_EXPORT(latencyNothing)

SLUICE_KERNEL(latencyBarrier, 128)(Global<u32> output, i64 rounds) {
  for (i64 i = 0; i < rounds; ++i)
    syncThreads();
  storeGlobal(output + threadIndex(), u32(rounds));
}
SLUICE_EXPORT(latencyBarrier)

SLUICE_KERNEL(latencyBarrier512, 512)(Global<u32> output, i64 rounds) {
  for (i64 i = 0; i < rounds; ++i)
    syncThreads();
  storeGlobal(output + threadIndex(), u32(rounds));
}
SLUICE_EXPORT(latencyBarrier512)

/// Two warps signal each other through two barriers: a step is there and back.
SLUICE_KERNEL(latencyMbarrier, 64)(Global<u32> output, i64 rounds) {
  const Mbarrier there(sharedMemory<u64>(0)), back = there.at(1);
  if (threadIndex() == 0) {
    mbarrierInit(there, 1);
    mbarrierInit(back, 1);
  }
  syncThreads();
  u32 parity = 0;
  for (i64 i = 0; i < rounds; ++i, parity ^= 1) {
    if (threadIndex() < 32) {
      if (laneIndex() == 0)
        mbarrierArrive(there);
      mbarrierWait(back, parity);
    } else {
      mbarrierWait(there, parity);
      if (laneIndex() == 0)
        mbarrierArrive(back);
    }
    syncWarp();
  }
  storeGlobal(output + threadIndex(), parity);
}
SLUICE_EXPORT(latencyMbarrier)

/// Each address comes from what the load before brought, which is zero.
SLUICE_KERNEL(latencyLdmatrix, 32)(Global<u32> output, i64 rounds) {
  storeShared(sharedMemory<u32>(threadIndex() * 16), Vec<u32, 4>{{0, 0, 0, 0}});
  syncWarp();
  u32 at = threadIndex() * 16;
  for (i64 i = 0; i < rounds; ++i) {
    const LdRegisters<4> loaded = ldmatrix<4>(sharedMemory<f16>(at));
    at = at + loaded.r(0);
  }
  storeGlobal(output + threadIndex(), at);
}
SLUICE_EXPORT(latencyLdmatrix)
