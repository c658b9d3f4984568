// The barrier of a cluster in its two halves. Arrivals release and waits acquire, unless the arrival is relaxed.
// Threads that have exited count as arrived.
#include "runtime/emulator/Launch.h"
#include "runtime/emulator/Machine.h"
#include "runtime/emulator/Mbarrier.h"
#include "runtime/emulator/Mutation.h"
#include "runtime/emulator/Remote.h"

#include <array>
#include <vector>

namespace sluice::emulator {

namespace {

class ClusterBarrier : public BlockPart {
public:
  explicit ClusterBarrier(Block &first)
      : cluster(*first.cluster), phaseOf(cluster.threadCount()), pending(cluster.threadCount()) {}
  static ClusterBarrier &of(Thread &thread) {
    return thread.inBlock->cluster->blocks.front()->part<ClusterBarrier>(Part::clusterBarrier);
  }
  void arrive(Thread &thread, const Wait &wait, bool relaxed);
  void wait(Thread &thread, const Wait &wait);
  void threadExits(Thread &thread) override;
  uint32_t arrivedCount() const { return arrived; }

private:
  size_t indexOf(const Thread &thread) const {
    return thread.inBlock->rank * thread.blockThreads + thread.SluiceEmuThread::thread;
  }
  void completeIfAll();

  Cluster &cluster;
  uint64_t phase = 0;
  uint32_t arrived = 0;
  std::vector<uint64_t> phaseOf;  ///< In which each thread arrived last.
  std::vector<uint8_t> pending;   ///< Arrived and has not waited.
  SyncClock arriving;
  std::array<SyncClock, 2> completed;
  /// What is over by the order of execution alone, relaxed arrivals included.
  SyncClock passing;
  std::array<SyncClock, 2> passed;
  WaitList waiting;
};

void ClusterBarrier::arrive(Thread &thread, const Wait &wait, bool relaxed) {
  size_t index = indexOf(thread);
  if (pending[index])
    fatal(thread, "barrier misuse", wait.site,
          std::string(wait.primitive) + ": expected clusterWait between two arrivals of a thread");
  pending[index] = 1;
  phaseOf[index] = phase;
  ++arrived;
  if (thread.machine->checking()) {
    passing.release(thread.clock);
    if (relaxed)
      Mbarriers::releaseInitialisations(thread, arriving);
    else
      arriving.release(thread.clock);
  }
  completeIfAll();
}

void ClusterBarrier::completeIfAll() {
  uint32_t alive = 0;
  for (const std::unique_ptr<Block> &block : cluster.blocks)
    alive += block->alive;
  if (arrived < alive || !arrived)
    return;
  completed[phase % 2] = std::move(arriving);
  arriving.clear();
  passed[phase % 2] = std::move(passing);
  passing.clear();
  arrived = 0;
  ++phase;
  waiting.wakeAll();
}

void ClusterBarrier::wait(Thread &thread, const Wait &wait) {
  size_t index = indexOf(thread);
  if (!pending[index])
    fatal(thread, "barrier misuse", wait.site, "clusterWait: expected clusterArrive of the same thread before it");
  while (phase == phaseOf[index])
    thread.machine->park(thread, waiting, wait);
  pending[index] = 0;
  if (thread.machine->checking()) {
    completed[phaseOf[index] % 2].acquire(thread.clock, thread.machine->joiner);
    ExitDuties::passed(*thread.inBlock, passed[phaseOf[index] % 2]);
    // Whoever has arrived, relaxed or not, or has exited, has started.
    cluster.learnStarts(thread);
  }
}

void ClusterBarrier::threadExits(Thread &thread) {
  size_t index = indexOf(thread);
  if (pending[index] && phaseOf[index] == phase)
    --arrived;
  completeIfAll();
}

std::string describeClusterWait(const Thread &thread) {
  Cluster &cluster = *thread.inBlock->cluster;
  auto *barrier = static_cast<ClusterBarrier *>(cluster.blocks.front()->existing(Part::clusterBarrier));
  return "the cluster's barrier has " + std::to_string(barrier->arrivedCount()) + " arrivals of " +
         std::to_string(cluster.threadCount());
}

bool together(Warp &) { return true; }

} // namespace

} // namespace sluice::emulator

using namespace sluice::emulator;

extern "C" {

void sluiceEmuClusterArrive(int relaxed, sluice::device::Site site) {
  Thread &thread = currentThread();
  Wait wait{relaxed ? "clusterArriveRelaxed" : "clusterArrive", site};
  Alteration altered = alteration(thread, site, wait.primitive);
  if (altered == Alteration::skip)
    return;
  thread.machine->meet(thread, wait, nullptr, together);
  ClusterBarrier::of(thread).arrive(thread, wait, relaxed || altered == Alteration::relaxed);
}

void sluiceEmuClusterWait(sluice::device::Site site) {
  Thread &thread = currentThread();
  Wait wait{"clusterWait", site, describeClusterWait};
  Alteration altered = alteration(thread, site, wait.primitive);
  if (altered == Alteration::skip)
    return;
  thread.machine->meet(thread, wait, nullptr, together);
  ClusterBarrier::of(thread).wait(thread, wait);
}

} // extern "C"
