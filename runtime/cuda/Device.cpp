// Opens devices, and attributes faults to kernels.
#include "runtime/cuda/Device.h"

#include "runtime/Tensor.h"

#include <charconv>
#include <limits>
#include <set>

namespace sluice::cuda {

namespace {

/// Launches kept for messages; of more, the oldest have most likely finished.
constexpr size_t mostPending = 256;
/// Launches that one message names.
constexpr size_t mostNamed = 4;

/// The context is current on this thread until the end of the scope.
class Current {
public:
  Current(const Driver &driver, api::Context context) : driver(driver) { driver.cuCtxPushCurrent(context); }
  ~Current() {
    api::Context popped;
    driver.cuCtxPopCurrent.quietly(&popped);
  }
  Current(const Current &) = delete;

private:
  const Driver &driver;
};

} // namespace

std::string DeviceProperties::architecture() const {
  return "sm_" + std::to_string(major) + std::to_string(minor);
}

std::string architectureFor(const std::string &target, const DeviceProperties &device) {
  int number = 0;
  const char *end = target.data() + target.size();
  bool named = target.starts_with("sm_");
  auto [stop, error] = std::from_chars(target.data() + (named ? 3 : 0), end, number);
  bool oneChip = stop + 1 == end && *stop == 'a';
  if (!named || error != std::errc() || (stop != end && !oneChip))
    throw UserError("expected a target such as sm_80 or sm_90a, got " + target);
  int own = device.major * 10 + device.minor;
  if (oneChip ? number != own : number > own)
    throw UserError("expected a device of " + target + (oneChip ? "" : " or newer") + ", got " + device.name +
                    " of " + device.architecture());
  return oneChip ? target : device.architecture();
}

std::string LaunchNote::text() const {
  std::string text = "kernel '" + kernel + "'";
  for (size_t i = 0; i < shapes.size(); ++i)
    text += (i ? ", " : " with ") + shapes[i].first + " " + toString(shapes[i].second);
  return text;
}

int Device::count(const Driver &driver) {
  int devices = 0;
  driver.cuDeviceGetCount(&devices);
  return devices;
}

std::shared_ptr<Device> Device::open(int ordinal) { return open(Driver::find(), ordinal); }

std::shared_ptr<Device> Device::open(std::shared_ptr<const Driver> driver, int ordinal) {
  int devices = count(*driver);
  if (devices == 0)
    throw UserError("expected a CUDA device, the driver finds none");
  if (ordinal < 0 || ordinal >= devices)
    throw UserError("expected a CUDA device from 0 to " + std::to_string(devices - 1) + ", got " +
                    std::to_string(ordinal));
  std::shared_ptr<Device> device(new Device(std::move(driver)));
  device->library->cuDeviceGet(&device->id, ordinal);
  device->readProperties();
  device->library->cuDevicePrimaryCtxRetain(&device->context, device->id);
  return device;
}

Device::~Device() {
  if (workspaces)
    callQuietly([&] { library->cuMemPoolDestroy.quietly(workspaces); });
  if (context)
    library->cuDevicePrimaryCtxRelease.quietly(id);
}

int Device::attribute(api::DeviceAttribute attribute) const {
  int value = 0;
  library->cuDeviceGetAttribute(&value, attribute, id);
  return value;
}

void Device::readProperties() {
  char name[256] = "";
  library->cuDeviceGetName(name, sizeof name - 1, id);
  limits.name = name;
  limits.major = attribute(api::capabilityMajor);
  limits.minor = attribute(api::capabilityMinor);
  limits.multiprocessors = attribute(api::multiprocessorCount);
  limits.threadsPerMultiprocessor = attribute(api::maxThreadsPerMultiprocessor);
  limits.registersPerMultiprocessor = attribute(api::maxRegistersPerMultiprocessor);
  limits.sharedPerBlock = attribute(api::maxSharedPerBlockOptIn);
  limits.sharedPerMultiprocessor = attribute(api::maxSharedPerMultiprocessor);
  limits.level2Bytes = attribute(api::level2Bytes);
  limits.cooperative = attribute(api::cooperativeLaunch) != 0;
  // Drivers that are older than an attribute refuse it; no such device had these.
  int value = 0;
  limits.clusters =
      library->cuDeviceGetAttribute.result(&value, api::clusterLaunch, id) == api::success && value;
  limits.memoryPools = attribute(api::memoryPoolsSupported) != 0;
}

api::Pool Device::pool() {
  std::lock_guard lock(mutex);
  if (workspaces)
    return workspaces;
  if (!limits.memoryPools)
    throw UserError("expected a device with stream-ordered memory, got " + limits.name);
  api::PoolProperties properties{};
  properties.allocation = api::pinnedAllocation;
  properties.locationType = api::deviceLocation;
  properties.locationId = id;
  api::Pool created = nullptr;
  library->cuMemPoolCreate(&created, &properties);
  // Workspaces come back at every launch: keep them.
  uint64_t threshold = std::numeric_limits<uint64_t>::max();
  if (api::Result answer =
          library->cuMemPoolSetAttribute.result(created, api::poolReleaseThreshold, &threshold);
      answer != api::success) {
    library->cuMemPoolDestroy.quietly(created);
    library->cuMemPoolSetAttribute.fail(answer);
  }
  return workspaces = created;
}

void Device::call(const std::function<void()> &action) {
  try {
    Current current(*library, context);
    action();
  } catch (const DriverError &error) {
    std::string kernels = api::isFault(error.code) ? suspects() : "";
    if (kernels.empty())
      throw;
    throw DriverError(kernels + ": " + error.what(), error.code);
  }
}

void Device::callQuietly(const std::function<void()> &action) noexcept {
  // Without its context most calls fail, which is no worse than to leave them out.
  bool pushed = library->cuCtxPushCurrent.quietly(context);
  action();
  api::Context popped;
  if (pushed)
    library->cuCtxPopCurrent.quietly(&popped);
}

void Device::started(api::Stream stream, const LaunchNote &note) {
  std::lock_guard lock(mutex);
  pending.push_back({stream, note});
  if (pending.size() > mostPending)
    pending.pop_front();
}

void Device::finished(api::Stream stream) {
  std::lock_guard lock(mutex);
  pending.remove_if([&](const Pending &launch) { return launch.stream == stream; });
}

std::string Device::suspects() {
  std::lock_guard lock(mutex);
  std::vector<std::string> texts;
  std::set<std::string> seen;
  // The latest are the likeliest.
  for (auto launch = pending.rbegin(); launch != pending.rend(); ++launch)
    if (std::string text = launch->note.text(); seen.insert(text).second)
      texts.push_back(text);
  if (texts.empty())
    return "";
  if (texts.size() == 1)
    return texts[0] + " faulted";
  std::string all;
  for (size_t i = 0; i < std::min(texts.size(), mostNamed); ++i)
    all += (i ? "; " : "") + texts[i];
  if (texts.size() > mostNamed)
    all += "; " + std::to_string(texts.size() - mostNamed) + " more";
  return "one of these faulted, SLUICE_CUDA_SYNC=1 tells which: " + all;
}

} // namespace sluice::cuda
