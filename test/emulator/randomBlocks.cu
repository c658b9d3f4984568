// Interprets a program of accesses to global memory and of counters for three blocks of two warps, of each of which
// lane 0 takes part. The test that writes the programs (RandomBlocksTest.cpp) knows which of them have races.
#include "Device.h"

namespace {

struct Operation {
  u32 kind, block, warp, width, address, value;
};

SLUICE_DEVICE Operation decode(u32 word) {
  return {word & 15, word >> 4 & 3, word >> 6 & 1, 1u << (word >> 8 & 7), word >> 12 & 255, word >> 24};
}

template <class T, int N> SLUICE_DEVICE void access(Global<u32> data, bool store, u32 address) {
  const Global<T> place = data.cast<T>() + i64(address / sizeof(T));
  if (!store) {
    loadGlobal<N>(place);
  } else if constexpr (N == 1) {
    storeGlobal(place, T(1));
  } else {
    Vec<T, N> value;
    unrolled<N>([&](auto i) { value(i) = T(1); });
    storeGlobal(place, value);
  }
}

SLUICE_DEVICE void access(Global<u32> data, const Operation &o, bool store) {
  switch (o.width) {
  case 1: return access<u8, 1>(data, store, o.address);
  case 2: return access<u16, 1>(data, store, o.address);
  case 4: return access<u32, 1>(data, store, o.address);
  case 8: return access<u32, 2>(data, store, o.address);
  default: return access<u32, 4>(data, store, o.address);
  }
}

/// What one thread does. A counter's number is in `address`.
SLUICE_DEVICE void perform(Global<u32> data, Global<u32> counters, const Operation &o) {
  const Global<u32> counter = counters + i64(o.address);
  switch (o.kind) {
  case 0: return access(data, o, true);
  case 1: return access(data, o, false);
  case 2: return addCounter<Order::release>(counter, 1);
  case 3: return addCounter(counter, 1);
  case 4: return storeCounter<Order::release>(counter, o.value);
  case 5: return fenceDevice();
  default: waitCounter(counter, o.value);
  }
}

} // namespace

SLUICE_KERNEL(random_blocks, 64)(Global<const u32> program, Global<u32> data, Global<u32> counters, u32 length) {
  for (u32 i = 0; i < length; ++i) {
    const Operation o = decode(loadGlobal(program + i64(i)));
    if (blockIndex() != o.block)
      continue;
    if (o.kind == 8)
      syncThreads();
    else if (warpIndex() == o.warp && laneIndex() == 0)
      perform(data, counters, o);
  }
}
SLUICE_EXPORT(random_blocks)
