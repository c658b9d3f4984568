// The part of the CUDA driver's interface that sluice calls. Declared here because neither headers nor
// libraries of CUDA are there when sluice is built; a test compares it with cuda.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::cuda::api {

using Result = int;
using DeviceId = int;
using Address = unsigned long long;
using Context = struct ContextHandle *;
using Module = struct ModuleHandle *;
using Function = struct FunctionHandle *;
using Stream = struct StreamHandle *;
using Event = struct EventHandle *;
using Graph = struct GraphHandle *;
using GraphExec = struct GraphExecHandle *;
using Pool = struct PoolHandle *;

constexpr Result success = 0, notReady = 600;

/// Of the errors, those after which the context is lost because of what ran on the device.
constexpr bool isFault(Result result) {
  switch (result) {
  case 214: // uncorrectable memory error
  case 226: // contained error
  case 700: // illegal address
  case 702: // timeout
  case 710: // assertion
  case 714: // hardware stack error
  case 715: // illegal instruction
  case 716: // misaligned address
  case 717: // invalid address space
  case 718: // invalid program counter
  case 719: // launch failed
  case 999: // unknown
    return true;
  default:
    return false;
  }
}

enum DeviceAttribute : int {
  multiprocessorCount = 16,
  level2Bytes = 38,
  maxThreadsPerMultiprocessor = 39,
  capabilityMajor = 75,
  capabilityMinor = 76,
  maxSharedPerMultiprocessor = 81,
  maxRegistersPerMultiprocessor = 82,
  cooperativeLaunch = 95,
  maxSharedPerBlockOptIn = 97,
  memoryPoolsSupported = 115,
  clusterLaunch = 120
};

enum FunctionAttribute : int {
  maxThreadsPerBlock = 0,
  staticSharedBytes = 1,
  localBytes = 3,
  registersPerThread = 4,
  maxDynamicSharedBytes = 8
};

constexpr int streamNonBlocking = 1, captureThreadLocal = 1, poolReleaseThreshold = 4;
constexpr int cooperativeAttribute = 2, clusterAttribute = 4;

struct LaunchAttribute {
  int id;
  char pad[4];
  union {
    char bytes[64];
    int cooperative;
    struct {
      unsigned x, y, z;
    } cluster;
  } value;
};

struct LaunchConfig {
  unsigned gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes;
  Stream stream;
  LaunchAttribute *attributes;
  unsigned attributeCount;
};

constexpr int pinnedAllocation = 1, deviceLocation = 1;

struct PoolProperties {
  int allocation, handleTypes, locationType, locationId;
  void *security;
  size_t maxBytes;
  unsigned short usage;
  unsigned char reserved[54];
};

/// Element types of tensor maps, numbered as the driver does.
enum MapType : int { mapU32 = 2, mapI32 = 3, mapI64 = 5, mapF16 = 6, mapF32 = 7, mapF64 = 8, mapBf16 = 9 };
constexpr int mapPromoteLevel2To128 = 2;

struct alignas(128) EncodedMap {
  uint64_t words[16];
};

} // namespace sluice::cuda::api

/// X(name, exported symbol, parameters)
#define SLUICE_CUDA_FUNCTIONS(X)                                                                             \
  X(cuInit, "cuInit", (unsigned))                                                                            \
  X(cuDriverGetVersion, "cuDriverGetVersion", (int *))                                                       \
  X(cuGetErrorName, "cuGetErrorName", (api::Result, const char **))                                          \
  X(cuGetErrorString, "cuGetErrorString", (api::Result, const char **))                                      \
  X(cuDeviceGetCount, "cuDeviceGetCount", (int *))                                                           \
  X(cuDeviceGet, "cuDeviceGet", (api::DeviceId *, int))                                                      \
  X(cuDeviceGetName, "cuDeviceGetName", (char *, int, api::DeviceId))                                        \
  X(cuDeviceGetAttribute, "cuDeviceGetAttribute", (int *, int, api::DeviceId))                               \
  X(cuDevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain", (api::Context *, api::DeviceId))                   \
  X(cuDevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2", (api::DeviceId))                              \
  X(cuCtxPushCurrent, "cuCtxPushCurrent_v2", (api::Context))                                                 \
  X(cuCtxPopCurrent, "cuCtxPopCurrent_v2", (api::Context *))                                                 \
  X(cuModuleLoadData, "cuModuleLoadData", (api::Module *, const void *))                                     \
  X(cuModuleUnload, "cuModuleUnload", (api::Module))                                                         \
  X(cuModuleGetFunction, "cuModuleGetFunction", (api::Function *, api::Module, const char *))                \
  X(cuFuncGetAttribute, "cuFuncGetAttribute", (int *, int, api::Function))                                   \
  X(cuFuncSetAttribute, "cuFuncSetAttribute", (api::Function, int, int))                                     \
  X(cuOccupancyMaxActiveBlocksPerMultiprocessor, "cuOccupancyMaxActiveBlocksPerMultiprocessor",              \
    (int *, api::Function, int, size_t))                                                                     \
  X(cuOccupancyMaxActiveClusters, "cuOccupancyMaxActiveClusters",                                            \
    (int *, api::Function, const api::LaunchConfig *))                                                       \
  X(cuLaunchKernelEx, "cuLaunchKernelEx", (const api::LaunchConfig *, api::Function, void **, void **))      \
  X(cuStreamCreate, "cuStreamCreate", (api::Stream *, unsigned))                                             \
  X(cuStreamDestroy, "cuStreamDestroy_v2", (api::Stream))                                                    \
  X(cuStreamSynchronize, "cuStreamSynchronize", (api::Stream))                                               \
  X(cuStreamQuery, "cuStreamQuery", (api::Stream))                                                           \
  X(cuStreamBeginCapture, "cuStreamBeginCapture_v2", (api::Stream, int))                                     \
  X(cuStreamEndCapture, "cuStreamEndCapture", (api::Stream, api::Graph *))                                   \
  X(cuGraphInstantiateWithFlags, "cuGraphInstantiateWithFlags",                                              \
    (api::GraphExec *, api::Graph, unsigned long long))                                                      \
  X(cuGraphLaunch, "cuGraphLaunch", (api::GraphExec, api::Stream))                                           \
  X(cuGraphDestroy, "cuGraphDestroy", (api::Graph))                                                          \
  X(cuGraphExecDestroy, "cuGraphExecDestroy", (api::GraphExec))                                              \
  X(cuEventCreate, "cuEventCreate", (api::Event *, unsigned))                                                \
  X(cuEventDestroy, "cuEventDestroy_v2", (api::Event))                                                       \
  X(cuEventRecord, "cuEventRecord", (api::Event, api::Stream))                                               \
  X(cuEventSynchronize, "cuEventSynchronize", (api::Event))                                                  \
  X(cuEventElapsedTime, "cuEventElapsedTime", (float *, api::Event, api::Event))                             \
  X(cuMemAlloc, "cuMemAlloc_v2", (api::Address *, size_t))                                                   \
  X(cuMemFree, "cuMemFree_v2", (api::Address))                                                               \
  X(cuMemPoolCreate, "cuMemPoolCreate", (api::Pool *, const api::PoolProperties *))                          \
  X(cuMemPoolDestroy, "cuMemPoolDestroy", (api::Pool))                                                       \
  X(cuMemPoolSetAttribute, "cuMemPoolSetAttribute", (api::Pool, int, void *))                                \
  X(cuMemAllocFromPoolAsync, "cuMemAllocFromPoolAsync", (api::Address *, size_t, api::Pool, api::Stream))    \
  X(cuMemFreeAsync, "cuMemFreeAsync", (api::Address, api::Stream))                                           \
  X(cuMemsetD32Async, "cuMemsetD32Async", (api::Address, unsigned, size_t, api::Stream))                     \
  X(cuMemcpyHtoDAsync, "cuMemcpyHtoDAsync_v2", (api::Address, const void *, size_t, api::Stream))            \
  X(cuMemcpyDtoHAsync, "cuMemcpyDtoHAsync_v2", (void *, api::Address, size_t, api::Stream))                  \
  X(cuTensorMapEncodeTiled, "cuTensorMapEncodeTiled",                                                        \
    (api::EncodedMap *, int, unsigned, void *, const uint64_t *, const uint64_t *, const uint32_t *,         \
     const uint32_t *, int, int, int, int))
