// Loading kernels, and what a device must have for a launch.
#include "runtime/cuda/Kernel.h"

#include "runtime/cuda/LaunchConfig.h"

namespace sluice::cuda {

namespace {

std::string namesOf(const std::map<std::string, DeviceBinary> &binaries) {
  std::string text;
  for (const auto &[architecture, unused] : binaries)
    text += (text.empty() ? "" : ", ") + architecture;
  return text.empty() ? "none" : text;
}

/// Of the binaries that a chip of the same generation can run, the newest; null without.
const DeviceBinary *olderBinary(const DeviceKernel &kernel, const DeviceProperties &device) {
  const DeviceBinary *found = nullptr;
  for (int minor = 0; minor <= device.minor; ++minor)
    if (auto binary = kernel.binaries.find("sm_" + std::to_string(device.major) + std::to_string(minor));
        binary != kernel.binaries.end())
      found = &binary->second;
  return found;
}

} // namespace

std::shared_ptr<const Kernel> Kernel::load(std::shared_ptr<Device> device, const std::string &cubin,
                                           const std::string &entry) {
  std::shared_ptr<Kernel> kernel(new Kernel(std::move(device)));
  kernel->entry = entry;
  kernel->owner->call([&] { kernel->loadFunction(cubin); });
  return kernel;
}

std::shared_ptr<const Kernel> Kernel::load(std::shared_ptr<Device> device, const DeviceKernel &kernel,
                                           const CompileKernel &compile) {
  const DeviceProperties &properties = device->properties();
  std::string architecture;
  try {
    architecture = architectureFor(kernel.target, properties);
  } catch (const UserError &error) {
    throw UserError("kernel '" + kernel.name + "': " + error.what());
  }
  if (auto own = kernel.binaries.find(architecture); own != kernel.binaries.end())
    return load(std::move(device), own->second.cubin, kernel.record.kernel);
  if (compile && !kernel.source.empty())
    return load(std::move(device), compile(kernel, architecture).cubin, kernel.record.kernel);
  if (const DeviceBinary *older = olderBinary(kernel, properties))
    return load(std::move(device), older->cubin, kernel.record.kernel);
  throw UserError("kernel '" + kernel.name + "': expected code for " + architecture +
                  " in the package, or its source and a compiler, got code for " + namesOf(kernel.binaries));
}

Kernel::~Kernel() {
  if (module)
    owner->callQuietly([&] { owner->driver().cuModuleUnload.quietly(module); });
}

void Kernel::fail(const std::string &message) const { throw UserError("kernel '" + entry + "': " + message); }

int Kernel::attribute(api::FunctionAttribute attribute) const {
  int value = 0;
  owner->driver().cuFuncGetAttribute(&value, attribute, function);
  return value;
}

void Kernel::loadFunction(const std::string &cubin) {
  owner->driver().cuModuleLoadData(&module, cubin.data());
  owner->driver().cuModuleGetFunction(&function, module, entry.c_str());
  registerCount = attribute(api::registersPerThread);
  staticShared = attribute(api::staticSharedBytes);
  mostThreads = attribute(api::maxThreadsPerBlock);
}

void Kernel::checkLimits(const BoundLaunch &launch) const {
  const DeviceProperties &device = owner->properties();
  uint64_t most = static_cast<uint64_t>(device.sharedPerBlock - staticShared);
  if (staticShared > device.sharedPerBlock || launch.sharedBytes > most)
    fail("expected at most " + std::to_string(device.sharedPerBlock) +
         " bytes of shared memory in a block of " + device.name + ", got " +
         std::to_string(launch.sharedBytes) + " and " + std::to_string(staticShared) + " static");
  if (launch.threads > static_cast<uint32_t>(mostThreads))
    fail("expected at most " + std::to_string(mostThreads) + " threads, for which it was compiled, got " +
         std::to_string(launch.threads));
  if (clusterBlocks(launch) > 1 && !device.clusters)
    fail("expected a device with clusters of blocks, got " + device.name + " of " + device.architecture());
  if (launch.residency == Residency::cooperative && !device.cooperative)
    fail("expected a device with cooperative launches, got " + device.name);
}

int64_t Kernel::askResidentBlocks(const BoundLaunch &launch) const {
  const Driver &driver = owner->driver();
  int count = 0;
  if (clusterBlocks(launch) > 1) {
    // The question is of the clusters alone.
    BoundLaunch clusters = launch;
    clusters.residency = Residency::independent;
    LaunchConfig config(clusters, nullptr);
    driver.cuOccupancyMaxActiveClusters(&count, function, config.get());
    return int64_t(count) * clusterBlocks(launch);
  }
  driver.cuOccupancyMaxActiveBlocksPerMultiprocessor(&count, function, static_cast<int>(launch.threads),
                                                     launch.sharedBytes);
  return int64_t(count) * owner->properties().multiprocessors;
}

void Kernel::grantShared(uint64_t bytes) const {
  if (bytes <= grantedShared)
    return;
  // Beyond 48 KiB only on request. It only grows: another thread's launch may have less.
  owner->driver().cuFuncSetAttribute(function, api::maxDynamicSharedBytes, static_cast<int>(bytes));
  grantedShared = bytes;
}

int64_t Kernel::residentBlocks(const BoundLaunch &launch) const {
  std::lock_guard lock(mutex);
  auto key = std::make_tuple(launch.threads, launch.sharedBytes, launch.cluster);
  auto found = resident.find(key);
  if (found == resident.end())
    owner->call([&] {
      // Of memory that was not granted the driver says that no block has it.
      grantShared(launch.sharedBytes);
      found = resident.emplace(key, askResidentBlocks(launch)).first;
    });
  return found->second;
}

void Kernel::checkResidency(const BoundLaunch &launch) const {
  const DeviceProperties &device = owner->properties();
  int64_t most = residentBlocks(launch);
  if (most < clusterBlocks(launch))
    fail("expected a block of " + std::to_string(launch.threads) + " threads, " +
         std::to_string(registerCount) + " registers and " + std::to_string(launch.sharedBytes) +
         " bytes of shared memory to fit on " + device.name + ", got none resident");
  uint64_t wanted = blocksAtOnce(launch);
  if (wanted > static_cast<uint64_t>(most))
    fail("expected at most " + std::to_string(most) + " blocks that wait for each other, what " +
         device.name + " holds at once, got " + std::to_string(wanted));
}

void Kernel::prepare(const BoundLaunch &launch) const {
  if (launch.kernel != entry)
    fail("expected a launch of this kernel, got one of '" + launch.kernel + "'");
  checkLimits(launch);
  checkResidency(launch);
}

} // namespace sluice::cuda
