// One launch: workspaces, tensor maps, parameters, and the call.
#include "runtime/cuda/Kernel.h"
#include "runtime/cuda/LaunchConfig.h"

#include <deque>
#include <utility>

namespace sluice::cuda {

namespace {

using Kind = ParameterRecord::Kind;

api::MapType mapTypeOf(DType dtype) {
  switch (dtype) {
  case DType::f32:
    return api::mapF32;
  case DType::f16:
    return api::mapF16;
  case DType::bf16:
    return api::mapBf16;
  case DType::i64:
    return api::mapI64;
  case DType::f64:
    return api::mapF64;
  case DType::i32:
    return api::mapI32;
  case DType::u32:
    return api::mapU32;
  }
  __builtin_unreachable();
}

/// Memory that exists from one point of a stream to another.
class Workspace {
public:
  Workspace(Stream &stream, const BoundParameter &parameter) : stream(stream) {
    const Driver &driver = stream.device().driver();
    if (parameter.workspaceBytes == 0)
      return;
    driver.cuMemAllocFromPoolAsync(&address, parameter.workspaceBytes, stream.device().pool(),
                                   stream.handle());
    if (!parameter.initial)
      return;
    if (api::Result answer = driver.cuMemsetD32Async.result(
            address, *parameter.initial, parameter.workspaceBytes / 4, stream.handle());
        answer != api::success) {
      driver.cuMemFreeAsync.quietly(address, stream.handle());
      driver.cuMemsetD32Async.fail(answer);
    }
  }
  /// Only on the way out of an error.
  ~Workspace() {
    if (address)
      stream.device().driver().cuMemFreeAsync.quietly(address, stream.handle());
  }
  Workspace(const Workspace &) = delete;

  void release() {
    if (address)
      stream.device().driver().cuMemFreeAsync(std::exchange(address, 0), stream.handle());
  }

  api::Address address = 0;

private:
  Stream &stream;
};

/// The kernel's parameters, in memory that stays where it is.
class Parameters {
public:
  Parameters(const BoundLaunch &launch, Stream &stream) {
    for (const BoundParameter &parameter : launch.parameters) {
      if (parameter.kind == Kind::workspace)
        pointers.push_back(&workspaces.emplace_back(stream, parameter).address);
      else if (parameter.kind == Kind::tensorMap)
        pointers.push_back(&maps.emplace_back(encodeTensorMap(stream.device().driver(), parameter.map)));
      else
        pointers.push_back(const_cast<uint8_t *>(parameter.bytes.data()));
    }
  }

  void **get() { return pointers.data(); }

  void release() {
    for (Workspace &workspace : workspaces)
      workspace.release();
  }

private:
  std::deque<Workspace> workspaces;
  std::deque<api::EncodedMap> maps;
  std::vector<void *> pointers;
};

LaunchNote noteOf(const BoundLaunch &launch) {
  LaunchNote note{launch.kernel, {}};
  for (const BoundParameter &parameter : launch.parameters)
    if (parameter.kind == Kind::tensor || parameter.kind == Kind::tensorMap)
      note.shapes.emplace_back(parameter.name, parameter.shape);
  return note;
}

} // namespace

api::EncodedMap encodeTensorMap(const Driver &driver, const TensorMapSpec &spec) {
  api::EncodedMap map;
  constexpr int noInterleave = 0;
  // A map of one dimension has no strides, but the driver wants a list.
  std::vector<uint64_t> strides = spec.strides;
  strides.resize(spec.dims.size());
  std::vector<uint32_t> elementStrides = spec.elementStrides;
  elementStrides.resize(spec.dims.size(), 1);
  api::Result answer = driver.cuTensorMapEncodeTiled.result(
      &map, mapTypeOf(spec.dtype), static_cast<unsigned>(spec.dims.size()), spec.base, spec.dims.data(),
      strides.data(), spec.box.data(), elementStrides.data(), noInterleave,
      static_cast<int>(spec.swizzle), api::mapPromoteLevel2To128, spec.fillNan ? 1 : 0);
  if (answer == api::success)
    return map;
  try {
    driver.cuTensorMapEncodeTiled.fail(answer);
  } catch (const DriverError &error) {
    throw DriverError("tensor map of '" + spec.argument + "': " + error.what(), answer);
  }
}

void launch(const Kernel &kernel, const BoundLaunch &launch, Stream &stream) {
  if (launch.grid[0] == 0 || launch.grid[1] == 0 || launch.grid[2] == 0)
    return;
  kernel.prepare(launch);
  stream.device().call([&] {
    Parameters parameters(launch, stream);
    LaunchConfig config(launch, stream.handle());
    stream.device().driver().cuLaunchKernelEx(config.get(), kernel.handle(), parameters.get(), nullptr);
    // Before anything that may already answer the kernel's fault.
    stream.started(noteOf(launch));
    parameters.release();
  });
  stream.finishIfAsked();
}

} // namespace sluice::cuda
