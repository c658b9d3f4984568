// A GPU: its limits, its primary context, the pool of its workspaces, and the kernels that may have faulted.
#pragma once

#include "runtime/cuda/Driver.h"

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sluice::cuda {

struct DeviceProperties {
  std::string name;
  int major = 0, minor = 0; ///< Compute capability.
  int multiprocessors = 0;
  int threadsPerMultiprocessor = 0;
  int registersPerMultiprocessor = 0;
  int sharedPerBlock = 0; ///< The most that a kernel can opt in to, static and dynamic together.
  int sharedPerMultiprocessor = 0;
  int level2Bytes = 0;
  bool cooperative = false, clusters = false, memoryPools = false;

  /// "sm_90".
  std::string architecture() const;
};

/// What code for a kernel of class `target` ("sm_80", "sm_90", "sm_90a") is compiled for on the device: its
/// own architecture; that of the target if it is one chip's alone. Throws UserError if the device cannot run
/// it.
std::string architectureFor(const std::string &target, const DeviceProperties &device);

/// A launch, as messages name it: the kernel with its arguments' shapes.
struct LaunchNote {
  std::string kernel;
  std::vector<std::pair<std::string, std::vector<int64_t>>> shapes;
  std::string text() const;
};

/// May be used by several threads at once.
class Device : public std::enable_shared_from_this<Device> {
public:
  /// Throws UserError if there is no such device.
  static std::shared_ptr<Device> open(int ordinal = 0);
  static std::shared_ptr<Device> open(std::shared_ptr<const Driver> driver, int ordinal);
  /// 0 where the driver finds none.
  static int count(const Driver &driver);
  ~Device();
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  const DeviceProperties &properties() const { return limits; }
  const Driver &driver() const { return *library; }
  /// Of stream-ordered memory. Throws UserError on a device without such.
  api::Pool pool();

  /// Runs the action with the device's context current on this thread. A fault of a kernel surfaces in any
  /// later call: its error then names the launches that had not been waited for.
  void call(const std::function<void()> &action);
  /// For destructors.
  void callQuietly(const std::function<void()> &action) noexcept;

  /// The launch was handed to the stream, and may fault until the stream was waited for.
  void started(api::Stream stream, const LaunchNote &note);
  void finished(api::Stream stream);

private:
  struct Pending {
    api::Stream stream;
    LaunchNote note;
  };
  explicit Device(std::shared_ptr<const Driver> driver) : library(std::move(driver)) {}
  void readProperties();
  int attribute(api::DeviceAttribute attribute) const;
  std::string suspects();

  std::shared_ptr<const Driver> library;
  api::DeviceId id = 0;
  api::Context context = nullptr;
  api::Pool workspaces = nullptr;
  DeviceProperties limits;
  std::mutex mutex;
  std::list<Pending> pending;
};

} // namespace sluice::cuda
