// Kernels in machine code on a device, and their launches.
#pragma once

#include "runtime/KernelPackage.h"
#include "runtime/LaunchRecord.h"
#include "runtime/cuda/Device.h"
#include "runtime/cuda/Stream.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

namespace sluice::cuda {

/// Compiles a kernel's source for an architecture: codegen's compileBinary, where the compiler is part of the
/// program.
using CompileKernel = std::function<DeviceBinary(const DeviceKernel &, const std::string &architecture)>;

/// A kernel that is loaded. May be launched from several threads at once.
class Kernel {
public:
  /// From machine code. `entry` is the symbol of the entry point. Throws UserError.
  static std::shared_ptr<const Kernel> load(std::shared_ptr<Device> device, const std::string &cubin,
                                            const std::string &entry);
  /// From a package: the binary for the device's own architecture; without one, the source is compiled if
  /// there is a compiler; else a binary for an older chip of the same generation. Throws UserError if there
  /// is none of these.
  static std::shared_ptr<const Kernel> load(std::shared_ptr<Device> device, const DeviceKernel &kernel,
                                            const CompileKernel &compile = {});
  ~Kernel();
  Kernel(const Kernel &) = delete;
  Kernel &operator=(const Kernel &) = delete;

  const std::string &name() const { return entry; }
  /// Per thread, and static shared bytes, as the driver states them.
  int registers() const { return registerCount; }
  int staticSharedBytes() const { return staticShared; }

  /// Throws UserError in one line if the device cannot run the launch: shared memory, threads, clusters, and
  /// for a cooperative launch that all its blocks are resident at once. Grants the kernel its shared memory.
  void prepare(const BoundLaunch &launch) const;
  /// How many blocks of such a launch the device holds at once. Grants the kernel its shared memory. Throws
  /// DriverError for more than a block can have.
  int64_t residentBlocks(const BoundLaunch &launch) const;

  Device &device() const { return *owner; }
  api::Function handle() const { return function; }

private:
  explicit Kernel(std::shared_ptr<Device> device) : owner(std::move(device)) {}
  [[noreturn]] void fail(const std::string &message) const;
  void loadFunction(const std::string &cubin);
  int attribute(api::FunctionAttribute attribute) const;
  void checkLimits(const BoundLaunch &launch) const;
  void checkResidency(const BoundLaunch &launch) const;
  void grantShared(uint64_t bytes) const;
  int64_t askResidentBlocks(const BoundLaunch &launch) const;

  std::shared_ptr<Device> owner;
  std::string entry;
  api::Module module = nullptr;
  api::Function function = nullptr;
  int registerCount = 0, staticShared = 0, mostThreads = 0;
  mutable std::mutex mutex;
  mutable uint64_t grantedShared = 0;
  /// By threads, shared bytes and cluster: asking the driver takes longer than a launch.
  mutable std::map<std::tuple<uint32_t, uint64_t, std::array<uint32_t, 3>>, int64_t> resident;
};

/// Hands the launch to the stream: allocates and fills workspaces, encodes tensor maps. A launch without
/// blocks does nothing. Throws UserError for what the device cannot run, DriverError for what the driver
/// refuses.
void launch(const Kernel &kernel, const BoundLaunch &launch, Stream &stream);

/// The 128 bytes of a tensor map. Throws UserError naming the argument if the driver refuses it.
api::EncodedMap encodeTensorMap(const Driver &driver, const TensorMapSpec &spec);

} // namespace sluice::cuda
