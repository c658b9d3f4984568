// Kernels that make one mistake each, chosen by `mistake`; 0 is right. MistakesTest.cpp names what must be
// reported.
#include "Device.h"
#include "wgmma/n64.h"

namespace {

constexpr u32 elements = 256; ///< f32 in a stage or tile: 32 x 8.

SLUICE_DEVICE Shared<f32> stageOf(u32 stage) { return sharedMemory<f32>(stage * elements * 4); }

} // namespace

// Warp 0 fills two stages in turn for warp 1, with ordinary stores.
SLUICE_KERNEL(mbarrier_ring, 64)(Global<const f32> in, Global<f32> out, u32 mistake) {
  const u32 lane = laneIndex();
  const Mbarrier full(sharedMemory<u64>(mistake == 1 ? 4100 : 4096)), empty(sharedMemory<u64>(4112));
  if (threadIndex() == 0) {
    for (u32 stage = 0; stage < 2; ++stage) {
      mbarrierInit(full.at(stage), 32);
      if (mistake != 2)
        mbarrierInit(empty.at(stage), mistake == 3 ? 33 : 32);
      if (mistake == 4)
        mbarrierInit(full.at(stage), 32);
    }
  }
  if (mistake != 5)
    syncThreads();
  if (mistake == 11)
    mbarrierExpect(full, 1 << 20);
  if (mistake == 12 && threadIndex() == 0) {
    mbarrierArrive(full);
    mbarrierInvalidate(full);
  }
  for (u32 n = 0; n < 6; ++n) {
    const u32 stage = n % 2, parity = mistake == 13 ? n / 2 : n / 2 % 2;
    if (warpIndex() == 0) {
      if (mistake != 6)
        mbarrierWait(empty.at(stage), parity ^ 1);
      storeShared(stageOf(stage) + i32(lane), loadGlobal(in + (n * 32 + lane)));
      const u32 count = mistake == 7 ? 33 : mistake == 14 ? 0 : 1;
      mbarrierArrive(full.at(stage), n == 1 ? count : 1);
      if (mistake == 8 && n == 2)
        storeShared(sharedMemory<u32>(4096), lane);
    } else {
      if (mistake != 9)
        mbarrierWait(full.at(stage), parity);
      storeGlobal(out + (n * 32 + lane), loadShared(stageOf(stage) + i32(31 - lane)));
      if (mistake != 10)
        mbarrierArrive(empty.at(stage));
    }
  }
}
SLUICE_EXPORT(mbarrier_ring)

// Warp 1 waits for phase 0; unless it says that it has, phase 1 may be over before it looks.
SLUICE_KERNEL(mbarrier_lapped, 64)(Global<f32> out, u32 mistake) {
  const Mbarrier phase(sharedMemory<u64>(0)), answer(sharedMemory<u64>(8));
  if (threadIndex() == 0) {
    mbarrierInit(phase, 1);
    mbarrierInit(answer, 32);
  }
  syncThreads();
  if (mistake == 2) {
    if (warpIndex() == 1)
      mbarrierWait(phase, 1);
    else if (laneIndex() == 0)
      mbarrierArrive(phase);
  } else if (warpIndex() == 1) {
    mbarrierWait(phase, 0);
    mbarrierArrive(answer);
    storeGlobal(out + i64(laneIndex()), 1.0f);
  } else if (laneIndex() == 0) {
    mbarrierArrive(phase);
    if (mistake == 0)
      mbarrierWait(answer, 0);
    mbarrierArrive(phase);
  }
}
SLUICE_EXPORT(mbarrier_lapped)

// A poll of one warp for another.
SLUICE_KERNEL(mbarrier_poll, 64)(Global<const f32> in, Global<f32> out, u32 mistake) {
  const Mbarrier done(sharedMemory<u64>(4096));
  if (threadIndex() == 0) {
    mbarrierInit(done, 1);
    mbarrierFenceInit();
  }
  syncThreads();
  if (warpIndex() == 0) {
    u32 turns = 0;
    while (!mbarrierTest(done, mistake == 2 ? 2 : 0) && (mistake == 0 || turns < 1))
      ++turns;
    storeGlobal(out + i64(laneIndex()), loadShared(sharedMemory<f32>(0) + i32(laneIndex())));
  } else if (laneIndex() == 0) {
    mbarrierArriveExpect(done, 128);
    bulkLoad(sharedMemory<f32>(0), in, 128, done);
    mbarrierWait(done, 0);
  }
}
SLUICE_EXPORT(mbarrier_poll)

// cp.async by each thread, read by its neighbour.
SLUICE_KERNEL(cp_async, 64)(Global<f32> in, Global<f32> out, u32 mistake) {
  const u32 t = threadIndex();
  const Shared<f32> mine = sharedMemory<f32>(0) + i32(4 * t);
  if (mistake == 1)
    cpAsync<16>(mine + 1, in + i64(4 * t));
  else
    cpAsync<16>(mine, in + i64(4 * t));
  if (mistake != 2)
    cpAsyncCommit();
  if (mistake == 3)
    storeGlobal(in + i64(4 * t), 0.0f);
  if (mistake == 4)
    cpAsyncWait<1>();
  else if (mistake != 5)
    cpAsyncWait<0>();
  if (mistake != 6)
    syncThreads();
  if (mistake != 7)
    storeGlobal(out + i64(t), loadShared(sharedMemory<f32>(0) + i32(4 * (63 - t))));
  if (mistake == 8) {
    syncThreads();
    cpAsync<4>(mine, in + i64(t));
    cpAsyncCommit();
  }
}
SLUICE_EXPORT(cp_async)

// Copies of warp 0 announced to warp 1 by an mbarrier.
SLUICE_KERNEL(cp_async_arrive, 64)(Global<const f32> in, Global<f32> out, u32 mistake) {
  const u32 lane = laneIndex();
  const Mbarrier done(sharedMemory<u64>(4096));
  if (threadIndex() == 0)
    mbarrierInit(done, 32);
  syncThreads();
  if (warpIndex() == 0) {
    cpAsync<4>(sharedMemory<f32>(0) + i32(lane), in + i64(lane));
    if (mistake == 1)
      mbarrierArrive(done);
    else if (mistake != 2)
      cpAsyncArrive(done);
  } else {
    mbarrierWait(done, 0);
    storeGlobal(out + i64(lane), loadShared(sharedMemory<f32>(0) + i32(lane)));
  }
}
SLUICE_EXPORT(cp_async_arrive)

// A tile of 32 x 8: loaded by TMA, doubled, stored by TMA, read back.
SLUICE_KERNEL(tensor_tile, 128)
(SLUICE_TENSOR_MAP(in), SLUICE_TENSOR_MAP(out), Global<f32> result, Global<f32> back, u32 mistake) {
  const u32 t = threadIndex();
  const Mbarrier landed(sharedMemory<u64>(4096));
  const Shared<f32> tile = sharedMemory<f32>(mistake == 1 ? 64 : 0), staged = sharedMemory<f32>(2048);
  if (t == 0) {
    mbarrierInit(landed, 1);
    if (mistake != 2)
      mbarrierFenceInit();
  }
  syncThreads();
  if (t == 0) {
    if (mistake == 3)
      mbarrierArrive(landed);
    else
      mbarrierArriveExpect(landed, mistake == 4 ? 1008 : mistake == 5 ? 1040 : 1024);
    if (mistake == 6)
      tensorLoad(tile, in, landed, 0, 0, 0);
    else
      tensorLoad(tile, in, landed, 0, 0);
  }
  if (mistake == 7)
    return;
  if (mistake != 8)
    mbarrierWait(landed, 0);
  storeShared(staged + i32(t), loadShared(tile + i32(t)) * 2.0f);
  storeShared(staged + i32(t + 128), loadShared(tile + i32(t + 128)) * 2.0f);
  // The tile has been read by all threads: no copy may overwrite it before they have met.
  if (mistake == 16 && t == 0) {
    mbarrierArriveExpect(landed, 1024);
    tensorLoad(tile, in, landed, 0, 0);
    mbarrierWait(landed, 1);
  }
  if (mistake != 9)
    fenceProxyAsyncShared();
  if (mistake != 10)
    syncThreads();
  if (t == 0) {
    tensorStore(out, staged, 0, 0);
    if (mistake != 11)
      bulkCommit();
    if (mistake == 12)
      bulkWaitRead<0>();
    else if (mistake == 13)
      bulkWaitRead<1>();
    else if (mistake != 14)
      bulkWait<0>();
  }
  syncThreads();
  if (mistake == 13 || mistake == 15)
    storeShared(staged + i32(t), 0.0f);
  storeGlobal(back + i64(t), loadGlobal(result + i64(t)));
}
SLUICE_EXPORT(tensor_tile)

// Stores the part of a tile of 32 x 8 that lies in a tensor of 30 x 6; the rest was never written.
SLUICE_KERNEL(ragged_store, 64)(SLUICE_TENSOR_MAP(out), u32 mistake) {
  const Shared<f32> tile = sharedMemory<f32>(0);
  for (u32 i = threadIndex(); i < 30 * 6; i += 64) {
    const u32 at = (i / 30 * 32 + i % 30) * 4;
    if (mistake == 0 || i != 77)
      storeShared(sharedMemory<f32>(layout::swizzled(Swizzle::bytes128, at)), 1.0f);
  }
  fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    tensorStore(out, tile, 0, 0);
    bulkCommit();
    bulkWaitRead<0>();
  }
}
SLUICE_EXPORT(ragged_store)

// What thread 1 writes to global memory, thread 0 loads by a bulk copy.
SLUICE_KERNEL(proxy_global, 64)(Global<f32> scratch, Global<f32> out, u32 mistake) {
  const u32 t = threadIndex();
  const Mbarrier landed(sharedMemory<u64>(4096));
  if (t == 0) {
    mbarrierInit(landed, 1);
    mbarrierFenceInit();
  }
  storeGlobal(scratch + i64(t), f32(3));
  if (mistake != 1)
    fenceProxyAsyncGlobal();
  if (mistake != 2)
    syncThreads();
  else
    barrierSync(1, 64);
  if (t == 0) {
    mbarrierArriveExpect(landed, 256);
    if (mistake == 3)
      bulkLoad(sharedMemory<f32>(0), scratch + 1, 256, landed);
    else
      bulkLoad(sharedMemory<f32>(0), scratch, 256, landed);
  }
  mbarrierWait(landed, 0);
  storeGlobal(out + i64(t), loadShared(sharedMemory<f32>(0) + i32(t)));
}
SLUICE_EXPORT(proxy_global)

// One product of zeros; A of shared memory or of registers.
SLUICE_KERNEL(wgmma_once, 128)(Global<const u32> in, Global<f32> out, u32 mistake) {
  const u32 t = threadIndex();
  const Shared<bf16> a = sharedMemory<bf16>(0), b = sharedMemory<bf16>(2048);
  for (u32 i = t; i < 1024; i += 128)
    storeShared(sharedMemory<u32>(0) + i32(i), 0x3f803f80u);
  if (mistake != 1)
    fenceProxyAsyncShared();
  if (mistake == 14 || mistake == 0) {
    cpAsync<4>(sharedMemory<u32>(2048) + i32(t), in + i64(t));
    cpAsyncCommit();
    cpAsyncWait<0>();
  }
  if (mistake == 0)
    fenceProxyAsyncShared();
  if (mistake != 2)
    syncThreads();
  WgmmaAccumulator<64> sum, other;
  WgmmaA<bf16> operand;
  sum.fill(1.0f);
  other.fill(0.0f);
  unrolled<4>([&](auto i) { operand.r(i) = 0x3f803f80u; });
  if (mistake == 13 && warpIndex() == 3)
    return;
  if (mistake != 3)
    wgmmaFence();
  if (mistake == 4)
    sum.r(0) = 2.0f;
  const u32 far = mistake == 5 ? 64 * 1024 : 0, shift = mistake == 6 && warpIndex() == 2 ? 16 : 0;
  const auto first =
      wgmmaDescriptor(a + i32(far / 2 + shift + (mistake == 15 ? 4 : 0)), Swizzle::none, 128, 256);
  const auto second = wgmmaDescriptor(b, Swizzle::none, 128, 256);
  if (mistake != 7 || warpIndex() != 3)
    wgmma(sum, first, second, true);
  wgmmaCommit();
  wgmma(other, operand, second, true);
  if (mistake != 8)
    wgmmaCommit();
  if (mistake == 9)
    operand.r(1) = 0;
  if (mistake == 16)
    sum = other;
  if (mistake == 17)
    other = sum;
  if (mistake == 18) {
    const WgmmaAccumulator<64> copied = other;
    sum = copied;
  }
  if (mistake == 19) {
    const WgmmaA<bf16> copied(operand);
    operand = copied;
  }
  wgmmaWait<1>();
  f32 x = sum.r(3);
  if (mistake == 10)
    x = x + other.r(0);
  if (mistake != 11)
    wgmmaWait<0>();
  // A warp knows only that it has itself read what the others may be reading still.
  if (mistake != 12)
    syncThreads();
  storeShared(sharedMemory<u32>(2048) + i32(t), 0u);
  storeGlobal(out + i64(t), x);
}
SLUICE_EXPORT(wgmma_once)

// Two warpgroups; the second wants registers that the first gives.
SLUICE_KERNEL(registers, 256)(Global<f32> out, u32 mistake) {
  if (warpIndex() < 4) {
    if (mistake != 1)
      decreaseRegisters<40>();
  } else if (mistake == 2 && warpIndex() == 5) {
    storeGlobal(out + i64(threadIndex()), 2.0f);
  } else {
    increaseRegisters<216>();
    if (mistake == 3)
      increaseRegisters<128>();
  }
  storeGlobal(out + i64(threadIndex()), 1.0f);
}
SLUICE_EXPORT(registers)

// Two blocks: each writes to the other's shared memory and reads what it got.
SLUICE_KERNEL(remote_store, 32)(Global<f32> out, u32 mistake) {
  const u32 t = threadIndex(), rank = clusterRank();
  const Shared<f32> inbox = sharedMemory<f32>(0);
  if (mistake != 1) {
    clusterArrive();
    clusterWait();
  }
  const u32 peer = mistake == 2 ? 5 : rank ^ 1;
  if (mistake != 2)
    storeRemote(mapShared(inbox, peer) + i32(t), f32(rank));
  else
    mapShared(inbox, peer);
  if (mistake == 3)
    clusterArriveRelaxed();
  else
    clusterArrive();
  clusterWait();
  f32 x = mistake == 2 ? 0.0f : loadShared(inbox + i32(t));
  if (mistake == 4 || mistake == 5) {
    x = loadRemote(mapShared(inbox, rank ^ 1) + i32(t));
    if (mistake == 5) {
      clusterArrive();
      clusterWait();
    }
  }
  storeGlobal(out + i64(rank * 32 + t), x);
}
SLUICE_EXPORT(remote_store)

// Block 1 sends to block 0 and is told when its own buffer is free.
SLUICE_KERNEL(remote_copy, 32)(Global<f32> out, u32 mistake) {
  const u32 t = threadIndex(), rank = clusterRank();
  const Shared<f32> outbox = sharedMemory<f32>(0), inbox = sharedMemory<f32>(256);
  const Mbarrier landed(sharedMemory<u64>(512)), freed(sharedMemory<u64>(520));
  storeShared(outbox + i32(t), f32(t));
  if (mistake != 2)
    fenceProxyAsyncShared();
  if (t == 0) {
    mbarrierInit(landed, 1);
    mbarrierInit(freed, 1);
    if (mistake != 1)
      mbarrierFenceInit();
    mbarrierArriveExpect(landed, 128 + 128);
  }
  clusterArrive();
  clusterWait();
  if (rank == 1) {
    const RemoteMbarrier barrier = mapMbarrier(landed, 0);
    if (t == 0)
      bulkCopyToPeer(mapShared(inbox, 0), outbox, 128, barrier);
    storeAsync(mapShared(inbox + 32, 0) + i32(t), f32(7), barrier);
    if (mistake != 3)
      mbarrierWaitCluster(freed, 0);
    storeShared(outbox + i32(t), 0.0f);
  } else {
    if (mistake != 4)
      mbarrierWaitCluster(landed, 0);
    storeGlobal(out + i64(t), loadShared(inbox + i32(t)) + loadShared(inbox + i32(t + 32)));
    syncWarp();
    if (t == 0)
      mbarrierArriveRemote(mapMbarrier(freed, 1), mistake == 5 ? 0 : 1);
  }
}
SLUICE_EXPORT(remote_copy)
