// Which thread runs next, which asynchronous operation lands, which clusters are resident.
#pragma once

#include "runtime/emulator/Machine.h"

#include <vector>

namespace sluice::emulator {

/// xorshift64*: what a run does depends on the seed alone.
class Random {
public:
  void seed(uint64_t seed, uint64_t stream);
  uint32_t next() {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return static_cast<uint32_t>(state * 0x2545f4914f6cdd1d >> 32);
  }
  /// Below `bound`.
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(uint64_t(next()) * bound >> 32); }

private:
  uint64_t state = 1;
};

class Scheduler {
public:
  explicit Scheduler(Machine &machine);
  ~Scheduler();

  /// Runs clusters until none are left or the launch has been ended.
  void run();

  /// From a fiber: goes on with another thread; returns when this one is to go on.
  void switchAway(Thread &thread);
  /// The same, but every other thread that can run comes first, and what lands by itself.
  void yieldToOthers(Thread &thread);
  /// Counts a poll. Whether so many came one after another that every thread has had many turns to do
  /// something else.
  bool pollsForEver(Polling polling);
  /// Nothing goes on but by polling: reports who waits where and ends the launch.
  [[noreturn]] void giveUp();
  void noteProgress() { idlePolls = 0; }
  void makeRunnable(Thread &thread);
  void makeRunnable(Warp &warp, uint32_t lanes);
  /// Leaves the fibers for good and ends the launch.
  [[noreturn]] void abandon();
  /// For the signal handler.
  bool isStackGuard(const void *address) const { return stacks.isGuard(address); }

  void issue(const std::shared_ptr<AsyncOperation> &operation);
  void land(AsyncOperation &operation);
  Random random;
  const std::vector<Cluster *> &resident() const { return residents; }
  uint64_t switches = 0;

private:
  static void fiberMain();
  [[noreturn]] void runThreads(Thread *thread);
  void threadExited(Thread &thread);
  Thread *pick();
  Thread *take(Warp &warp);
  Warp *chooseWarp(Block &block);
  Block *chooseBlock();
  void *start(Thread &thread);
  bool landAny();
  bool landSpontaneous();

  bool admit();
  std::unique_ptr<Cluster> newCluster();
  void beginCluster(Cluster &cluster, uint64_t place);
  void beginBlock(Block &block, uint64_t clusterIndex);
  void endBlocks();
  void endCluster(Cluster &cluster);
  /// In the order of execution, of what runs now.
  uint64_t place() const { return residents.empty() ? 0 : residents.front()->order; }
  void reportDeadlock();
  void dropFibers();

  Machine &machine;
  LaunchState &launch;
  bool randomOrder;
  StackPool stacks;
  void *mainStack = nullptr;
  bool abandoned = false;
  Warp *running = nullptr;
  Thread *passedOver = nullptr;            ///< Polls: to be taken last.
  uint64_t idlePolls = 0;
  /// Of warps and blocks that were passed over, falling: the one that waits longest comes first.
  uint32_t passedPriority = drawnPriority;
  static constexpr uint32_t drawnPriority = 1u << 31; ///< Drawn priorities are at least this.
  uint32_t untilRedraw = 1;
  std::vector<Block *> slots;              ///< Resident blocks.
  std::vector<uint64_t> runnableSlots;     ///< Bit i: a block with runnable threads.
  std::vector<Cluster *> residents;
  std::vector<Block *> ended;              ///< Blocks whose threads have exited, not yet dealt with.
  /// Declared before the clusters: the parts of their blocks refer to these operations to their end.
  std::vector<std::shared_ptr<AsyncOperation>> pending;
  std::vector<std::unique_ptr<Cluster>> all;
  std::vector<Cluster *> idle;
  size_t pendingLimit = 64;
};

/// Memory of a block's shared window: between guard pages, 1024-aligned.
class SharedWindow {
public:
  explicit SharedWindow(uint64_t bytes);
  ~SharedWindow();
  SharedWindow(const SharedWindow &) = delete;
  SharedWindow &operator=(const SharedWindow &) = delete;
  uint8_t *data() const { return start; }
  bool isGuard(const void *address) const;

private:
  uint8_t *mapping = nullptr, *start = nullptr;
  uint64_t mappedBytes = 0;
};

/// One line for each group of threads that wait for the same; empty if none does.
std::string describeWaits(const std::vector<Cluster *> &clusters, Site &largest);

} // namespace sluice::emulator
