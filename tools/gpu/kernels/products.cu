// Probes of wgmma: every N, both types, operands in registers or shared memory, majors, negation, swizzles.
#include "Device.h"
#include "wgmma/n8.h"
#include "wgmma/n16.h"
#include "wgmma/n24.h"
#include "wgmma/n32.h"
#include "wgmma/n40.h"
#include "wgmma/n48.h"
#include "wgmma/n56.h"
#include "wgmma/n64.h"
#include "wgmma/n72.h"
#include "wgmma/n80.h"
#include "wgmma/n88.h"
#include "wgmma/n96.h"
#include "wgmma/n104.h"
#include "wgmma/n112.h"
#include "wgmma/n120.h"
#include "wgmma/n128.h"
#include "wgmma/n136.h"
#include "wgmma/n144.h"
#include "wgmma/n152.h"
#include "wgmma/n160.h"
#include "wgmma/n168.h"
#include "wgmma/n176.h"
#include "wgmma/n184.h"
#include "wgmma/n192.h"
#include "wgmma/n200.h"
#include "wgmma/n208.h"
#include "wgmma/n216.h"
#include "wgmma/n224.h"
#include "wgmma/n232.h"
#include "wgmma/n240.h"
#include "wgmma/n248.h"
#include "wgmma/n256.h"

/// Word i of thread t lies at i * threads + t of its block's part.
struct Words {
  Global<const u32> from;
  Global<u32> to;
  SLUICE_DEVICE Words(Global<const u32> input, Global<u32> output, i64 reads, i64 writes)
      : from(input + (i64(blockIndex()) * reads * blockThreads() + threadIndex())),
        to(output + (i64(blockIndex()) * writes * blockThreads() + threadIndex())) {}
  SLUICE_DEVICE u32 get() {
    u32 word = loadGlobal(from);
    from = from + i64(blockThreads());
    return word;
  }
  SLUICE_DEVICE f32 getFloat() { return floatOf(get()); }
  SLUICE_DEVICE void put(u32 word) {
    storeGlobal(to, word);
    to = to + i64(blockThreads());
  }
  SLUICE_DEVICE void put(f32 value) { put(bitsOf(value)); }
  SLUICE_DEVICE void put(i32 value) { put(u32(value)); }
  SLUICE_DEVICE void put(bool value) { put(u32(value ? 1 : 0)); }
};

namespace {

/// Shared memory: A 64 x 64 at 0, B up to 256 x 64 at 8192. In which order the elements lie does not matter here:
/// what is read from where is what the probe compares.
constexpr u32 placeB = 8192;

SLUICE_DEVICE void fillShared(Words &words, u32 bytes) {
  for (u32 at = threadIndex() * 4; at < bytes; at += blockThreads() * 4)
    storeShared(sharedMemory<u32>(at), words.get());
  fenceProxyAsyncShared();
  syncThreads();
}

template <int N> SLUICE_DEVICE void putAll(Words &words, WgmmaAccumulator<N> &sum) {
  unrolled<N / 2>([&](auto i) { words.put(sum.r(i)); });
}

/// Two products of 16 along K, the second onto the first; a word of the input selects what the sum starts from.
template <class T, int N, Major A, Major B, bool NegateA, bool NegateB>
SLUICE_DEVICE void multiplyShared(Words words, Swizzle swizzle, u32 leading, u32 stride) {
  fillShared(words, placeB + 32768);
  const auto a = wgmmaDescriptor(sharedMemory<T>(0), swizzle, leading, stride);
  const auto b = wgmmaDescriptor(sharedMemory<T>(placeB), swizzle, leading, stride);
  WgmmaAccumulator<N> sum;
  sum.fill(1.0f);
  pin(sum);
  wgmmaFence();
  wgmma<A, B, NegateA, NegateB>(sum, a, b, (blockIndex() & 1) != 0);
  wgmma<A, B, NegateA, NegateB>(sum, a.advance(32), b.advance(32), true);
  wgmmaCommit();
  wgmmaWait<0>(sum);
  putAll(words, sum);
}

template <class T, int N, Major B, bool NegateA, bool NegateB>
SLUICE_DEVICE void multiplyRegisters(Words words, Swizzle swizzle, u32 leading, u32 stride) {
  fillShared(words, placeB + 32768);
  WgmmaA<T> a;
  unrolled<4>([&](auto i) { a.r(i) = loadShared(sharedMemory<u32>((i * 128 + threadIndex()) * 4)); });
  const auto b = wgmmaDescriptor(sharedMemory<T>(placeB), swizzle, leading, stride);
  WgmmaAccumulator<N> sum;
  sum.fill(0.0f);
  pin(sum);
  wgmmaFence();
  wgmma<B, NegateA, NegateB>(sum, a, b, true);
  wgmmaCommit();
  wgmmaWait<0>(sum);
  putAll(words, sum);
}

} // namespace

/// 80 words in (40 KiB of shared memory), N / 2 out.
#define PROBE_SHARED(name, T, N, A, B, negateA, negateB, swizzle, leading, stride)                             \
  SLUICE_KERNEL(name, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {               \
    multiplyShared<T, N, A, B, negateA, negateB>(Words(input, output, reads, writes), swizzle, leading, stride); \
  }                                                                                                            \
  SLUICE_EXPORT(name)
#define PROBE_REGISTERS(name, T, N, B, negateA, negateB, swizzle, leading, stride)                             \
  SLUICE_KERNEL(name, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {               \
    multiplyRegisters<T, N, B, negateA, negateB>(Words(input, output, reads, writes), swizzle, leading, stride); \
  }                                                                                                            \
  SLUICE_EXPORT(name)

#define PROBE_N(N)                                                                                             \
  PROBE_SHARED(wgmmaN##N, bf16, N, Major::k, Major::k, false, false, Swizzle::bytes128, 16, 1024)
PROBE_N(8)
PROBE_N(16)
PROBE_N(24)
PROBE_N(32)
PROBE_N(40)
PROBE_N(48)
PROBE_N(56)
PROBE_N(64)
PROBE_N(72)
PROBE_N(80)
PROBE_N(88)
PROBE_N(96)
PROBE_N(104)
PROBE_N(112)
PROBE_N(120)
PROBE_N(128)
PROBE_N(136)
PROBE_N(144)
PROBE_N(152)
PROBE_N(160)
PROBE_N(168)
PROBE_N(176)
PROBE_N(184)
PROBE_N(192)
PROBE_N(200)
PROBE_N(208)
PROBE_N(216)
PROBE_N(224)
PROBE_N(232)
PROBE_N(240)
PROBE_N(248)
PROBE_N(256)

PROBE_SHARED(wgmmaF16, f16, 64, Major::k, Major::k, false, false, Swizzle::bytes128, 16, 1024)
PROBE_SHARED(wgmmaNegateA, bf16, 64, Major::k, Major::k, true, false, Swizzle::bytes128, 16, 1024)
PROBE_SHARED(wgmmaNegateB, f16, 64, Major::k, Major::k, false, true, Swizzle::bytes128, 16, 1024)
PROBE_SHARED(wgmmaMajorA, bf16, 64, Major::mn, Major::k, false, false, Swizzle::bytes128, 4096, 1024)
PROBE_SHARED(wgmmaMajorB, bf16, 128, Major::k, Major::mn, false, false, Swizzle::bytes128, 4096, 1024)
PROBE_SHARED(wgmmaMajors, f16, 256, Major::mn, Major::mn, false, false, Swizzle::bytes128, 2048, 1024)
PROBE_SHARED(wgmmaSwizzle0, bf16, 32, Major::k, Major::k, false, false, Swizzle::none, 128, 256)
PROBE_SHARED(wgmmaSwizzle32, bf16, 32, Major::k, Major::k, false, false, Swizzle::bytes32, 16, 256)
PROBE_SHARED(wgmmaSwizzle64, f16, 32, Major::k, Major::k, false, false, Swizzle::bytes64, 16, 512)
PROBE_REGISTERS(wgmmaRegisters, bf16, 64, Major::k, false, false, Swizzle::bytes128, 16, 1024)
PROBE_REGISTERS(wgmmaRegistersF16, f16, 256, Major::k, false, false, Swizzle::bytes128, 16, 1024)
PROBE_REGISTERS(wgmmaRegistersMajorB, f16, 128, Major::mn, false, false, Swizzle::bytes128, 4096, 1024)
PROBE_REGISTERS(wgmmaRegistersNegated, bf16, 32, Major::k, true, true, Swizzle::bytes64, 16, 512)

/// 1 word in, 1 out: registers change hands between two warpgroups.
SLUICE_KERNEL(registerBudgets, 256)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  if (threadIndex() < 128)
    decreaseRegisters<40>();
  else
    increaseRegisters<160>();
  words.put(words.get() ^ warpIndex());
}
SLUICE_EXPORT(registerBudgets)
