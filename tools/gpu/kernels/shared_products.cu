// Probes of wgmma for every N, both types, A from shared memory.
#include "Device.h"
#include "EveryN.h"
#include "Words.h"
#include "Products.h"

/// 80 words in, N out.
#define PROBE_N(N)                                                                                           \
  SLUICE_KERNEL(wgmmaN##N, 128)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {        \
    Words words(input, output, reads, writes);                                                               \
    fillShared(words, placeB + 32768);                                                                       \
    multiplyShared<bf16, N, Major::k, Major::k, false, false>(words, Swizzle::bytes128, 16, 1024);           \
    multiplyShared<f16, N, Major::k, Major::k, false, false>(words, Swizzle::bytes128, 16, 1024);            \
  }                                                                                                          \
  SLUICE_EXPORT(wgmmaN##N)
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
