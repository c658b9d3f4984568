// Kernels for the checker's own test: accesses of several widths that overlap in some bytes, what holds no
// value, and what lies just out of bounds. AdversarialTest.cpp says which are wrong. 128 threads.
#include "Device.h"

#define CASE(name)                                                                                           \
  SLUICE_KERNEL(name, 128)(Global<const f32> in, Global<f32> out, Global<f32> scratch, Global<u32> counter)

namespace {
constexpr i32 sharedEnd = 32768;
constexpr i64 globalEnd = 16384;
SLUICE_DEVICE Shared<f32> slot(u32 index) { return sharedMemory<f32>(0) + i32(index); }
SLUICE_DEVICE Shared<u8> byteAt(u32 index) { return sharedMemory<u8>(0) + i32(index); }
SLUICE_DEVICE Mbarrier barrier(u32 index) { return Mbarrier(sharedMemory<u64>(16384)).at(index); }
SLUICE_DEVICE void result(Global<f32> out, f32 value) {
  storeGlobal(out + (i64(blockIndex()) * 128 + threadIndex()), value);
}
SLUICE_DEVICE void fill() {
  for (u32 i = threadIndex(); i < 512; i += 128)
    storeShared(slot(i), 1.0f);
  syncThreads();
}
} // namespace

//===--- Widths

CASE(wide_load_over_words) {
  storeShared(slot(threadIndex()), 1.0f);
  const Vec<f32, 4> four = loadShared<4>(slot(threadIndex() / 4 * 4 ^ 64));
  result(out, four(0));
}
SLUICE_EXPORT(wide_load_over_words)

CASE(wide_load_after_words) {
  storeShared(slot(threadIndex()), 1.0f);
  syncThreads();
  const Vec<f32, 4> four = loadShared<4>(slot(threadIndex() / 4 * 4 ^ 64));
  result(out, four(0));
}
SLUICE_EXPORT(wide_load_after_words)

// Four warps read the four words of a vector; three of them meet the writer.
CASE(wide_store_under_a_reader) {
  fill();
  const u32 warp = warpIndex();
  f32 x = 0;
  if (laneIndex() == 0)
    x = loadShared(slot(warp));
  if (warp != 2)
    barrierSync(1, 96);
  if (threadIndex() == 96)
    storeShared(slot(0), Vec<f32, 4>{});
  result(out, x);
}
SLUICE_EXPORT(wide_store_under_a_reader)

CASE(wide_store_after_its_readers) {
  fill();
  f32 x = 0;
  if (laneIndex() == 0)
    x = loadShared(slot(warpIndex()));
  syncThreads();
  if (threadIndex() == 96)
    storeShared(slot(0), Vec<f32, 4>{});
  result(out, x);
}
SLUICE_EXPORT(wide_store_after_its_readers)

// All threads read a word, then those of one warp are not waited for.
CASE(one_warp_of_readers_forgotten) {
  fill();
  f32 x = 0;
  for (u32 round = 0; round < 3; ++round)
    x = x + loadShared(slot(7));
  if (warpIndex() != 1)
    barrierSync(2, 96);
  if (threadIndex() == 0)
    storeShared(slot(7), 2.0f);
  result(out, x);
}
SLUICE_EXPORT(one_warp_of_readers_forgotten)

CASE(last_byte_of_a_word) {
  fill();
  f32 x = 0;
  if (threadIndex() == 0)
    storeShared(byteAt(4 * 9 + 3), u8(1));
  if (threadIndex() == 32)
    x = loadShared(slot(9));
  result(out, x);
}
SLUICE_EXPORT(last_byte_of_a_word)

CASE(first_byte_after_a_word) {
  fill();
  f32 x = 0;
  if (threadIndex() == 0)
    storeShared(byteAt(4 * 9 + 4), u8(1));
  if (threadIndex() == 32)
    x = loadShared(slot(9));
  result(out, x);
}
SLUICE_EXPORT(first_byte_after_a_word)

CASE(odd_byte_of_global_memory) {
  if (blockIndex() == 0 && threadIndex() == 0)
    storeGlobal(scratch.cast<u8>() + 5, u8(1));
  if (blockIndex() == 1 && threadIndex() == 0)
    storeGlobal(scratch.cast<u64>(), u64(1));
}
SLUICE_EXPORT(odd_byte_of_global_memory)

CASE(even_byte_beside_the_others) {
  if (blockIndex() == 0 && threadIndex() == 0)
    storeGlobal(scratch.cast<u8>() + 8, u8(1));
  if (blockIndex() == 1 && threadIndex() == 0) {
    storeGlobal(scratch.cast<u64>(), u64(1));
    storeGlobal(scratch.cast<u8>() + 9, u8(1));
  }
}
SLUICE_EXPORT(even_byte_beside_the_others)

CASE(independent_overlap_of_one_byte) {
  const i64 block = blockIndex();
  if (threadIndex() == 3) {
    if (block == 1)
      storeGlobal(scratch.cast<u8>() + 7, u8(1));
    else
      storeGlobal(scratch.cast<u64>() + 2 * (block / 2), u64(1));
  }
}
SLUICE_EXPORT(independent_overlap_of_one_byte)

CASE(independent_bytes_of_one_word) {
  if (threadIndex() == 3)
    storeGlobal(scratch.cast<u8>() + i64(blockIndex()), u8(1));
}
SLUICE_EXPORT(independent_bytes_of_one_word)

CASE(copy_over_a_word_in_use) {
  fill();
  f32 x = 0;
  if (threadIndex() == 0) {
    cpAsync<16>(slot(4), in);
    cpAsyncCommit();
    cpAsyncWait<0>();
  }
  if (threadIndex() == 64)
    x = loadShared(slot(7));
  syncThreads();
  result(out, x);
}
SLUICE_EXPORT(copy_over_a_word_in_use)

CASE(copies_beside_each_other) {
  fill();
  const u32 t = threadIndex();
  cpAsync<4>(slot(t), in + i64(t));
  cpAsyncCommit();
  cpAsyncWait<0>();
  const f32 own = loadShared(slot(t)), other = loadShared(slot(128 + (t ^ 1)));
  result(out, own + other);
}
SLUICE_EXPORT(copies_beside_each_other)

CASE(matrix_rows_overwritten_by_words) {
  fill();
  LdRegisters<4> registers;
  if (warpIndex() == 0)
    registers = ldmatrix<4>(sharedMemory<bf16>(0) + i32(laneIndex()) * 8);
  if (warpIndex() == 1)
    storeShared(slot(20), 0.0f);
  result(out, warpIndex() == 0 ? floatOf(registers.r(2)) : 0);
}
SLUICE_EXPORT(matrix_rows_overwritten_by_words)

CASE(stored_matrix_read_too_early) {
  fill();
  f32 x = 0;
  LdRegisters<2> registers;
  registers.r(0) = registers.r(1) = 0;
  if (warpIndex() == 0)
    stmatrix<2>(sharedMemory<bf16>(0) + i32(laneIndex() % 16) * 8, registers);
  if (warpIndex() == 3)
    x = loadShared(slot(threadIndex() % 32));
  result(out, x);
}
SLUICE_EXPORT(stored_matrix_read_too_early)

CASE(stored_matrix_read_after_the_barrier) {
  fill();
  LdRegisters<2> registers;
  registers.r(0) = registers.r(1) = 0;
  if (warpIndex() == 0)
    stmatrix<2>(sharedMemory<bf16>(0) + i32(laneIndex() % 16) * 8, registers);
  syncThreads();
  result(out, loadShared(slot(threadIndex() % 32)));
}
SLUICE_EXPORT(stored_matrix_read_after_the_barrier)

//===--- No value

CASE(fifteen_of_sixteen_bytes) {
  if (threadIndex() < 15)
    storeShared(byteAt(threadIndex()), u8(0));
  syncThreads();
  result(out, loadShared<4>(slot(0))(0));
}
SLUICE_EXPORT(fifteen_of_sixteen_bytes)

CASE(all_sixteen_bytes) {
  if (threadIndex() < 16)
    storeShared(byteAt(threadIndex()), u8(0));
  syncThreads();
  result(out, loadShared<4>(slot(0))(0));
}
SLUICE_EXPORT(all_sixteen_bytes)

CASE(global_byte_undefined) {
  if (threadIndex() == 0) {
    storeGlobal(scratch.cast<u8>() + 6, u8(1));
    storeGlobal(counter + 1, u32(loadGlobal(scratch.cast<u8>() + 7)));
  }
}
SLUICE_EXPORT(global_byte_undefined)

CASE(global_bytes_all_defined) {
  if (threadIndex() == 0) {
    storeGlobal(scratch.cast<u8>() + 6, u8(1));
    storeGlobal(scratch.cast<u8>() + 7, u8(1));
    storeGlobal(counter + 1, u32(loadGlobal(scratch.cast<u16>() + 3)));
  }
}
SLUICE_EXPORT(global_bytes_all_defined)

CASE(copy_of_undefined_source) {
  cpAsync<4>(slot(threadIndex()), scratch + i64(threadIndex()));
  cpAsyncCommit();
  cpAsyncWait<0>();
  result(out, loadShared(slot(threadIndex())));
}
SLUICE_EXPORT(copy_of_undefined_source)

CASE(zeros_instead_of_undefined_source) {
  const u32 t = threadIndex();
  cpAsync<16>(slot(4 * t), scratch + 4 * i64(t), 0u);
  cpAsyncCommit();
  cpAsyncWait<0>();
  result(out, loadShared<4>(slot(4 * t))(3));
}
SLUICE_EXPORT(zeros_instead_of_undefined_source)

CASE(sum_without_a_start) { atomicAdd(sharedMemory<u32>(0), 1u); }
SLUICE_EXPORT(sum_without_a_start)

CASE(cluster_peer_undefined) {
  storeShared(slot(threadIndex()), 1.0f);
  clusterArrive();
  clusterWait();
  const f32 x = loadRemote(mapShared(slot(threadIndex() + 1), clusterRank() ^ 1));
  clusterArrive();
  clusterWait();
  result(out, x);
}
SLUICE_EXPORT(cluster_peer_undefined)

CASE(store_of_an_undefined_byte) {
  for (u32 i = threadIndex(); i < 511; i += 128)
    storeShared(byteAt(i), u8(0));
  fenceProxyAsyncShared();
  syncThreads();
  if (threadIndex() == 0) {
    bulkStore(out, slot(0), 512);
    bulkCommit();
    bulkWait<0>();
  }
}
SLUICE_EXPORT(store_of_an_undefined_byte)

//===--- Out of bounds

CASE(last_bytes) {
  if (threadIndex() == 0) {
    storeShared(sharedMemory<u8>(0) + (sharedEnd - 1), u8(0));
    storeGlobal(out.cast<u8>() + (globalEnd - 1), u8(0));
  }
}
SLUICE_EXPORT(last_bytes)

CASE(one_byte_past_shared) {
  if (threadIndex() == 0)
    storeShared(sharedMemory<u8>(0) + sharedEnd, u8(0));
}
SLUICE_EXPORT(one_byte_past_shared)

CASE(one_byte_past_global) {
  if (threadIndex() == 0)
    storeGlobal(out.cast<u8>() + globalEnd, u8(0));
}
SLUICE_EXPORT(one_byte_past_global)

CASE(one_byte_before_global) {
  if (threadIndex() == 0)
    storeGlobal(out.cast<u8>() + i64(-1), u8(0));
}
SLUICE_EXPORT(one_byte_before_global)

// Who reads the second byte may have done with the first.
CASE(other_byte_still_read) {
  const u32 t = threadIndex();
  if (t < 2)
    storeShared(byteAt(t), u8(t));
  syncThreads();
  u32 x = t == 64 ? loadShared(byteAt(0)) : 0;
  syncThreads();
  if (t == 64)
    x += loadShared(byteAt(1));
  if (t == 0)
    storeShared(byteAt(0), u8(3));
  result(out, f32(x));
}
SLUICE_EXPORT(other_byte_still_read)

CASE(first_of_two_bytes_still_read) {
  const u32 t = threadIndex();
  if (t < 2)
    storeShared(byteAt(t), u8(t));
  syncThreads();
  const u32 x = t == 64 ? u32(loadShared(byteAt(0))) + loadShared(byteAt(1)) : 0;
  if (t == 0)
    storeShared(byteAt(0), u8(3));
  result(out, f32(x));
}
SLUICE_EXPORT(first_of_two_bytes_still_read)

// As far as a wrong stride leads: still no other tensor.
CASE(far_past_global) {
  if (threadIndex() == 0)
    for (i64 times = 1; times < 12; ++times)
      storeGlobal(scratch + (globalEnd / 4 * times + 3), loadGlobal(in));
}
SLUICE_EXPORT(far_past_global)

CASE(far_before_global) {
  if (threadIndex() == 0)
    for (i64 times = 1; times < 12; ++times)
      storeGlobal(scratch + (-globalEnd / 4 * times), loadGlobal(in));
}
SLUICE_EXPORT(far_before_global)

CASE(copy_past_shared) {
  if (threadIndex() == 0) {
    cpAsync<16>(sharedMemory<f32>(sharedEnd), in);
    cpAsyncCommit();
    cpAsyncWait<0>();
  }
}
SLUICE_EXPORT(copy_past_shared)

CASE(copy_past_global) {
  if (threadIndex() == 0) {
    cpAsync<8>(slot(0), in + globalEnd / 4);
    cpAsyncCommit();
    cpAsyncWait<0>();
  }
}
SLUICE_EXPORT(copy_past_global)

CASE(bulk_load_past_shared) {
  if (threadIndex() == 0) {
    mbarrierInit(barrier(0), 1);
    mbarrierFenceInit();
    mbarrierArriveExpect(barrier(0), 32);
    bulkLoad(sharedMemory<f32>(sharedEnd - 16), in, 32, barrier(0));
    mbarrierWait(barrier(0), 0);
  }
}
SLUICE_EXPORT(bulk_load_past_shared)

CASE(barrier_past_shared) {
  if (threadIndex() == 0)
    mbarrierInit(Mbarrier(sharedMemory<u64>(sharedEnd)), 1);
}
SLUICE_EXPORT(barrier_past_shared)

CASE(cluster_past_the_peer) {
  if (threadIndex() == 0)
    storeRemote(mapShared(sharedMemory<f32>(sharedEnd), clusterRank() ^ 1), 1.0f);
  clusterArrive();
  clusterWait();
}
SLUICE_EXPORT(cluster_past_the_peer)

CASE(null_pointer) {
  if (threadIndex() == 0)
    result(out, loadGlobal(Global<const f32>{}));
}
SLUICE_EXPORT(null_pointer)
