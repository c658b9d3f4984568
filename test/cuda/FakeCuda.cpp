// A recording stand-in for libcuda: answers like a GPU that runs no kernel, or like one that fails on
// request. With SLUICE_FAKE_HIDDEN it exports only what cannot be looked up by cuGetProcAddress.
#include "test/cuda/FakeCuda.h"

#include "runtime/cuda/Api.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace api = sluice::cuda::api;

namespace {

struct State {
  std::mutex mutex;
  std::map<std::string, std::pair<int, int>> failures;
  std::map<std::string, int> executions;
  std::map<std::string, int64_t> settings;
  std::string log, copy;
  int64_t live = 0;
  std::vector<std::vector<char>> parameters;
  bool capturing = false;
};

State &state() {
  static State &instance = *new State;
  return instance;
}

int64_t setting(const char *name, int64_t otherwise) {
  auto found = state().settings.find(name);
  return found == state().settings.end() ? otherwise : found->second;
}

std::string text(uint64_t value) { return std::to_string(value); }
std::string text(int value) { return std::to_string(value); }
std::string text(unsigned value) { return std::to_string(value); }
std::string text(const char *value) { return value; }

/// One call: recorded with its arguments, and failing if told to.
class Call {
public:
  template <typename... Arguments> Call(const char *name, Arguments... arguments) : lock(state().mutex) {
    state().log += name;
    ((state().log += " " + text(arguments)), ...);
    state().log += "\n";
    int execution = state().executions[name]++;
    auto failure = state().failures.find(name);
    if (failure != state().failures.end() && execution >= failure->second.second)
      result = failure->second.first;
  }

  int result = api::success;

private:
  std::lock_guard<std::mutex> lock;
};

/// A handle is memory of its own, so that what is used after its end is found by the sanitizers.
template <typename Handle> int create(const Call &call, Handle *handle) {
  if (call.result != api::success)
    return call.result;
  *handle = reinterpret_cast<Handle>(std::malloc(8));
  ++state().live;
  return api::success;
}

/// What cannot be destroyed is gone all the same: the caller can do no more.
template <typename Handle> int destroy(const Call &call, Handle handle) {
  std::free(reinterpret_cast<void *>(handle));
  --state().live;
  return call.result;
}

int allocate(const Call &call, api::Address *address, size_t bytes) {
  if (call.result != api::success)
    return call.result;
  void *memory = nullptr;
  if (posix_memalign(&memory, 256, bytes) != 0)
    return 2;
  std::memset(memory, 0xcd, bytes);
  *address = reinterpret_cast<api::Address>(memory);
  ++state().live;
  return api::success;
}

int attributeOf(int attribute) {
  switch (attribute) {
  case api::capabilityMajor:
    return static_cast<int>(setting("major", 9));
  case api::capabilityMinor:
    return static_cast<int>(setting("minor", 0));
  case api::multiprocessorCount:
    return static_cast<int>(setting("multiprocessors", 132));
  case api::maxThreadsPerMultiprocessor:
    return 2048;
  case api::maxRegistersPerMultiprocessor:
    return 65536;
  case api::maxSharedPerBlockOptIn:
    return static_cast<int>(setting("sharedOptIn", 232448));
  case api::maxSharedPerMultiprocessor:
    return 233472;
  case api::level2Bytes:
    return 50 << 20;
  case api::memoryPoolsSupported:
    return static_cast<int>(setting("memoryPools", 1));
  case api::cooperativeLaunch:
    return static_cast<int>(setting("cooperative", 1));
  case api::clusterLaunch:
    return static_cast<int>(setting("clusters", 1));
  }
  return -1;
}

} // namespace

#ifdef SLUICE_FAKE_HIDDEN
#define FAKE __attribute__((visibility("hidden"))) int
#else
#define FAKE __attribute__((visibility("default"))) int
#endif
#define FAKE_VISIBLE __attribute__((visibility("default")))

extern "C" {

FAKE_VISIBLE int cuInit(unsigned flags) { return Call("cuInit", flags).result; }

FAKE_VISIBLE int cuDriverGetVersion(int *version) {
  *version = static_cast<int>(setting("version", 12080));
  return Call("cuDriverGetVersion").result;
}

FAKE cuGetErrorName(int result, const char **name) {
  Call call("cuGetErrorName", result);
  *name = result == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS"
          : result == 2 ? "CUDA_ERROR_OUT_OF_MEMORY"
                        : "CUDA_ERROR_OTHER";
  return call.result;
}

FAKE cuGetErrorString(int result, const char **text) {
  Call call("cuGetErrorString", result);
  *text = result == 700 ? "an illegal memory access was encountered" : "some error";
  return call.result;
}

FAKE cuDeviceGetCount(int *count) {
  Call call("cuDeviceGetCount");
  *count = static_cast<int>(setting("devices", 1));
  return call.result;
}

FAKE cuDeviceGet(int *device, int ordinal) {
  *device = ordinal;
  return Call("cuDeviceGet", ordinal).result;
}

FAKE cuDeviceGetName(char *name, int length, int device) {
  std::strncpy(name, "Fake GPU", length);
  return Call("cuDeviceGetName", device).result;
}

FAKE cuDeviceGetAttribute(int *value, int attribute, int device) {
  Call call("cuDeviceGetAttribute", attribute, device);
  *value = attributeOf(attribute);
  return call.result;
}

FAKE cuDevicePrimaryCtxRetain(api::Context *context, int device) {
  return create(Call("cuDevicePrimaryCtxRetain", device), context);
}

FAKE cuDevicePrimaryCtxRelease_v2(int device) {
  Call call("cuDevicePrimaryCtxRelease", device);
  --state().live;
  return call.result;
}

FAKE cuCtxPushCurrent_v2(api::Context) {
  Call call("cuCtxPushCurrent");
  if (call.result == api::success)
    ++state().live;
  return call.result;
}

FAKE cuCtxPopCurrent_v2(api::Context *) {
  Call call("cuCtxPopCurrent");
  --state().live;
  return call.result;
}

FAKE cuModuleLoadData(api::Module *module, const void *image) {
  return create(Call("cuModuleLoadData", static_cast<const char *>(image)), module);
}

FAKE cuModuleUnload(api::Module module) { return destroy(Call("cuModuleUnload"), module); }

FAKE cuModuleGetFunction(api::Function *function, api::Module module, const char *name) {
  *function = reinterpret_cast<api::Function>(module);
  return Call("cuModuleGetFunction", name).result;
}

FAKE cuFuncGetAttribute(int *value, int attribute, api::Function) {
  Call call("cuFuncGetAttribute", attribute);
  *value = attribute == api::staticSharedBytes    ? static_cast<int>(setting("staticShared", 0))
           : attribute == api::maxThreadsPerBlock ? static_cast<int>(setting("maxThreads", 1024))
                                                  : static_cast<int>(setting("registers", 64));
  return call.result;
}

FAKE cuFuncSetAttribute(api::Function, int attribute, int value) {
  return Call("cuFuncSetAttribute", attribute, value).result;
}

FAKE cuOccupancyMaxActiveBlocksPerMultiprocessor(int *count, api::Function, int threads, size_t shared) {
  Call call("cuOccupancyMaxActiveBlocksPerMultiprocessor", threads, shared);
  *count = static_cast<int>(setting("blocksPerMultiprocessor", 1));
  return call.result;
}

FAKE cuOccupancyMaxActiveClusters(int *count, api::Function, const api::LaunchConfig *config) {
  Call call("cuOccupancyMaxActiveClusters", config->attributeCount);
  *count = static_cast<int>(setting("activeClusters", 66));
  return call.result;
}

FAKE cuLaunchKernelEx(const api::LaunchConfig *config, api::Function, void **parameters, void **) {
  std::string attributes;
  for (unsigned i = 0; i < config->attributeCount; ++i) {
    const api::LaunchAttribute &attribute = config->attributes[i];
    attributes += attribute.id == api::cooperativeAttribute
                      ? " cooperative " + text(attribute.value.cooperative)
                      : " cluster " + text(attribute.value.cluster.x) + " " +
                            text(attribute.value.cluster.y) + " " + text(attribute.value.cluster.z);
  }
  Call call("cuLaunchKernelEx", config->gridX, config->gridY, config->gridZ, config->blockX, config->blockY,
            config->blockZ, config->sharedBytes, attributes.c_str());
  state().parameters.clear();
  for (int64_t i = 0, count = setting("parameters", 0); i < count; ++i) {
    // The alignment that the hardware wants of tensor maps is checked with the bytes.
    size_t bytes = reinterpret_cast<uintptr_t>(parameters[i]) % 128 == 0 && setting("map", -1) == i ? 128 : 4;
    if (setting("wide", 0) & (int64_t(1) << i))
      bytes = 8;
    const char *from = static_cast<const char *>(parameters[i]);
    state().parameters.emplace_back(from, from + bytes);
  }
  return call.result;
}

FAKE cuStreamCreate(api::Stream *stream, unsigned flags) {
  return create(Call("cuStreamCreate", flags), stream);
}
FAKE cuStreamDestroy_v2(api::Stream stream) { return destroy(Call("cuStreamDestroy"), stream); }
FAKE cuStreamSynchronize(api::Stream) { return Call("cuStreamSynchronize").result; }
FAKE cuStreamQuery(api::Stream) { return Call("cuStreamQuery").result; }

FAKE cuStreamBeginCapture_v2(api::Stream, int mode) {
  Call call("cuStreamBeginCapture", mode);
  state().capturing |= call.result == api::success;
  return call.result;
}

FAKE cuStreamEndCapture(api::Stream, api::Graph *graph) {
  Call call("cuStreamEndCapture");
  bool wasCapturing = state().capturing;
  state().capturing = false;
  if (!wasCapturing)
    return 903;
  return create(call, graph);
}

FAKE cuGraphInstantiateWithFlags(api::GraphExec *executable, api::Graph, unsigned long long flags) {
  return create(Call("cuGraphInstantiateWithFlags", uint64_t(flags)), executable);
}

FAKE cuGraphLaunch(api::GraphExec, api::Stream) { return Call("cuGraphLaunch").result; }
FAKE cuGraphDestroy(api::Graph graph) { return destroy(Call("cuGraphDestroy"), graph); }
FAKE cuGraphExecDestroy(api::GraphExec executable) { return destroy(Call("cuGraphExecDestroy"), executable); }
FAKE cuEventCreate(api::Event *event, unsigned flags) { return create(Call("cuEventCreate", flags), event); }
FAKE cuEventDestroy_v2(api::Event event) { return destroy(Call("cuEventDestroy"), event); }
FAKE cuEventRecord(api::Event, api::Stream) { return Call("cuEventRecord").result; }
FAKE cuEventSynchronize(api::Event) { return Call("cuEventSynchronize").result; }

FAKE cuEventElapsedTime(float *milliseconds, api::Event, api::Event) {
  *milliseconds = 1.5f;
  return Call("cuEventElapsedTime").result;
}

FAKE cuMemAlloc_v2(api::Address *address, size_t bytes) {
  return allocate(Call("cuMemAlloc", bytes), address, bytes);
}
FAKE cuMemFree_v2(api::Address address) { return destroy(Call("cuMemFree"), address); }

FAKE cuMemPoolCreate(api::Pool *pool, const api::PoolProperties *properties) {
  return create(
      Call("cuMemPoolCreate", properties->allocation, properties->locationType, properties->locationId),
      pool);
}

FAKE cuMemPoolDestroy(api::Pool pool) { return destroy(Call("cuMemPoolDestroy"), pool); }

FAKE cuMemPoolSetAttribute(api::Pool, int attribute, void *value) {
  return Call("cuMemPoolSetAttribute", attribute, *static_cast<uint64_t *>(value)).result;
}

FAKE cuMemAllocFromPoolAsync(api::Address *address, size_t bytes, api::Pool, api::Stream) {
  return allocate(Call("cuMemAllocFromPoolAsync", bytes), address, bytes);
}

FAKE cuMemFreeAsync(api::Address address, api::Stream) { return destroy(Call("cuMemFreeAsync"), address); }

FAKE cuMemsetD32Async(api::Address address, unsigned word, size_t count, api::Stream) {
  Call call("cuMemsetD32Async", word, count);
  for (size_t i = 0; i < count && call.result == api::success; ++i)
    reinterpret_cast<unsigned *>(address)[i] = word;
  return call.result;
}

FAKE cuMemcpyHtoDAsync_v2(api::Address to, const void *from, size_t bytes, api::Stream) {
  Call call("cuMemcpyHtoDAsync", bytes);
  if (call.result == api::success)
    std::memcpy(reinterpret_cast<void *>(to), from, bytes);
  return call.result;
}

FAKE cuMemcpyDtoHAsync_v2(void *to, api::Address from, size_t bytes, api::Stream) {
  Call call("cuMemcpyDtoHAsync", bytes);
  if (call.result == api::success)
    std::memcpy(to, reinterpret_cast<const void *>(from), bytes);
  return call.result;
}

FAKE cuTensorMapEncodeTiled(api::EncodedMap *map, int type, unsigned rank, void *, const uint64_t *dims,
                            const uint64_t *strides, const uint32_t *box, const uint32_t *elementStrides,
                            int interleave, int swizzle, int promotion, int fill) {
  std::string lists;
  for (unsigned i = 0; i < rank; ++i)
    lists += " " + text(dims[i]) + "/" + (i ? text(strides[i - 1]) : "") + "/" + text(box[i]) + "/" +
             text(elementStrides[i]);
  Call call("cuTensorMapEncodeTiled", type, rank, lists.c_str() + 1, interleave, swizzle, promotion, fill);
  std::memset(map, 0x5a, sizeof *map);
  return call.result;
}

FAKE_VISIBLE int cuGetProcAddress_v2(const char *name, void **address, int version, uint64_t, int *) {
  Call call("cuGetProcAddress", name, version);
  *address = nullptr;
  static const std::map<std::string, void *> functions = {
      {"cuStreamCreate", reinterpret_cast<void *>(cuStreamCreate)},
      {"cuStreamDestroy", reinterpret_cast<void *>(cuStreamDestroy_v2)},
      {"cuStreamSynchronize", reinterpret_cast<void *>(cuStreamSynchronize)},
      {"cuDeviceGetCount", reinterpret_cast<void *>(cuDeviceGetCount)},
      {"cuDeviceGet", reinterpret_cast<void *>(cuDeviceGet)},
      {"cuDeviceGetName", reinterpret_cast<void *>(cuDeviceGetName)},
      {"cuDeviceGetAttribute", reinterpret_cast<void *>(cuDeviceGetAttribute)},
      {"cuDevicePrimaryCtxRetain", reinterpret_cast<void *>(cuDevicePrimaryCtxRetain)},
      {"cuDevicePrimaryCtxRelease", reinterpret_cast<void *>(cuDevicePrimaryCtxRelease_v2)},
      {"cuCtxPushCurrent", reinterpret_cast<void *>(cuCtxPushCurrent_v2)},
      {"cuCtxPopCurrent", reinterpret_cast<void *>(cuCtxPopCurrent_v2)}};
  auto found = functions.find(name);
  if (found == functions.end())
    return 500;
  *address = found->second;
  return call.result;
}

FAKE_VISIBLE void fakeCudaReset() {
  std::lock_guard lock(state().mutex);
  state().failures.clear();
  state().executions.clear();
  state().settings.clear();
  state().log.clear();
  state().capturing = false;
}

FAKE_VISIBLE void fakeCudaFail(const char *call, int result, int from) {
  std::lock_guard lock(state().mutex);
  state().failures[call] = {result, from};
}

FAKE_VISIBLE void fakeCudaSet(const char *name, int64_t value) {
  std::lock_guard lock(state().mutex);
  state().settings[name] = value;
}

FAKE_VISIBLE const char *fakeCudaLog() {
  std::lock_guard lock(state().mutex);
  state().copy = state().log;
  return state().copy.c_str();
}

FAKE_VISIBLE int64_t fakeCudaLive() {
  std::lock_guard lock(state().mutex);
  return state().live;
}

FAKE_VISIBLE const void *fakeCudaParameter(int index, int bytes) {
  std::lock_guard lock(state().mutex);
  const std::vector<char> &parameter = state().parameters.at(index);
  return static_cast<int>(parameter.size()) == bytes ? parameter.data() : nullptr;
}

} // extern "C"
