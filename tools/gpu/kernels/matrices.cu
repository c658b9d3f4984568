// Probes of mma.sync, ldmatrix and cp.async.
#include "Device.h"
#include "Words.h"

namespace {

/// 10 words in, 4 out: fragments as they come, so that every lane and register counts.
template <class T, class A, class B> SLUICE_DEVICE void multiply(Words words) {
  A a;
  B b;
  MmaAccumulator sum;
  unrolled<A::count>([&](auto i) { a.r(i) = words.get(); });
  unrolled<B::count>([&](auto i) { b.r(i) = words.get(); });
  unrolled<4>([&](auto i) { sum.r(i) = words.getFloat(); });
  mma(sum, a, b);
  pin(sum);
  unrolled<4>([&](auto i) { words.put(sum.r(i)); });
}

/// Fills the block's 2 KiB of shared memory; lane l of the warp addresses row choice[l].
template <int Count, bool Transposed> SLUICE_DEVICE void loadMatrices(Words &words, u32 row) {
  const LdRegisters<Count> registers = ldmatrix<Count, Transposed>(sharedMemory<f16>(row * 16));
  unrolled<Count>([&](auto i) { words.put(registers.r(i)); });
}

} // namespace

#define PROBE_MMA(name, T, A, B)                                                                             \
  SLUICE_KERNEL(name, 64)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {              \
    multiply<T, A<T>, B<T>>(Words(input, output, reads, writes));                                            \
  }                                                                                                          \
  SLUICE_EXPORT(name)
PROBE_MMA(mmaBf16, bf16, MmaA, MmaB)
PROBE_MMA(mmaF16, f16, MmaA, MmaB)
PROBE_MMA(mmaF16K8, f16, MmaAK8, MmaBK8)
PROBE_MMA(mmaTf32K8, tf32, MmaAK8, MmaBK8)

/// 17 words in, 26 out. 2 KiB: 128 rows of 16 bytes, of which the lanes choose any.
SLUICE_KERNEL(ldmatrices, 32)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  for (u32 i = 0; i < 16; ++i)
    storeShared(sharedMemory<u32>((i * 32 + threadIndex()) * 4), words.get());
  const u32 choice = words.get();
  syncWarp();
  loadMatrices<1, false>(words, choice % 128);
  loadMatrices<2, false>(words, (choice >> 7) % 128);
  loadMatrices<4, false>(words, (choice >> 14) % 128);
  loadMatrices<1, true>(words, choice % 128);
  loadMatrices<2, true>(words, (choice >> 7) % 128);
  loadMatrices<4, true>(words, (choice >> 14) % 128);
  MmaA<bf16> a;
  ldmatrix<true>(a, sharedMemory<bf16>((choice >> 21) % 128 * 16));
  MmaB<f16> b;
  ldmatrix(b, sharedMemory<f16>((choice >> 21) % 128 * 16));
  unrolled<4>([&](auto i) { words.put(a.r(i)); });
  unrolled<2>([&](auto i) { words.put(b.r(i)); });
  ldmatrix(a, sharedMemory<bf16>((choice >> 21) % 128 * 16));
  ldmatrix<true>(b, sharedMemory<f16>((choice >> 21) % 128 * 16));
  unrolled<4>([&](auto i) { words.put(a.r(i)); });
  unrolled<2>([&](auto i) { words.put(b.r(i)); });
}
SLUICE_EXPORT(ldmatrices)

/// 8 words in and out: 4, 8 and 16 bytes, a part of them, or none, with zeros for the rest; 4 KiB and a
/// barrier.
SLUICE_KERNEL(cpAsyncs, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  const i64 place = (i64(blockIndex()) * blockThreads() + threadIndex()) * 8;
  const Global<const u32> from = input + place;
  const Shared<u32> own = sharedMemory<u32>(threadIndex() * 32);
  const Mbarrier barrier(sharedMemory<u64>(4096));
  if (threadIndex() == 0)
    mbarrierInit(barrier, blockThreads());
  syncThreads();
  cpAsync<4>(own, from);
  cpAsync<4>(own + 1, from + 1, threadIndex() % 5);
  cpAsync<8>(own + 2, from + 2, threadIndex() % 9);
  cpAsyncCommit();
  cpAsync<16>(own + 4, from + 4, (threadIndex() & 1) != 0);
  cpAsyncCommit();
  cpAsyncWait<1>();
  storeGlobal(output + place, loadShared<4>(own));
  cpAsyncWait<0>();
  syncThreads();
  // Once more, into the neighbour's place, awaited through the barrier.
  cpAsync<16>(sharedMemory<u32>((threadIndex() ^ 1) * 32), from + 4);
  cpAsyncArrive(barrier);
  mbarrierWait(barrier, 0);
  const Vec<u32, 4> other = loadShared<4>(own), late = loadShared<4>(own + 4);
  storeGlobal(output + (place + 4),
              Vec<u32, 4>{{other(0) ^ late(0), other(1) ^ late(1), other(2) ^ late(2), other(3) ^ late(3)}});
}
SLUICE_EXPORT(cpAsyncs)

/// 8 words in and out: the other forms, and three groups in flight. 4 KiB.
SLUICE_KERNEL(cpAsyncForms, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  const i64 place = (i64(blockIndex()) * blockThreads() + threadIndex()) * 8;
  const Global<const u32> from = input + place;
  const Shared<u32> own = sharedMemory<u32>(threadIndex() * 32);
  cpAsync<16>(own, from, threadIndex() % 17);
  cpAsyncCommit();
  cpAsync<8>(own + 4, from + 4);
  cpAsyncCommit();
  cpAsync<4>(own + 6, from + 6, (threadIndex() & 2) != 0);
  cpAsync<4>(own + 7, from + 7, 2u);
  cpAsyncCommit();
  cpAsyncWait<2>();
  storeGlobal(output + place, loadShared<4>(own));
  cpAsyncWait<0>();
  storeGlobal(output + (place + 4), loadShared<4>(own + 4));
}
SLUICE_EXPORT(cpAsyncForms)

/// 1 word in, 3 out: phases of an mbarrier with arrivals of all threads. 1 KiB.
SLUICE_KERNEL(mbarriers, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  const u32 value = words.get();
  const Shared<u32> slots = sharedMemory<u32>(64);
  const Mbarrier barrier = Mbarrier(sharedMemory<u64>(0)).at(1);
  if (threadIndex() == 0)
    mbarrierInit(barrier, blockThreads());
  syncThreads();
  words.put(mbarrierTest(barrier, 1));
  for (u32 phase = 0; phase < 2; ++phase) {
    storeShared(slots + i32(threadIndex()), value + phase);
    mbarrierArrive(barrier);
    mbarrierWait(barrier, phase);
    words.put(loadShared(slots + i32(threadIndex() ^ 127)));
    syncThreads();
  }
  if (threadIndex() == 0)
    mbarrierInvalidate(barrier);
}
SLUICE_EXPORT(mbarriers)
