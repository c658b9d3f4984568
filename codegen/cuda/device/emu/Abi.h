// What kernels compiled for the emulator and libSluiceEmulator.so agree on: the record of the running thread, the
// description of an entry point, and the calls that every primitive of the core ends in. Further calls are declared
// beside the primitives they serve, in Abi*.h. Compiled by clang and g++; includes only <source_location>.
#pragma once

#include "codegen/cuda/device/Types.h"

#include <source_location>

namespace sluice::device {
/// Where a primitive is called: file, line, column. A pointer to static data.
using Site = std::source_location;
} // namespace sluice::device

/// Device memory that the running host thread accessed lately, so that the next access from the same call needs no
/// search. A thread's record points at those of loads; those of stores follow, since not all memory may be written.
struct SluiceEmuRange {
  sluice::device::u64 base, bytes;
};
inline constexpr unsigned sluiceEmuRanges = 16;

/// Shared-window address of the first byte of dynamic shared memory.
inline constexpr unsigned sluiceEmuSharedBase = 1024;

/// What a kernel may know of the thread that runs it; the emulator's own record of the thread begins with it.
struct SluiceEmuThread {
  sluice::device::u8 *shared;
  sluice::device::u32 sharedBytes;
  /// Accesses are checked or counted: every one is a call.
  sluice::device::u32 observed;
  SluiceEmuRange *ranges;
  sluice::device::u32 thread, blockThreads;
  sluice::device::u32 block[3], grid[3];
  sluice::device::u32 clusterRank, clusterBlocks;
};

/// An entry point. `run` takes an array of pointers to the arguments.
struct SluiceEmuKernel {
  sluice::device::u32 version, maxThreads, blocksPerSm, parameters;
  void (*run)(void **arguments);
  /// Of each parameter: what a launch must pass for it.
  const sluice::device::u32 *parameterBytes;
};
inline constexpr unsigned sluiceEmuVersion = 2;

#define SLUICE_EMU_TLS __attribute__((tls_model("initial-exec"), visibility("default")))

extern "C" {
extern SLUICE_EMU_TLS thread_local SluiceEmuThread *sluiceEmuThread;

// Memory. Every access that the header cannot prove harmless.
void sluiceEmuLoadGlobal(void *result, const void *address, unsigned bytes, sluice::device::Site site);
void sluiceEmuStoreGlobal(void *address, const void *value, unsigned bytes, sluice::device::Site site);
void sluiceEmuLoadShared(void *result, unsigned address, unsigned bytes, sluice::device::Site site);
void sluiceEmuStoreShared(unsigned address, const void *value, unsigned bytes, sluice::device::Site site);
/// An access that the lane's predicate keeps from happening. `space` is a SluiceEmuSpace.
void sluiceEmuSkip(int space, unsigned bytes, sluice::device::Site site);
void sluiceEmuPrefetch(const void *address, sluice::device::Site site);

// Counters and atomics. `operation` is a SluiceEmuAtomic, `order` a
// sluice::device::Order, `primitive` the name of what the kernel called.
unsigned sluiceEmuLoadCounter(const void *address, int order, sluice::device::Site site);
void sluiceEmuStoreCounter(void *address, unsigned value, int order, sluice::device::Site site);
void sluiceEmuWaitCounter(const void *address, unsigned atLeast, sluice::device::Site site);
sluice::device::u64 sluiceEmuAtomicGlobal(int operation, void *address, sluice::device::u64 value,
                                          sluice::device::u64 expected, unsigned bytes, int order,
                                          const char *primitive, sluice::device::Site site);
sluice::device::u64 sluiceEmuAtomicShared(int operation, unsigned address, sluice::device::u64 value,
                                          unsigned bytes, sluice::device::Site site);
void sluiceEmuFence(int device, sluice::device::Site site);

// Warps.
void sluiceEmuShuffle(unsigned *value, unsigned lane, const char *primitive, sluice::device::Site site);
unsigned sluiceEmuBallot(int predicate, const char *primitive, sluice::device::Site site);
int sluiceEmuElect(sluice::device::Site site);
void sluiceEmuSyncWarp(sluice::device::Site site);

// Barriers. `how` is a SluiceEmuBarrier.
void sluiceEmuBarrier(unsigned id, unsigned threads, int how, sluice::device::Site site);
void sluiceEmuClusterArrive(int relaxed, sluice::device::Site site);
void sluiceEmuClusterWait(sluice::device::Site site);
}

enum SluiceEmuSpace { sluiceEmuGlobalRead, sluiceEmuGlobalWrite, sluiceEmuGlobalUpdate, sluiceEmuShared };
enum SluiceEmuAtomic { // What is done with the old value and the operand.
  sluiceEmuAdd,
  sluiceEmuMin,
  sluiceEmuMax,
  sluiceEmuAnd,
  sluiceEmuOr,
  sluiceEmuXor,
  sluiceEmuExchange,
  sluiceEmuCompareExchange
};
enum SluiceEmuBarrier { sluiceEmuSyncThreads, sluiceEmuBarrierSync, sluiceEmuBarrierArrive };
