// Interprets a program of accesses and synchronisation for four warps, of which lanes 0 and 1 take part. The test
// that writes the programs (RandomProgramTest.cpp) knows which of them have races.
#include "Device.h"

namespace {

struct Operation {
  u32 kind, warp, lane, width, address, arrives, waits, id;
};

SLUICE_DEVICE Operation decode(u32 word) {
  return {word & 15,        word >> 4 & 3,   word >> 6 & 1,   1u << (word >> 8 & 15),
          word >> 12 & 255, word >> 20 & 15, word >> 24 & 15, word >> 28};
}

template <class T, int N> SLUICE_DEVICE void access(bool store, u32 address) {
  const Shared<T> place = Shared<T>::fromAddress(sharedMemory<u8>(0).address() + address);
  if (!store) {
    loadShared<N>(place);
  } else if constexpr (N == 1) {
    storeShared(place, T(1));
  } else {
    Vec<T, N> value;
    unrolled<N>([&](auto i) { value(i) = T(1); });
    storeShared(place, value);
  }
}

SLUICE_DEVICE void access(const Operation &o, bool store) {
  switch (o.width) {
  case 1: return access<u8, 1>(store, o.address);
  case 2: return access<u16, 1>(store, o.address);
  case 4: return access<u32, 1>(store, o.address);
  case 8: return access<u32, 2>(store, o.address);
  default: return access<u32, 4>(store, o.address);
  }
}

/// What one thread does.
SLUICE_DEVICE void perform(const Operation &o, Global<const u32> program) {
  const Mbarrier barrier(sharedMemory<u64>(4096 + o.id * 8));
  switch (o.kind) {
  case 0: return access(o, true);
  case 1: return access(o, false);
  case 2:
    cpAsync<16>(sharedMemory<u32>(o.address), program);
    return cpAsyncCommit();
  case 3: return cpAsyncWait<0>();
  case 4: return mbarrierArrive(barrier);
  case 5: return mbarrierWait(barrier, 0);
  default: atomicAdd(sharedMemory<u32>(o.address), 1u);
  }
}

} // namespace

// The program begins with the counts of 16 mbarriers.
SLUICE_KERNEL(random_program, 128)(Global<const u32> program, u32 length) {
  const u32 t = threadIndex();
  for (u32 i = t; i < 64; i += 128)
    storeShared(sharedMemory<u32>(i * 4), 0u);
  if (t < 16)
    mbarrierInit(Mbarrier(sharedMemory<u64>(4096 + t * 8)), loadGlobal(program + i64(t)));
  syncThreads();
  for (u32 i = 16; i < length; ++i) {
    const Operation o = decode(loadGlobal(program + i64(i)));
    if (o.kind < 8) {
      if (warpIndex() == o.warp && laneIndex() == o.lane)
        perform(o, program);
    } else if (o.kind == 8) {
      if (warpIndex() == o.warp)
        syncWarp();
    } else {
      const u32 all = o.arrives | o.waits;
      const u32 count = ((all & 1) + (all >> 1 & 1) + (all >> 2 & 1) + (all >> 3 & 1)) * 32;
      if (o.waits >> warpIndex() & 1)
        barrierSync(o.id, count);
      else if (o.arrives >> warpIndex() & 1)
        barrierArrive(o.id, count);
    }
  }
  cpAsyncWait<0>();
}
SLUICE_EXPORT(random_program)
