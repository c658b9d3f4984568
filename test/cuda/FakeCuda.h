// How tests steer and read the recording stand-in for libcuda: C functions that it exports besides the
// driver's.
#pragma once

#include <cstdint>

extern "C" {

/// Forgets calls, failures and settings. What is allocated stays.
void fakeCudaReset();
/// The call of this name answers `result` from its `from`-th execution on (0: the first) until the reset.
void fakeCudaFail(const char *call, int result, int from);
/// Overrides a setting: "devices", "major", "minor", "multiprocessors", "sharedOptIn", "memoryPools",
/// "cooperative", "clusters", "staticShared", "maxThreads", "registers", "blocksPerMultiprocessor",
/// "activeClusters", "version"; what launches keep of their parameters: "parameters" (how many), "wide" (a
/// mask of those of 8 bytes, the others have 4), "map" (the index of a tensor map: 128 bytes, kept only if it
/// lies at a multiple of 128).
void fakeCudaSet(const char *setting, int64_t value);
/// Calls since the reset, one per line: the name and its arguments. Valid until the next call.
const char *fakeCudaLog();
/// Everything created and not destroyed: contexts, modules, streams, events, graphs, memory, pools; and
/// contexts pushed.
int64_t fakeCudaLive();
/// Parameter `index` of the last launch; null if it has not so many bytes.
const void *fakeCudaParameter(int index, int bytes);

} // extern "C"
