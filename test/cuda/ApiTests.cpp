// The declarations of the driver's interface agree with cuda.h: layouts, numbers, and every signature.
#include "runtime/cuda/Api.h"

// The list's names are macros of cuda.h: take them before.
namespace sluice {
namespace {
namespace api = cuda::api;
#define SIGNATURE(name, symbol, parameters) using Of_##name = int parameters;
SLUICE_CUDA_FUNCTIONS(SIGNATURE)
#undef SIGNATURE
} // namespace
} // namespace sluice

#include <cuda.h>
#include <gtest/gtest.h>
#include <type_traits>

namespace sluice {
namespace {

/// Enumerations are declared as integers, handles as other pointers.
template <typename Ours, typename Theirs> constexpr bool passedAlike() {
  return sizeof(Ours) == sizeof(Theirs) && std::is_pointer_v<Ours> == std::is_pointer_v<Theirs>;
}

template <typename Ours, typename Theirs> struct Same;
template <typename... Ours, typename Result, typename... Theirs>
struct Same<int(Ours...), Result(Theirs...)> {
  static constexpr bool value = [] {
    if constexpr (sizeof...(Ours) == sizeof...(Theirs))
      return sizeof(Result) == sizeof(int) && (passedAlike<Ours, Theirs>() && ...);
    return false;
  }();
};

TEST(CudaApi, Signatures) {
  // Pasted, the name on the right is the one that cuda.h maps to its current version.
#define COMPARE(name)                                                                                        \
  EXPECT_TRUE((Same<Of_##name, std::remove_pointer_t<decltype(&::name)>>::value)) << #name;
  COMPARE(cuInit)
  COMPARE(cuDriverGetVersion)
  COMPARE(cuGetErrorName)
  COMPARE(cuGetErrorString)
  COMPARE(cuDeviceGetCount)
  COMPARE(cuDeviceGet)
  COMPARE(cuDeviceGetName)
  COMPARE(cuDeviceGetAttribute)
  COMPARE(cuDevicePrimaryCtxRetain)
  COMPARE(cuDevicePrimaryCtxRelease)
  COMPARE(cuCtxPushCurrent)
  COMPARE(cuCtxPopCurrent)
  COMPARE(cuModuleLoadData)
  COMPARE(cuModuleUnload)
  COMPARE(cuModuleGetFunction)
  COMPARE(cuFuncGetAttribute)
  COMPARE(cuFuncSetAttribute)
  COMPARE(cuOccupancyMaxActiveBlocksPerMultiprocessor)
  COMPARE(cuOccupancyMaxActiveClusters)
  COMPARE(cuLaunchKernelEx)
  COMPARE(cuStreamCreate)
  COMPARE(cuStreamDestroy)
  COMPARE(cuStreamSynchronize)
  COMPARE(cuStreamQuery)
  COMPARE(cuStreamBeginCapture)
  COMPARE(cuStreamEndCapture)
  COMPARE(cuGraphInstantiateWithFlags)
  COMPARE(cuGraphLaunch)
  COMPARE(cuGraphDestroy)
  COMPARE(cuGraphExecDestroy)
  COMPARE(cuEventCreate)
  COMPARE(cuEventDestroy)
  COMPARE(cuEventRecord)
  COMPARE(cuEventSynchronize)
  COMPARE(cuEventElapsedTime)
  COMPARE(cuMemAlloc)
  COMPARE(cuMemFree)
  COMPARE(cuMemPoolCreate)
  COMPARE(cuMemPoolDestroy)
  COMPARE(cuMemPoolSetAttribute)
  COMPARE(cuMemAllocFromPoolAsync)
  COMPARE(cuMemFreeAsync)
  COMPARE(cuMemsetD32Async)
  COMPARE(cuMemcpyHtoDAsync)
  COMPARE(cuMemcpyDtoHAsync)
  COMPARE(cuTensorMapEncodeTiled)
#undef COMPARE
}

TEST(CudaApi, Layouts) {
  EXPECT_EQ(sizeof(api::LaunchConfig), sizeof(CUlaunchConfig));
  EXPECT_EQ(offsetof(api::LaunchConfig, sharedBytes), offsetof(CUlaunchConfig, sharedMemBytes));
  EXPECT_EQ(offsetof(api::LaunchConfig, stream), offsetof(CUlaunchConfig, hStream));
  EXPECT_EQ(offsetof(api::LaunchConfig, attributes), offsetof(CUlaunchConfig, attrs));
  EXPECT_EQ(offsetof(api::LaunchConfig, attributeCount), offsetof(CUlaunchConfig, numAttrs));
  EXPECT_EQ(sizeof(api::LaunchAttribute), sizeof(CUlaunchAttribute));
  EXPECT_EQ(offsetof(api::LaunchAttribute, value), offsetof(CUlaunchAttribute, value));
  EXPECT_EQ(sizeof(api::PoolProperties), sizeof(CUmemPoolProps));
  EXPECT_EQ(offsetof(api::PoolProperties, handleTypes), offsetof(CUmemPoolProps, handleTypes));
  EXPECT_EQ(offsetof(api::PoolProperties, locationType), offsetof(CUmemPoolProps, location.type));
  EXPECT_EQ(offsetof(api::PoolProperties, locationId), offsetof(CUmemPoolProps, location.id));
  EXPECT_EQ(offsetof(api::PoolProperties, maxBytes), offsetof(CUmemPoolProps, maxSize));
  EXPECT_EQ(sizeof(api::EncodedMap), sizeof(CUtensorMap));
  EXPECT_GE(alignof(api::EncodedMap), alignof(CUtensorMap));
}

TEST(CudaApi, Numbers) {
  EXPECT_EQ(int(api::success), int(CUDA_SUCCESS));
  EXPECT_EQ(int(api::notReady), int(CUDA_ERROR_NOT_READY));
  EXPECT_EQ(int(api::multiprocessorCount), int(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT));
  EXPECT_EQ(int(api::level2Bytes), int(CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE));
  EXPECT_EQ(int(api::maxThreadsPerMultiprocessor), int(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR));
  EXPECT_EQ(int(api::capabilityMajor), int(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR));
  EXPECT_EQ(int(api::capabilityMinor), int(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR));
  EXPECT_EQ(int(api::maxSharedPerMultiprocessor),
            int(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR));
  EXPECT_EQ(int(api::maxRegistersPerMultiprocessor),
            int(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR));
  EXPECT_EQ(int(api::cooperativeLaunch), int(CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH));
  EXPECT_EQ(int(api::maxSharedPerBlockOptIn), int(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN));
  EXPECT_EQ(int(api::memoryPoolsSupported), int(CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED));
  EXPECT_EQ(int(api::clusterLaunch), int(CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH));
  EXPECT_EQ(int(api::maxThreadsPerBlock), int(CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK));
  EXPECT_EQ(int(api::staticSharedBytes), int(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES));
  EXPECT_EQ(int(api::registersPerThread), int(CU_FUNC_ATTRIBUTE_NUM_REGS));
  EXPECT_EQ(int(api::maxDynamicSharedBytes), int(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES));
  EXPECT_EQ(int(api::streamNonBlocking), int(CU_STREAM_NON_BLOCKING));
  EXPECT_EQ(int(api::captureThreadLocal), int(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  EXPECT_EQ(int(api::poolReleaseThreshold), int(CU_MEMPOOL_ATTR_RELEASE_THRESHOLD));
  EXPECT_EQ(int(api::cooperativeAttribute), int(CU_LAUNCH_ATTRIBUTE_COOPERATIVE));
  EXPECT_EQ(int(api::clusterAttribute), int(CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION));
  EXPECT_EQ(int(api::pinnedAllocation), int(CU_MEM_ALLOCATION_TYPE_PINNED));
  EXPECT_EQ(int(api::deviceLocation), int(CU_MEM_LOCATION_TYPE_DEVICE));
  EXPECT_EQ(int(api::mapU32), int(CU_TENSOR_MAP_DATA_TYPE_UINT32));
  EXPECT_EQ(int(api::mapI32), int(CU_TENSOR_MAP_DATA_TYPE_INT32));
  EXPECT_EQ(int(api::mapI64), int(CU_TENSOR_MAP_DATA_TYPE_INT64));
  EXPECT_EQ(int(api::mapF16), int(CU_TENSOR_MAP_DATA_TYPE_FLOAT16));
  EXPECT_EQ(int(api::mapF32), int(CU_TENSOR_MAP_DATA_TYPE_FLOAT32));
  EXPECT_EQ(int(api::mapF64), int(CU_TENSOR_MAP_DATA_TYPE_FLOAT64));
  EXPECT_EQ(int(api::mapBf16), int(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16));
  EXPECT_EQ(int(api::mapPromoteLevel2To128), int(CU_TENSOR_MAP_L2_PROMOTION_L2_128B));
  for (int code : {CUDA_ERROR_ILLEGAL_ADDRESS, CUDA_ERROR_LAUNCH_TIMEOUT, CUDA_ERROR_ILLEGAL_INSTRUCTION,
                   CUDA_ERROR_MISALIGNED_ADDRESS, CUDA_ERROR_LAUNCH_FAILED, CUDA_ERROR_ASSERT,
                   CUDA_ERROR_HARDWARE_STACK_ERROR, CUDA_ERROR_INVALID_PC, CUDA_ERROR_INVALID_ADDRESS_SPACE})
    EXPECT_TRUE(api::isFault(code)) << code;
  for (int code : {CUDA_ERROR_OUT_OF_MEMORY, CUDA_ERROR_NOT_READY, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES,
                   CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE, CUDA_ERROR_INVALID_VALUE})
    EXPECT_FALSE(api::isFault(code)) << code;
}

} // namespace
} // namespace sluice
