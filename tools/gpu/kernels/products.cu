// Probes of wgmma: majors, negation, swizzles, groups, and the registers that a warpgroup hands on.
#include "Device.h"
#include "EveryN.h"
#include "Words.h"
#include "Products.h"

/// 80 words in (40 KiB of shared memory), N / 2 out.
#define PROBE_SHARED(name, T, N, A, B, negateA, negateB, swizzle, leading, stride)                           \
  SLUICE_KERNEL(name, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {             \
    Words words(input, output, reads, writes);                                                               \
    fillShared(words, placeB + 32768);                                                                       \
    multiplyShared<T, N, A, B, negateA, negateB>(words, swizzle, leading, stride);                           \
  }                                                                                                          \
  SLUICE_EXPORT(name)
#define PROBE_REGISTERS(name, T, N, B, negateA, negateB, swizzle, leading, stride)                           \
  SLUICE_KERNEL(name, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {             \
    Words words(input, output, reads, writes);                                                               \
    fillShared(words, placeB + 32768);                                                                       \
    multiplyRegisters<T, N, B, negateA, negateB>(words, swizzle, leading, stride);                           \
  }                                                                                                          \
  SLUICE_EXPORT(name)

PROBE_SHARED(wgmmaNegateA, bf16, 64, Major::k, Major::k, true, false, Swizzle::bytes128, 16, 1024)
PROBE_SHARED(wgmmaNegateB, f16, 64, Major::k, Major::k, false, true, Swizzle::bytes128, 16, 1024)
PROBE_SHARED(wgmmaNegateBoth, bf16, 64, Major::mn, Major::mn, true, true, Swizzle::bytes128, 2048, 1024)
PROBE_SHARED(wgmmaMajorA, bf16, 128, Major::mn, Major::k, false, false, Swizzle::bytes128, 4096, 1024)
PROBE_SHARED(wgmmaMajorA8, bf16, 8, Major::mn, Major::k, false, false, Swizzle::bytes128, 4096, 1024)
PROBE_SHARED(wgmmaMajorB, bf16, 128, Major::k, Major::mn, false, false, Swizzle::bytes128, 4096, 1024)
PROBE_SHARED(wgmmaMajorB8, bf16, 8, Major::k, Major::mn, false, false, Swizzle::bytes128, 4096, 1024)
PROBE_SHARED(wgmmaMajors64, f16, 64, Major::mn, Major::mn, false, false, Swizzle::bytes128, 2048, 1024)
PROBE_SHARED(wgmmaMajors, f16, 256, Major::mn, Major::mn, false, false, Swizzle::bytes128, 2048, 1024)
PROBE_SHARED(wgmmaSwizzle0, bf16, 32, Major::k, Major::k, false, false, Swizzle::none, 128, 256)
PROBE_SHARED(wgmmaSwizzle32, bf16, 32, Major::k, Major::k, false, false, Swizzle::bytes32, 16, 256)
PROBE_SHARED(wgmmaSwizzle64, f16, 32, Major::k, Major::k, false, false, Swizzle::bytes64, 16, 512)
PROBE_SHARED(wgmmaMajorsSwizzle0, f16, 64, Major::mn, Major::mn, false, false, Swizzle::none, 256, 512)
PROBE_SHARED(wgmmaMajorsSwizzle32, bf16, 64, Major::mn, Major::mn, false, false, Swizzle::bytes32, 512, 1024)
PROBE_SHARED(wgmmaMajorsSwizzle64, bf16, 64, Major::mn, Major::mn, false, false, Swizzle::bytes64, 1024, 512)
PROBE_REGISTERS(wgmmaRegistersMajorB, bf16, 128, Major::mn, false, false, Swizzle::bytes128, 4096, 1024)
PROBE_REGISTERS(wgmmaRegistersMajorB8, bf16, 8, Major::mn, false, false, Swizzle::bytes128, 4096, 1024)
PROBE_REGISTERS(wgmmaRegistersMajorBNegated, f16, 64, Major::mn, false, true, Swizzle::bytes128, 4096, 1024)
PROBE_REGISTERS(wgmmaRegistersNegateA, bf16, 64, Major::k, true, false, Swizzle::bytes64, 16, 512)
PROBE_REGISTERS(wgmmaRegistersNegated, bf16, 64, Major::k, true, true, Swizzle::bytes32, 16, 256)

/// 80 words in, 44 out: up to four groups in flight, awaited together, in part, and without naming their
/// sums.
SLUICE_KERNEL(wgmmaGroups, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  fillShared(words, placeB + 32768);
  const auto a = wgmmaDescriptor(sharedMemory<bf16>(0), Swizzle::bytes128, 16, 1024);
  const auto b = wgmmaDescriptor(sharedMemory<bf16>(placeB), Swizzle::bytes128, 16, 1024);
  WgmmaAccumulator<64> p;
  WgmmaAccumulator<8> q, r, s;
  p.fill(1.0f), q.fill(2.0f), r.fill(3.0f), s.fill(4.0f);
  pin(p), pin(q), pin(r), pin(s);
  wgmmaFence();
  wgmma(p, a, b, true);
  wgmmaCommit();
  wgmma(q, a, b.advance(32), true);
  wgmmaCommit();
  wgmma(r, a.advance(32), b, true);
  wgmmaCommit();
  wgmma(s, a.advance(32), b.advance(32), true);
  wgmmaCommit();
  wgmmaWait<0>(p, q, r, s);
  wgmmaFence();
  wgmma(p, a, b.advance(64), true);
  wgmma(q, a, b.advance(96), true);
  wgmma(r, a.advance(64), b, true);
  wgmmaCommit();
  wgmmaWait<0>(p, q, r);
  wgmmaFence();
  wgmma(p, a.advance(32), b, true);
  wgmmaCommit();
  wgmma(q, a.advance(64), b.advance(32), true);
  wgmmaCommit();
  wgmmaWait<1>(p);
  wgmmaWait<0>(p, q);
  wgmmaFence();
  wgmma(s, a.advance(96), b, true);
  wgmmaCommit();
  wgmmaWait<0>();
  pin(s);
  putAll(words, p);
  putAll(words, q);
  putAll(words, r);
  putAll(words, s);
}
SLUICE_EXPORT(wgmmaGroups)

/// 1 word in, 1 out: one warpgroup hands registers on to two others.
SLUICE_KERNEL(registerBudgets, 384)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  if (threadIndex() < 128)
    decreaseRegisters<24>();
  else
    increaseRegisters<232>();
  words.put(words.get() ^ warpIndex());
}
SLUICE_EXPORT(registerBudgets)
