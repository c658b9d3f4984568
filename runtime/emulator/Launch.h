// What all host threads of one launch share: the numbers of the launch, its memory by name, and the reports.
#pragma once

#include "codegen/cuda/device/emu/Abi.h"
#include "runtime/emulator/Counters.h"
#include "runtime/emulator/DeviceMemory.h"
#include "runtime/emulator/Emulator.h"
#include "runtime/emulator/Endless.h"
#include "runtime/emulator/GlobalRaces.h"
#include "runtime/emulator/Mutation.h"
#include "runtime/emulator/SiteTable.h"
#include "runtime/emulator/TensorMap.h"

#include <atomic>
#include <exception>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace sluice::emulator {

/// The reports of one cluster, or of all blocks when they communicate. `order` is its place in the order of
/// execution, which depends on the seed alone.
struct ReportBatch {
  uint64_t order = 0, count = 0;
  std::vector<Report> reports;
};

/// The shared object of a kernel in memory.
struct AddressRange {
  uint64_t begin = 0, end = 0;
  bool contains(uint64_t address) const { return address >= begin && address < end; }
};

struct Kernel::Implementation {
  std::string name;
  const SluiceEmuKernel *entry = nullptr;
  AddressRange code;
};

struct LaunchState {
  LaunchState(const Kernel &kernel, const BoundLaunch &bound, const Options &options);

  const BoundLaunch &bound;
  const Options &options;
  const SluiceEmuKernel *kernel;
  AddressRange code;
  std::string kernelName;
  std::vector<void *> arguments; ///< Pointers to the arguments, as the kernel's trampoline takes them.
  std::vector<Allocation> allocations;      ///< By address.
  uint32_t clusterBlocks = 1;
  uint64_t clusters = 0, blocks = 0;
  bool cooperative = false;                 ///< Blocks may wait on each other: one host thread runs all.
  uint64_t residentClusters = 1;            ///< At once on one host thread.
  std::vector<uint64_t> order;              ///< Clusters as they are taken.
  std::atomic<uint64_t> next{0};            ///< Index into `order`.
  /// Nothing after this place in the order is run or reported: the launch was ended there.
  std::atomic<uint64_t> last{std::numeric_limits<uint64_t>::max()};
  std::unique_ptr<LaunchCounters> counters; ///< Null unless counting.
  SiteTable sites;
  GlobalRaces races;                        ///< Between independent clusters.
  SiteMatcher mutation;
  Watch watch;

  std::mutex mutex;                         ///< Of everything below.
  std::vector<ReportBatch> batches;
  std::map<std::pair<const void *, const void *>, CallSite> callSites;
  uint64_t switches = 0;
  std::exception_ptr failure;               ///< Of a host thread that could not go on.

  /// The allocation that starts last at or below the address; null if none does.
  Allocation *below(uint64_t address);
  /// The first allocation above the address; null if there is none.
  Allocation *above(uint64_t address);
  /// "thread 17 of block (0,0,0)" for an actor of any cluster.
  std::string describeActor(uint32_t cluster, uint16_t actor) const;
  std::array<uint32_t, 3> blockPosition(uint64_t cluster, uint32_t rank) const;
  void addBatch(ReportBatch batch);
  /// Lowers `last` to that place.
  void endAt(uint64_t place);
  /// Reports what independent clusters did to each other's memory.
  void judgeRaces();
  /// Keeps the first of each kind and place, in the order of execution.
  void collectReports(Result &result);

private:
  void bindMemory();
  void bindArguments();
  void drawOrder();
  void *addTensorMap(const BoundParameter &parameter);
  /// A parameter that points into device memory.
  struct MemoryUse {
    uint64_t address;
    std::string name;
    bool written;
  };
  std::vector<MemoryUse> uses;
  std::vector<std::unique_ptr<Memory>> workspaces;
  std::vector<std::unique_ptr<EncodedTensorMap>> maps;
  std::vector<std::unique_ptr<std::array<uint8_t, 8>>> values;
};

} // namespace sluice::emulator
