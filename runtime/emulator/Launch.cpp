// Loading of kernels, the preparation of a launch, and the host threads that run it.
#include "runtime/emulator/Launch.h"

#include "runtime/Error.h"
#include "runtime/emulator/Machine.h"
#include "runtime/emulator/Report.h"
#include "runtime/emulator/Scheduler.h"
#include "runtime/emulator/Signals.h"
#include "runtime/emulator/TensorMap.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <thread>
#include <xmmintrin.h>

namespace sluice::emulator {

namespace {
constexpr uint64_t maxSharedBytes = 227 * 1024;
// Round to nearest, subnormal numbers kept: what the CPU back end may have set otherwise.
constexpr unsigned defaultControl = 0x1f80;
/// More than any GPU keeps: each costs its stack.
constexpr uint64_t mostResidentThreads = 1 << 22;

/// The segments of the shared object that holds the address.
AddressRange objectAround(const void *address) {
  auto at = reinterpret_cast<uint64_t>(address);
  std::pair<uint64_t, AddressRange> asked{at, {}};
  auto visit = [](dl_phdr_info *object, size_t, void *data) {
    auto &[wanted, found] = *static_cast<std::pair<uint64_t, AddressRange> *>(data);
    AddressRange range{~uint64_t(0), 0};
    for (int i = 0; i < object->dlpi_phnum; ++i)
      if (const auto &segment = object->dlpi_phdr[i]; segment.p_type == PT_LOAD) {
        range.begin = std::min(range.begin, object->dlpi_addr + segment.p_vaddr);
        range.end = std::max(range.end, object->dlpi_addr + segment.p_vaddr + segment.p_memsz);
      }
    if (range.contains(wanted))
      found = range;
    return int(range.contains(wanted));
  };
  dl_iterate_phdr(visit, &asked);
  return asked.second;
}
} // namespace

Kernel::Kernel(std::shared_ptr<const Implementation> implementation) : implementation(std::move(implementation)) {}

Kernel Kernel::load(const std::string &sharedObject, const std::string &entry) {
  // Kernels refer to the emulator's functions, wherever this library was loaded from.
  Dl_info self{};
  if (dladdr(reinterpret_cast<void *>(&sluiceEmuSwitch), &self) && self.dli_fname)
    dlopen(self.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
  void *library = dlopen(sharedObject.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    throw UserError("expected a kernel compiled for the emulator, got: " + std::string(dlerror()));
  auto *description = static_cast<const SluiceEmuKernel *>(dlsym(library, ("sluiceEmuKernel_" + entry).c_str()));
  if (!description)
    throw UserError("expected an entry point '" + entry + "' (SLUICE_EXPORT(" + entry +
                    ") after the kernel) in " + sharedObject + ", got none");
  if (description->version != sluiceEmuVersion)
    throw UserError("expected " + sharedObject + " to be compiled against version " +
                    std::to_string(sluiceEmuVersion) + " of the device headers, got version " +
                    std::to_string(description->version));
  return Kernel(
      std::make_shared<Implementation>(Implementation{entry, description, objectAround(description)}));
}

const std::string &Kernel::name() const { return implementation->name; }
uint32_t Kernel::maxThreads() const { return implementation->entry->maxThreads; }
uint32_t Kernel::blocksPerSm() const { return implementation->entry->blocksPerSm; }

LaunchState::LaunchState(const Kernel &kernel, const BoundLaunch &bound, const Options &options)
    : bound(bound), options(options), kernel(kernel.get().entry), code(kernel.get().code),
      kernelName(kernel.name()), mutation(options.mutation) {
  if (bound.kernel != kernelName)
    throw UserError("kernel " + kernelName + ": expected a launch of this kernel, got one of '" +
                    bound.kernel + "'");
  if (bound.threads > kernel.maxThreads())
    throw UserError("kernel " + kernelName + ": expected at most the " + std::to_string(kernel.maxThreads()) +
                    " threads of its launch bounds, got " + std::to_string(bound.threads));
  if (bound.blocksPerSm != kernel.blocksPerSm())
    throw UserError("kernel " + kernelName + ": expected the " + std::to_string(kernel.blocksPerSm()) +
                    " blocks per multiprocessor of its launch bounds, got " + std::to_string(bound.blocksPerSm));
  if (bound.sharedBytes > maxSharedBytes)
    throw UserError("kernel " + kernelName + ": expected at most " + std::to_string(maxSharedBytes) +
                    " bytes of shared memory, got " + std::to_string(bound.sharedBytes));
  if (bound.parameters.size() != this->kernel->parameters)
    throw UserError("kernel " + kernelName + ": expected " + std::to_string(this->kernel->parameters) +
                    " parameters, got " + std::to_string(bound.parameters.size()) + " in the launch record");
  for (size_t i = 0; i < bound.parameters.size(); ++i) {
    const BoundParameter &parameter = bound.parameters[i];
    uint32_t expected = this->kernel->parameterBytes[i];
    uint32_t given = parameter.kind == ParameterRecord::Kind::tensorMap ? 128 : parameter.byteCount;
    if (given != expected)
      throw UserError("kernel " + kernelName + ": expected a parameter '" + parameter.name + "' of " +
                      std::to_string(expected) + " bytes, got " + std::to_string(given) + " in the launch record");
  }
  clusterBlocks = bound.cluster[0] * bound.cluster[1] * bound.cluster[2];
  blocks = bound.blocks();
  clusters = blocks / clusterBlocks;
  cooperative = bound.residency == Residency::cooperative;
  if (cooperative)
    residentClusters = std::max<uint64_t>(1, (bound.residentBlocks ? bound.residentBlocks : blocks) / clusterBlocks);
  uint64_t residentThreads = std::min(residentClusters, clusters) * clusterBlocks * bound.threads;
  if (residentThreads > mostResidentThreads)
    throw UserError("kernel " + kernelName + ": expected at most " + std::to_string(mostResidentThreads) +
                    " resident threads, got " + std::to_string(residentThreads) +
                    ": the launch record may say how many blocks are resident");
  bindArguments();
  bindMemory();
  drawOrder();
  if (options.count) {
    std::vector<CountedTensor> tensors;
    for (const Allocation &allocation : allocations)
      tensors.push_back({allocation.name, allocation.base, allocation.bytes});
    counters = std::make_unique<LaunchCounters>(tensors);
  }
}

void LaunchState::bindArguments() {
  for (const BoundParameter &parameter : bound.parameters) {
    if (parameter.kind == ParameterRecord::Kind::tensorMap) {
      arguments.push_back(addTensorMap(parameter));
      continue;
    }
    std::array<uint8_t, 8> bytes = parameter.bytes;
    if (parameter.kind == ParameterRecord::Kind::workspace) {
      workspaces.push_back(std::make_unique<Memory>(parameter.workspaceBytes, parameter.name));
      void *data = workspaces.back()->data();
      std::memcpy(bytes.data(), &data, sizeof data);
      if (parameter.initial) {
        for (uint64_t at = 0; at + 4 <= parameter.workspaceBytes; at += 4)
          std::memcpy(static_cast<uint8_t *>(data) + at, &*parameter.initial, 4);
        workspaces.back()->markWritten();
      }
    }
    values.push_back(std::make_unique<std::array<uint8_t, 8>>(bytes));
    arguments.push_back(values.back()->data());
    if (parameter.kind != ParameterRecord::Kind::size && parameter.kind != ParameterRecord::Kind::value) {
      uint64_t address;
      std::memcpy(&address, bytes.data(), sizeof address);
      bool written = parameter.kind == ParameterRecord::Kind::workspace || parameter.direction != Direction::read;
      uses.push_back({address, parameter.name, written});
    }
  }
}

void *LaunchState::addTensorMap(const BoundParameter &parameter) {
  std::string objection = validateTensorMap(parameter.map);
  if (objection.empty())
    objection = tensorMapLimit(parameter.map);
  if (!objection.empty())
    throw UserError("kernel " + kernelName + ": tensor map '" + parameter.name + "': " + objection);
  maps.push_back(std::make_unique<EncodedTensorMap>(encodeTensorMap(parameter.map)));
  uses.push_back({reinterpret_cast<uint64_t>(parameter.map.base), parameter.map.argument,
                  parameter.direction != Direction::read});
  return maps.back().get();
}

void LaunchState::bindMemory() {
  for (const std::shared_ptr<Storage> &storage : allStorage()) {
    Allocation allocation;
    allocation.storage = storage;
    allocation.base = storage->base;
    allocation.bytes = storage->bytes;
    allocation.name = storage->name;
    allocation.index = static_cast<uint32_t>(allocations.size());
    for (const MemoryUse &use : uses) {
      if (!allocation.contains(use.address, 0))
        continue;
      if (!std::exchange(allocation.given, true))
        allocation.name = use.name;
      allocation.mayWrite |= use.written;
    }
    allocations.push_back(std::move(allocation));
  }
}

void LaunchState::drawOrder() {
  for (uint64_t cluster = 0; cluster < clusters; ++cluster)
    order.push_back(cluster);
  if (options.scheduling != Scheduling::random)
    return;
  Random random;
  random.seed(options.seed, ~uint64_t(0) - 1);
  for (uint64_t left = clusters; left > 1; --left)
    std::swap(order[left - 1], order[random.below(static_cast<uint32_t>(left))]);
}

Allocation *LaunchState::above(uint64_t address) {
  auto found = std::upper_bound(allocations.begin(), allocations.end(), address,
                                [](uint64_t at, const Allocation &allocation) { return at < allocation.base; });
  return found == allocations.end() ? nullptr : &*found;
}

Allocation *LaunchState::below(uint64_t address) {
  Allocation *next = above(address), *first = allocations.data();
  if (!next)
    return allocations.empty() ? nullptr : &allocations.back();
  return next == first ? nullptr : next - 1;
}

std::array<uint32_t, 3> LaunchState::blockPosition(uint64_t cluster, uint32_t rank) const {
  std::array<uint32_t, 3> position;
  for (unsigned axis = 0; axis < 3; ++axis) {
    uint32_t along = bound.grid[axis] / bound.cluster[axis];
    position[axis] = static_cast<uint32_t>(cluster % along) * bound.cluster[axis] + rank % bound.cluster[axis];
    cluster /= along;
    rank /= bound.cluster[axis];
  }
  return position;
}

std::string LaunchState::describeActor(uint32_t cluster, uint16_t actor) const {
  bool isThread = actor < clusterBlocks * bound.threads;
  return (isThread ? "thread " + std::to_string(actor % bound.threads) : "an asynchronous operation") +
         " of block " + positionText(blockPosition(cluster, isThread ? actor / bound.threads : 0));
}

void LaunchState::endAt(uint64_t place) {
  uint64_t seen = last.load();
  while (place < seen && !last.compare_exchange_weak(seen, place)) {
  }
}

void LaunchState::judgeRaces() {
  ReportBatch batch;
  batch.order = std::numeric_limits<uint64_t>::max();
  for (const Collision &collision : races.collisions(options.maxReports)) {
    const Allocation *allocation = below(collision.address);
    Call later = sites.call(collision.accessor[1].site), earlier = sites.call(collision.accessor[0].site);
    Report report;
    report.kind = "race";
    report.kernel = kernelName;
    report.file = later.site.file_name();
    report.line = later.site.line();
    uint16_t actor = collision.accessor[1].actor;
    bool isThread = actor < clusterBlocks * bound.threads;
    report.block = blockPosition(collision.cluster[1], isThread ? actor / bound.threads : 0);
    report.thread = isThread ? static_cast<int32_t>(actor % bound.threads) : -1;
    report.message = std::string(collision.write[1] ? "write" : "read") + " of byte " +
                     std::to_string(collision.address - allocation->base) + " of '" + allocation->name + "' by " +
                     later.primitive + " while another block, independent of this one, accesses it";
    report.earlier = std::string(collision.write[0] ? "write" : "read") + " by " +
                     describeActor(collision.cluster[0], collision.accessor[0].actor) + " in " +
                     earlier.primitive + " at " + placeOf(earlier.site);
    batch.reports.push_back(std::move(report));
    ++batch.count;
  }
  addBatch(std::move(batch));
}

namespace {

void runHostThread(LaunchState &launch) {
  _mm_setcsr(defaultControl);
  AlternateStack alternate;
  detail::sitesMatter = launch.options.recordSites || launch.options.mutation;
  Machine machine(launch);
  launch.watch.begin(machine);
  try {
    machine.run();
  } catch (...) {
    std::lock_guard lock(launch.mutex);
    launch.failure = std::current_exception();
    launch.last = 0;
  }
  launch.watch.end(machine);
}

uint64_t hostThreads(const LaunchState &launch) {
  if (launch.cooperative)
    return 1;
  uint64_t wanted = launch.options.threads > 0 ? static_cast<uint64_t>(launch.options.threads)
                                               : std::max(1u, std::thread::hardware_concurrency());
  return std::min<uint64_t>(wanted, launch.clusters);
}

} // namespace

void Machine::run() {
  scheduler->run();
  std::lock_guard lock(launch.mutex);
  launch.switches += scheduler->switches;
  for (const auto &[key, site] : callSites) {
    auto [at, isNew] = launch.callSites.try_emplace(key, site);
    if (!isNew)
      at->second.executions += site.executions;
  }
}

Result launch(const Kernel &kernel, const BoundLaunch &bound, const Options &options) {
  auto start = std::chrono::steady_clock::now();
  Result result;
  if (!bound.grid[0] || !bound.grid[1] || !bound.grid[2])
    return result;
  LaunchState state(kernel, bound, options);
  {
    FaultHandler handler;
    std::vector<std::thread> others;
    for (uint64_t i = hostThreads(state); i > 0; --i)
      others.emplace_back(runHostThread, std::ref(state));
    state.watch.waitFor(others.size(), std::chrono::duration<double>(options.patience));
    for (std::thread &thread : others)
      thread.join();
  }
  if (state.failure)
    std::rethrow_exception(state.failure);
  if (options.check && state.last == std::numeric_limits<uint64_t>::max())
    state.judgeRaces();
  // Unchecked launches do not note what they write.
  if (!options.check)
    for (const Allocation &allocation : state.allocations)
      if (allocation.mayWrite)
        allocation.storage->setAllWritten(true);
  state.collectReports(result);
  for (auto &[key, site] : state.callSites)
    result.sites.push_back(site);
  std::sort(result.sites.begin(), result.sites.end(), [](const CallSite &a, const CallSite &b) {
    return std::tie(a.file, a.line, a.column, a.primitive) < std::tie(b.file, b.line, b.column, b.primitive);
  });
  if (state.counters)
    result.counters = state.counters->result();
  result.switches = state.switches;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

} // namespace sluice::emulator
