// Kernels for the checker's own test: what one block does in shared memory. Each has one mistake that is easily
// missed, or none though it looks like one; AdversarialTest.cpp says which. 128 threads.
#include "Device.h"

#define CASE(name)                                                                                                     \
  SLUICE_KERNEL(name, 128)(Global<const f32> in, Global<f32> out, Global<f32> scratch, Global<u32> counter)

namespace {
SLUICE_DEVICE Shared<f32> slot(u32 index) { return sharedMemory<f32>(0) + i32(index); }
SLUICE_DEVICE void result(Global<f32> out, f32 value) {
  storeGlobal(out + (i64(blockIndex()) * 128 + threadIndex()), value);
}
} // namespace

// The barrier holds the readers but not all of the writers.
CASE(barrier_covers_half) {
  const u32 t = threadIndex();
  storeShared(slot(t), 1.0f);
  if (t < 64) {
    barrierSync(1, 64);
    result(out, loadShared(slot(t + 64)));
  }
}
SLUICE_EXPORT(barrier_covers_half)

// A write after reads that nothing orders.
CASE(write_after_read) {
  const u32 t = threadIndex();
  if (t == 0)
    storeShared(slot(0), 1.0f);
  syncThreads();
  const f32 x = loadShared(slot(0));
  if (t == 127)
    storeShared(slot(0), 2.0f);
  result(out, x);
}
SLUICE_EXPORT(write_after_read)

// Of 128 readers one is not ordered before the write.
CASE(one_unordered_reader) {
  const u32 t = threadIndex();
  if (t == 0)
    storeShared(slot(0), 1.0f);
  syncThreads();
  f32 x = 0;
  if (t != 101)
    x = loadShared(slot(0));
  barrierSync(1, 128);
  if (t == 101)
    x = loadShared(slot(0));
  if (t == 3)
    storeShared(slot(0), 2.0f);
  result(out, x);
}
SLUICE_EXPORT(one_unordered_reader)

// An early reader must not be forgotten when ordered ones follow it.
CASE(early_reader_forgotten) {
  const u32 t = threadIndex();
  if (t == 0)
    storeShared(slot(0), 1.0f);
  syncThreads();
  f32 x = loadShared(slot(0));
  if (t >= 32) {
    // Three warps read again and again, in order with the writer; the first warp has read but once.
    for (u32 i = 0; i < 4; ++i) {
      barrierSync(1, 96);
      x += loadShared(slot(0));
    }
    barrierSync(1, 96);
    if (t == 32)
      storeShared(slot(0), 2.0f);
  }
  result(out, x);
}
SLUICE_EXPORT(early_reader_forgotten)

// Neighbouring bytes belong to different threads.
CASE(neighbouring_bytes) {
  const u32 t = threadIndex();
  storeShared(sharedMemory<u8>(0) + i32(t), u8(t));
  syncThreads();
  result(out, f32(loadShared(sharedMemory<u32>(0) + i32(t / 4))));
}
SLUICE_EXPORT(neighbouring_bytes)

CASE(neighbouring_bytes_unordered) {
  const u32 t = threadIndex();
  storeShared(sharedMemory<u8>(0) + i32(t), u8(t));
  result(out, f32(loadShared(sharedMemory<u8>(0) + i32(t ^ 1))));
}
SLUICE_EXPORT(neighbouring_bytes_unordered)

CASE(lanes_without_sync) {
  const u32 t = threadIndex();
  storeShared(slot(t), 1.0f);
  result(out, loadShared(slot(t ^ 1)));
}
SLUICE_EXPORT(lanes_without_sync)

CASE(lanes_with_sync) {
  const u32 t = threadIndex();
  storeShared(slot(t), 1.0f);
  syncWarp();
  result(out, loadShared(slot(t ^ 1)));
}
SLUICE_EXPORT(lanes_with_sync)

// A shuffle brings lanes together and orders no memory.
CASE(shuffle_is_no_barrier) {
  const u32 t = threadIndex();
  storeShared(slot(t), 1.0f);
  const f32 x = shuffleXor(1.0f, 1);
  result(out, x + loadShared(slot(t ^ 1)));
}
SLUICE_EXPORT(shuffle_is_no_barrier)

CASE(atomics_then_load) {
  atomicAdd(sharedMemory<u32>(0), 0u);
  result(out, 0);
}
SLUICE_EXPORT(atomics_then_load)

// Atomics do not race among each other, but with plain accesses.
CASE(atomic_and_plain) {
  const Shared<u32> sum = sharedMemory<u32>(0);
  if (threadIndex() == 0)
    storeShared(sum, 0u);
  syncThreads();
  atomicAdd(sum, 1u);
  u32 value = 0;
  if (threadIndex() == 77)
    value = loadShared(sum);
  result(out, f32(value));
}
SLUICE_EXPORT(atomic_and_plain)

CASE(atomic_ordered) {
  const Shared<u32> sum = sharedMemory<u32>(0);
  if (threadIndex() == 0)
    storeShared(sum, 0u);
  syncThreads();
  atomicAdd(sum, 1u);
  syncThreads();
  result(out, f32(loadShared(sum)));
}
SLUICE_EXPORT(atomic_ordered)

// With two buffers one barrier in a turn is enough, with one it is not.
CASE(two_buffers) {
  const u32 t = threadIndex();
  f32 sum = 0;
  for (u32 i = 0; i < 6; ++i) {
    storeShared(slot(i % 2 * 128 + t), f32(i));
    syncThreads();
    sum += loadShared(slot(i % 2 * 128 + (t + 32) % 128));
  }
  result(out, sum);
}
SLUICE_EXPORT(two_buffers)

CASE(one_buffer) {
  const u32 t = threadIndex();
  f32 sum = 0;
  for (u32 i = 0; i < 6; ++i) {
    storeShared(slot(t), f32(i));
    syncThreads();
    sum += loadShared(slot((t + 32) % 128));
  }
  result(out, sum);
}
SLUICE_EXPORT(one_buffer)

// Who only arrives has not waited.
CASE(arrive_is_no_wait) {
  const u32 t = threadIndex();
  if (t < 64) {
    storeShared(slot(t), 1.0f);
    barrierSync(1, 128);
  } else {
    barrierArrive(1, 128);
    result(out, loadShared(slot(t - 64)));
  }
}
SLUICE_EXPORT(arrive_is_no_wait)

CASE(arrive_then_sync) {
  const u32 t = threadIndex();
  if (t < 64) {
    storeShared(slot(t), 1.0f);
    barrierArrive(1, 128);
  } else {
    barrierSync(1, 128);
    result(out, loadShared(slot(t - 64)));
  }
}
SLUICE_EXPORT(arrive_then_sync)

// Writing between the arrival and the end is not covered by the arrival.
CASE(write_after_arrive) {
  const u32 t = threadIndex();
  if (t < 64) {
    barrierArrive(1, 128);
    storeShared(slot(t), 1.0f);
  } else {
    barrierSync(1, 128);
    result(out, loadShared(slot(t - 64)));
  }
}
SLUICE_EXPORT(write_after_arrive)

// cp.async: waiting is for one's own copies.
CASE(copies_of_others) {
  const u32 t = threadIndex();
  cpAsync<16>(slot(t * 4), in + t * 4);
  cpAsyncCommit();
  cpAsyncWait<0>();
  result(out, loadShared(slot((t ^ 1) * 4)));
}
SLUICE_EXPORT(copies_of_others)

CASE(copies_with_barrier) {
  const u32 t = threadIndex();
  cpAsync<16>(slot(t * 4), in + t * 4);
  cpAsyncCommit();
  cpAsyncWait<0>();
  syncThreads();
  result(out, loadShared(slot((t ^ 33) * 4)));
}
SLUICE_EXPORT(copies_with_barrier)

CASE(group_still_pending) {
  const u32 t = threadIndex();
  cpAsync<16>(slot(t * 4), in + t * 4);
  cpAsyncCommit();
  cpAsync<16>(slot(512 + t * 4), in + t * 4);
  cpAsyncCommit();
  cpAsyncWait<1>();
  const f32 x = loadShared(slot(512 + t * 4));
  cpAsyncWait<0>();
  result(out, x);
}
SLUICE_EXPORT(group_still_pending)

CASE(group_never_committed) {
  const u32 t = threadIndex();
  cpAsync<16>(slot(t * 4), in + t * 4);
  cpAsyncWait<0>();
  result(out, loadShared(slot(t * 4)));
  cpAsyncCommit();
  cpAsyncWait<0>();
}
SLUICE_EXPORT(group_never_committed)

// What the copy overwrites is still being read by another warp.
CASE(copy_into_what_is_read) {
  const u32 t = threadIndex();
  storeShared(slot(t), 1.0f);
  syncThreads();
  const f32 x = loadShared(slot((t + 64) % 128));
  if (t < 32)
    cpAsync<16>(slot(t * 4), in + t * 4);
  cpAsyncCommit();
  cpAsyncWait<0>();
  result(out, x);
}
SLUICE_EXPORT(copy_into_what_is_read)

CASE(source_rewritten_in_flight) {
  const u32 t = threadIndex();
  storeGlobal(scratch + t * 4, Vec<f32, 4>{1, 2, 3, 4});
  cpAsync<16>(slot(t * 4), scratch + t * 4);
  cpAsyncCommit();
  storeGlobal(scratch + t * 4, 5.0f);
  cpAsyncWait<0>();
  result(out, loadShared(slot(t * 4)));
}
SLUICE_EXPORT(source_rewritten_in_flight)

CASE(half_of_a_word_undefined) {
  const u32 t = threadIndex();
  storeShared(sharedMemory<u16>(0) + i32(t * 2), u16(t));
  result(out, f32(loadShared(sharedMemory<u32>(0) + i32(t)) & 0xffff));
}
SLUICE_EXPORT(half_of_a_word_undefined)

CASE(workspace_undefined) {
  result(out, loadGlobal(scratch + i64(threadIndex())));
}
SLUICE_EXPORT(workspace_undefined)

// Rows written by other lanes, fetched by ldmatrix.
CASE(ldmatrix_unordered) {
  const u32 lane = laneIndex();
  const Shared<bf16> tile = sharedMemory<bf16>(warpIndex() * 1024);
  for (u32 i = 0; i < 8; ++i)
    storeShared((tile + i32(i * 64)).cast<u32>() + i32(lane), i);
  const auto four = ldmatrix<4>(tile + i32(lane * 8));
  result(out, f32(four.r(0) + four.r(3)));
}
SLUICE_EXPORT(ldmatrix_unordered)

CASE(ldmatrix_ordered) {
  const u32 lane = laneIndex();
  const Shared<bf16> tile = sharedMemory<bf16>(warpIndex() * 1024);
  for (u32 i = 0; i < 8; ++i)
    storeShared((tile + i32(i * 64)).cast<u32>() + i32(lane), i);
  syncWarp();
  const auto four = ldmatrix<4>(tile + i32(lane * 8));
  result(out, f32(four.r(0) + four.r(3)));
}
SLUICE_EXPORT(ldmatrix_ordered)

// The next turn's stores hit rows that ldmatrix of other lanes is fetching.
CASE(store_after_ldmatrix) {
  const u32 lane = laneIndex();
  const Shared<bf16> tile = sharedMemory<bf16>(warpIndex() * 1024);
  u32 sum = 0;
  for (u32 turn = 0; turn < 2; ++turn) {
    for (u32 i = 0; i < 8; ++i)
      storeShared((tile + i32(i * 64)).cast<u32>() + i32(lane), i + turn);
    syncWarp();
    sum += ldmatrix<4>(tile + i32(lane * 8)).r(1);
  }
  result(out, f32(sum));
}
SLUICE_EXPORT(store_after_ldmatrix)

CASE(past_the_end_of_shared) {
  result(out, 0);
  storeShared(slot(8192 - 64 + threadIndex()), 1.0f);
}
SLUICE_EXPORT(past_the_end_of_shared)

CASE(before_the_start) {
  storeGlobal(out + (i64(threadIndex()) - 1), 1.0f);
}
SLUICE_EXPORT(before_the_start)

CASE(misaligned_vector) {
  const auto two = loadGlobal<2>(in + (i64(threadIndex()) * 2 + 1));
  result(out, two(0));
}
SLUICE_EXPORT(misaligned_vector)

// What a predicate switches off is not accessed.
CASE(predicated_off) {
  const bool inside = threadIndex() < 40;
  const f32 x = loadGlobal(in + (inside ? i64(threadIndex()) : i64(1) << 40), inside, 3.0f);
  storeGlobal(out + (inside ? i64(threadIndex()) : i64(-1)), x, inside);
  storeShared(slot(inside ? threadIndex() : 1 << 20), x, inside);
}
SLUICE_EXPORT(predicated_off)

CASE(writes_an_input) {
  storeGlobal(__builtin_bit_cast(Global<f32>, in) + i64(threadIndex()), 1.0f);
}
SLUICE_EXPORT(writes_an_input)

CASE(half_a_warp_shuffles) {
  f32 x = 1;
  if (laneIndex() < 16)
    x = shuffleXor(x, 1);
  result(out, x);
}
SLUICE_EXPORT(half_a_warp_shuffles)

// Two lanes meet in collectives of two lines.
CASE(two_calls_of_shuffle) {
  f32 x = 1;
  if (laneIndex() < 16)
    x = shuffleXor(x, 1);
  else
    x = shuffleXor(x, 2);
  result(out, x);
}
SLUICE_EXPORT(two_calls_of_shuffle)

CASE(barrier_lacks_a_warp) {
  if (threadIndex() < 96)
    barrierSync(2, 128);
  result(out, 1);
}
SLUICE_EXPORT(barrier_lacks_a_warp)

// Two lanes store to the same word in one instruction.
CASE(lanes_store_to_one_word) {
  storeShared(slot(threadIndex() / 2), f32(threadIndex()));
  syncThreads();
  result(out, loadShared(slot(threadIndex() / 2)));
}
SLUICE_EXPORT(lanes_store_to_one_word)

// An atomic is no release: what was stored before it is not passed on.
CASE(atomic_as_a_flag) {
  const Shared<u32> flag = sharedMemory<u32>(4096);
  if (threadIndex() == 0) {
    storeShared(slot(0), 1.0f);
    storeShared(flag, 0u);
  }
  syncThreads();
  f32 x = 0;
  if (threadIndex() == 32) {
    storeShared(slot(1), 5.0f);
    atomicAdd(flag, 1u);
  }
  if (threadIndex() == 64 && atomicAdd(flag, 0u) < 2)
    x = loadShared(slot(1));
  result(out, x);
}
SLUICE_EXPORT(atomic_as_a_flag)

CASE(ldmatrix_of_undefined_rows) {
  const Shared<bf16> tile = sharedMemory<bf16>(warpIndex() * 1024);
  if (laneIndex() != 7)
    storeShared(tile.cast<u32>() + i32(laneIndex() * 4), Vec<u32, 4>{1, 2, 3, 4});
  syncWarp();
  result(out, f32(ldmatrix<4>(tile + i32(laneIndex() * 8)).r(0)));
}
SLUICE_EXPORT(ldmatrix_of_undefined_rows)

CASE(misaligned_ldmatrix) {
  const Shared<bf16> tile = sharedMemory<bf16>(warpIndex() * 2048);
  for (u32 i = 0; i < 16; ++i)
    storeShared(tile.cast<u32>() + i32(i * 32 + laneIndex()), i);
  syncWarp();
  result(out, f32(ldmatrix<4>(tile + i32(laneIndex() * 8 + (laneIndex() == 3 ? 4 : 0))).r(0)));
}
SLUICE_EXPORT(misaligned_ldmatrix)

// The write of one byte must not hide that of its neighbour.
CASE(byte_hidden_by_its_neighbour) {
  const Shared<u8> bytes = sharedMemory<u8>(0);
  const u32 t = threadIndex();
  if (t == 0)
    storeShared(bytes, u8(1));
  if (t < 32)
    syncWarp();
  if (t == 1)
    storeShared(bytes + 1, u8(2));
  result(out, t == 64 ? f32(loadShared(bytes)) : 0);
}
SLUICE_EXPORT(byte_hidden_by_its_neighbour)

CASE(reader_hidden_by_the_neighbouring_byte) {
  const Shared<u8> bytes = sharedMemory<u8>(0);
  const u32 t = threadIndex();
  if (t == 0)
    storeShared(bytes.cast<u16>(), u16(0));
  syncThreads();
  const u32 x = t == 64 ? loadShared(bytes) : 0;
  if (t == 1)
    storeShared(bytes + 1, u8(2));
  if (t < 32)
    syncWarp();
  if (t == 2)
    storeShared(bytes, u8(3));
  result(out, f32(x));
}
SLUICE_EXPORT(reader_hidden_by_the_neighbouring_byte)

CASE(neighbouring_byte_undefined) {
  const Shared<u8> bytes = sharedMemory<u8>(0);
  storeShared(bytes + i32(threadIndex() * 2), u8(1));
  result(out, f32(loadShared(bytes + i32(threadIndex() * 2 + 1))));
}
SLUICE_EXPORT(neighbouring_byte_undefined)

// Both bytes by different threads, in order with who reads and writes them later.
CASE(bytes_in_order) {
  const Shared<u8> bytes = sharedMemory<u8>(0);
  const u32 t = threadIndex();
  storeShared(bytes + i32(t), u8(t));
  syncThreads();
  const u32 both = loadShared(bytes.cast<u16>() + i32(t / 2));
  syncThreads();
  storeShared(bytes + i32(127 - t), u8(both));
  syncThreads();
  result(out, f32(loadShared(bytes.cast<u32>() + i32(t / 4))));
}
SLUICE_EXPORT(bytes_in_order)
