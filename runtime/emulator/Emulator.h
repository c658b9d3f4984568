// Executes CUDA kernels on the CPU, as adversarially as the programming model permits, and says what is wrong.
//
// A kernel is host code compiled from the CUDA source against codegen/cuda/device/emu. Every CUDA thread is a fiber;
// which one runs next is drawn from a seed. Asynchronous operations poison their destination and complete as late,
// as early or as irregularly as asked. Device memory is reached only through the primitives of the header, so each
// access is seen, checked and counted. codegen/cuda/device/README.md describes the model and what it leaves out.
#pragma once

#include "runtime/LaunchRecord.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::emulator {

/// Order in which runnable threads are taken.
enum class Scheduling { inOrder, random };
/// When asynchronous copies and matrix products land.
enum class Completion { lazy, eager, random };
/// Whose matrix unit computes: `exact` sums products in float32 in order of k; the others are bit-exact models.
enum class Chip { exact, ampere, hopper };

/// An alteration of every execution of one call site, to test that the checker notices.
struct Mutation {
  std::string file;
  uint32_t line = 0, column = 0;
  std::string primitive;   ///< Name in the table of primitives.
  std::string kind;        ///< One of the kinds that the table lists for the primitive.
};

struct Options {
  uint64_t seed = 1;
  Scheduling scheduling = Scheduling::random;
  Completion completion = Completion::random;
  Chip chip = Chip::exact;
  bool check = false;          ///< Races, uninitialised reads, missing fences.
  bool count = false;          ///< Traffic, conflicts.
  bool recordSites = false;    ///< Fill Result::sites.
  int threads = 0;             ///< Of the host, for independent blocks; 0: all cores.
  uint32_t maxReports = 8;     ///< Distinct ones kept; all are counted.
  double patience = 60;        ///< Seconds that a thread may run without waiting or ending; 0: no limit.
  std::optional<Mutation> mutation;
};

/// One mistake of the kernel.
struct Report {
  std::string kind;                        ///< For example "race", "out of bounds", "deadlock"; listed in the README.
  std::string kernel, file;
  uint32_t line = 0;
  std::array<uint32_t, 3> block{};
  bool wholeLaunch = false;                ///< Of no single block.
  int32_t thread = -1;                     ///< -1: no single thread.
  std::string message;
  std::string earlier;                     ///< The access it collides with: who, file and line. May be empty.
  std::string text() const;                ///< All of it in one line.
};

/// Traffic of one argument in one direction, in sectors of 32 bytes.
struct Traffic {
  uint64_t requested = 0;           ///< Sum over warp instructions and bulk boxes.
  uint64_t distinctPerBlock = 0;    ///< Sum over blocks of the sectors that each touches at least once.
  uint64_t distinctPerLaunch = 0;
};

/// Shared-memory work of one source line.
struct SharedLine {
  std::string file, primitive;
  uint32_t line = 0;
  uint64_t instructions = 0;   ///< Of a warp.
  uint64_t wavefronts = 0;     ///< Passes through the banks; for wgmma and TMA bytes / 128, a model.
  uint64_t conflicts = 0;      ///< Wavefronts beyond the fewest that the same bytes could take.
  bool model = false;
};

struct Counters {
  std::map<std::string, Traffic> read, written;   ///< By parameter name.
  uint64_t tensorFlops = 0;                       ///< 2 m n k of every matrix instruction.
  uint64_t barriers = 0;                          ///< Completed phases of named barriers.
  std::vector<SharedLine> shared;                 ///< By file, line and primitive.
};

/// A call of a synchronising primitive that was executed.
struct CallSite {
  std::string file, primitive;
  uint32_t line = 0, column = 0;
  uint64_t executions = 0;
  bool ordered = true;   ///< False for counters and atomics that order nothing: "relaxed" leaves them as they are.
};

struct Result {
  std::vector<Report> reports;
  uint64_t reportCount = 0;
  Counters counters;
  std::vector<CallSite> sites;
  uint64_t switches = 0;       ///< Of fibers.
  double seconds = 0;
  bool clean() const { return reportCount == 0; }
};

/// A kernel compiled for the emulator, loaded from a shared object.
class Kernel {
public:
  /// Throws UserError if the file or the entry point is missing.
  static Kernel load(const std::string &sharedObject, const std::string &entry);
  const std::string &name() const;
  /// Threads and blocks per multiprocessor of the kernel's launch bounds.
  uint32_t maxThreads() const;
  uint32_t blocksPerSm() const;

  struct Implementation;
  explicit Kernel(std::shared_ptr<const Implementation> implementation);
  const Implementation &get() const { return *implementation; }

private:
  std::shared_ptr<const Implementation> implementation;
};

/// Device memory of the emulator: poisoned, ending at a guard page, known to the checker by name.
/// Every byte starts uninitialised; what the host writes through `data` counts as written once `written` is called.
class Memory {
public:
  Memory(uint64_t bytes, std::string name);
  ~Memory();
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;
  Memory(Memory &&) noexcept;
  void *data() const;
  uint64_t bytes() const;
  void markWritten() const;                      ///< All of it holds values from now on.
  void markUndefined() const;                    ///< Poisons it again.
  LaunchTensor tensor() const { return {data(), bytes()}; }

private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation;
};

/// Runs the kernel to its end. What is wrong with the kernel is in the result; throws UserError for a launch that no
/// GPU would accept (a tensor map that the driver refuses, more shared memory than a block can have, ...).
Result launch(const Kernel &kernel, const BoundLaunch &launch, const Options &options);

} // namespace sluice::emulator
