// cp.async. A thread's copies land when it waits for them, with what the source holds at that time, or
// earlier by chance, or at once, as the launch is asked to.
#include "codegen/cuda/device/emu/AbiAsync.h"
#include "runtime/emulator/Access.h"
#include "runtime/emulator/AccessLog.h"
#include "runtime/emulator/Mbarrier.h"

#include <algorithm>
#include <cstring>

namespace sluice::emulator {
namespace {

struct Copy {
  uint8_t *destination;
  const uint8_t *source;
  uint8_t bytes, sourceBytes;
};

void land(const Copy &copy) {
  if (copy.sourceBytes)
    std::memcpy(copy.destination, copy.source, copy.sourceBytes);
  std::memset(copy.destination + copy.sourceBytes, 0, copy.bytes - copy.sourceBytes);
}

/// The copies of one thread. Their agent's epoch ends where something can speak for all so far: a commit, an
/// arrival.
class ThreadCopies {
public:
  void begin(Thread &thread, const Copy &copy, Site site);
  void commit() { groups.push_back(epoch++); }
  /// Leaves at most that many groups unfinished.
  void wait(Thread &thread, uint32_t pending);
  /// All copies so far: the last epoch of the agent.
  uint32_t promise() { return promised = epoch++; }
  void landUpTo(uint32_t last);
  void reportUnfinished(Thread &thread) const;
  Agent agent(Thread &thread) const;

private:
  struct Batch {
    uint32_t epoch = 0;
    std::vector<Copy> copies;
    void land() {
      for (const Copy &copy : copies)
        emulator::land(copy);
      copies.clear();
    }
  };
  Batch &current();

  std::vector<Batch> batches; ///< The first `used` are in use, oldest first; the others keep their memory.
  size_t used = 0;
  std::vector<uint32_t> groups; ///< Last epoch of each committed group not waited for, oldest first.
  uint32_t epoch = 1;
  uint32_t promised = 0, over = 0; ///< Last epochs that an mbarrier speaks for, that were waited for.
  uint32_t last = 0;               ///< Last epoch with a copy.
  Site lastSite;
};

class ArriveAfterCopies;

class AsyncCopies : public BlockPart {
public:
  explicit AsyncCopies(Block &block) : threads(block.threads.size()) {}
  ~AsyncCopies() override;
  static AsyncCopies &of(Block &block) { return block.part<AsyncCopies>(Part::asyncCopy); }
  static ThreadCopies &of(Thread &thread) { return of(*thread.inBlock).threads[thread.thread]; }
  void threadExits(Thread &thread) override { threads[thread.thread].reportUnfinished(thread); }

  std::vector<ArriveAfterCopies *> arrivals; ///< Those to come.

private:
  std::vector<ThreadCopies> threads;
};

/// An arrival on an mbarrier that waits for a thread's copies.
class ArriveAfterCopies : public AsyncOperation {
public:
  ArriveAfterCopies(Thread &thread, MbarrierState &barrier, Site site)
      : thread(thread), barrier(barrier), site(site), epoch(AsyncCopies::of(thread).promise()) {
    AsyncCopies::of(*thread.inBlock).arrivals.push_back(this);
    if (!thread.machine->checking())
      return;
    known.release(thread.clock);
    if (Actor actor = thread.clock.agent[static_cast<size_t>(OwnAgent::cpAsync)])
      known.raise(thread.clock.domain, actor, epoch);
  }
  void land() override {
    std::erase(AsyncCopies::of(*thread.inBlock).arrivals, this);
    AsyncCopies::of(thread).landUpTo(epoch);
    barrier.arriveFor(thread, known, "cpAsyncArrive", site);
  }

private:
  Thread &thread;
  MbarrierState &barrier;
  Site site;
  uint32_t epoch;
  SyncClock known;
};

/// What has not landed when the block is gone never does.
AsyncCopies::~AsyncCopies() {
  for (ArriveAfterCopies *arrival : arrivals)
    arrival->landed = true;
}

ThreadCopies::Batch &ThreadCopies::current() {
  if (used == 0 || batches[used - 1].epoch != epoch) {
    if (used == batches.size())
      batches.emplace_back();
    batches[used++].epoch = epoch;
  }
  return batches[used - 1];
}

Agent ThreadCopies::agent(Thread &thread) const {
  Actor &actor = thread.clock.agent[static_cast<size_t>(OwnAgent::cpAsync)];
  if (!actor)
    actor = thread.inBlock->cluster->addActor({"cp.async of thread", thread.inBlock->rank, thread.thread});
  return {actor, epoch, false};
}

void ThreadCopies::begin(Thread &thread, const Copy &copy, Site site) {
  last = epoch;
  lastSite = site;
  Machine &machine = *thread.machine;
  bool drawn = machine.options().completion == Completion::random;
  if (machine.landsAtOnce() || (drawn && machine.chance(4))) {
    emulator::land(copy);
    return;
  }
  std::memset(copy.destination, poisonByte, copy.bytes);
  current().copies.push_back(copy);
  if (drawn && machine.chance(16))
    batches[machine.random(static_cast<uint32_t>(used))].land();
}

void ThreadCopies::landUpTo(uint32_t epochs) {
  size_t count = 0;
  while (count < used && batches[count].epoch <= epochs)
    batches[count++].land();
  auto first = batches.begin();
  std::rotate(first, first + static_cast<ptrdiff_t>(count), first + static_cast<ptrdiff_t>(used));
  used -= count;
}

void ThreadCopies::wait(Thread &thread, uint32_t pending) {
  if (groups.size() <= pending)
    return;
  auto end = groups.end() - static_cast<ptrdiff_t>(pending);
  over = end[-1];
  groups.erase(groups.begin(), end);
  landUpTo(over);
  thread.clock.agentOver[static_cast<size_t>(OwnAgent::cpAsync)] = over;
}

void ThreadCopies::reportUnfinished(Thread &thread) const {
  if (last > over && last > promised)
    report(thread, "in flight at exit", lastSite, "the thread ends without having waited for its cp.async");
}

void copyAsync(Thread &thread, Copy copy, uint32_t address, Site site) {
  Block &block = *thread.inBlock;
  Access write{copy.bytes, AccessKind::write, "cpAsync", site};
  Access read{copy.sourceBytes, AccessKind::read, "cpAsync", site};
  copy.destination = sharedBytes(thread, block, address, write, copy.bytes);
  Allocation *allocation = copy.sourceBytes ? globalBytes(thread, copy.source, read, copy.bytes) : nullptr;
  if (!copy.destination || (copy.sourceBytes && !allocation))
    return;
  ThreadCopies &copies = AsyncCopies::of(thread);
  if (thread.machine->checking()) {
    Agent agent = copies.agent(thread);
    recordShared(thread, block, sharedOffset(address), write, agent);
    if (allocation)
      recordGlobal(thread, *allocation, reinterpret_cast<uint64_t>(copy.source), read, agent);
  }
  if (thread.machine->counting()) {
    logAccess(thread, LoggedSpace::shared, sharedOffset(address), write);
    logAccess(thread, LoggedSpace::globalRead, reinterpret_cast<uint64_t>(copy.source), read, allocation);
  }
  copies.begin(thread, copy, site);
}

} // namespace
} // namespace sluice::emulator

namespace sluice::device {
using namespace emulator;
extern "C" {

void sluiceEmuCpAsync(u32 destination, const void *source, u32 bytes, u32 sourceBytes, Site site) {
  Thread &thread = currentThread();
  Alteration how = alteration(thread, site, "cpAsync");
  if (how == Alteration::skip)
    return;
  if (how == Alteration::lessBytes)
    sourceBytes -= std::min(sourceBytes, 4u);
  if (sourceBytes > bytes) {
    report(thread, "misaligned", site,
           "cpAsync: expected at most " + std::to_string(bytes) + " bytes of the source, got " +
               std::to_string(sourceBytes));
    sourceBytes = bytes;
  }
  copyAsync(thread,
            {nullptr, static_cast<const uint8_t *>(source), static_cast<uint8_t>(bytes),
             static_cast<uint8_t>(sourceBytes)},
            destination, site);
}

void sluiceEmuCpAsyncCommit(Site site) {
  Thread &thread = currentThread();
  if (alteration(thread, site, "cpAsyncCommit") != Alteration::skip)
    AsyncCopies::of(thread).commit();
}

void sluiceEmuCpAsyncWait(u32 pending, Site site) {
  Thread &thread = currentThread();
  Alteration how = alteration(thread, site, "cpAsyncWait");
  if (how != Alteration::skip)
    AsyncCopies::of(thread).wait(thread, how == Alteration::pendingPlusOne ? pending + 1 : pending);
}

void sluiceEmuCpAsyncArrive(u32 barrier, Site site) {
  Thread &thread = currentThread();
  if (alteration(thread, site, "cpAsyncArrive") == Alteration::skip)
    return;
  MbarrierState *state = Mbarriers::of(*thread.inBlock).find(thread, barrier, "cpAsyncArrive", site);
  if (state)
    thread.machine->issue(std::make_shared<ArriveAfterCopies>(thread, *state, site));
}

} // extern "C"
} // namespace sluice::device
