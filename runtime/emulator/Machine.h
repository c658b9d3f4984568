// The emulated machine: threads, warps, blocks and clusters that one host thread runs, and the scheduler that decides
// which thread goes on. The modules that implement primitives are written against this header.
//
// A primitive runs on the fiber of the thread that calls it, and may
//  - look at and change all state of the machine: nothing runs at the same time;
//  - `park` until another thread, or an operation that lands, wakes it: then look again, wakes may be spurious;
//  - meet the other lanes of its warp in `meet`: the last to come does the work for all;
//  - queue an AsyncOperation, which lands when the options say: at once, when a wait needs it, or at some time;
//  - report a mistake and go on, or give up (`fatal`), which ends the launch.
#pragma once

#include "codegen/cuda/device/emu/Abi.h"
#include "runtime/emulator/Clock.h"
#include "runtime/emulator/Counters.h"
#include "runtime/emulator/Emulator.h"
#include "runtime/emulator/Fiber.h"
#include "runtime/emulator/Mutation.h"
#include "runtime/emulator/RaceChecker.h"
#include "runtime/emulator/SiteTable.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::emulator {

using device::Site;
class Machine;
struct LaunchState;
struct Warp;
struct Block;
struct Cluster;

enum class ThreadState : uint8_t { fresh, runnable, parked, exited };

/// A read that returns what it returned before: a poll, or work that may go on like this for long.
enum class Polling : uint8_t { surely, perhaps };

/// What a parked thread waits for. `describe` is asked only when nothing can go on.
struct Wait {
  const char *primitive = "";
  Site site;
  std::string (*describe)(const Thread &) = nullptr; ///< For example "phase 3 of the mbarrier at offset 64".
  const void *object = nullptr;
  uint64_t value = 0;
};

struct Thread : SluiceEmuThread {
  Thread();
  Thread(Thread &&) noexcept;
  ~Thread();
  Machine *machine = nullptr;
  Block *inBlock = nullptr;
  Warp *inWarp = nullptr;
  Fiber fiber;
  ThreadState state = ThreadState::fresh;
  uint8_t lane = 0;
  Wait wait;
  /// How often in a row it has seen the same value at the same address: it polls.
  struct Poll {
    const void *address = nullptr;
    uint64_t value = 0;
    uint32_t count = 0;
  } poll;
  /// How often in a row it has read the same place by ordinary loads.
  struct Repeat {
    const void *place = nullptr;
    uint32_t count = 0;
  } repeat;
  Clock clock;
  /// Clock at the last memory fence, and what relaxed loads have seen since: fences make relaxed accesses order.
  struct Fences;
  std::unique_ptr<Fences> fences;
};

/// Threads parked on one thing.
class WaitList {
public:
  bool empty() const { return threads.empty(); }
  void add(Thread &thread) { threads.push_back(&thread); }
  void wakeAll();
  const std::vector<Thread *> &all() const { return threads; }

private:
  std::vector<Thread *> threads;
};

struct Warp {
  Block *block = nullptr;
  uint32_t index = 0;
  uint32_t lanes = 0xffffffffu;    ///< That the warp was started with.
  uint32_t runnable = 0;           ///< Ready to go on.
  uint32_t exited = 0;
  uint32_t priority = 0;
  uint32_t turn = 0;               ///< In order: the lane to try first.
  // The collective that lanes are coming to; `met` counts those that were completed.
  uint32_t arrived = 0, met = 0;
  const char *primitive = "";
  Site site;
  std::array<void *, 32> arguments{};
  Thread &thread(unsigned lane) const;
  /// Lets the lanes that wait in `Machine::meet` go on.
  void goOn();
};

/// State that a module keeps for one block. Made on first use, destroyed when the block ends.
class BlockPart {
public:
  virtual ~BlockPart() = default;
  /// A thread is about to exit; it may still report, not park.
  virtual void threadExits(Thread &) {}
  /// All threads have exited: report what is unfinished.
  virtual void blockEnds(Block &) {}
  /// Nothing can go on: add what this module knows, for example which barrier still expects how many bytes.
  virtual void describeDeadlock(const Block &, std::string &) {}
};
enum class Part : uint8_t { barriers, asyncCopy, mbarriers, tensorCopy, wgmma, registers, remote, accessLog, clusterBarrier, count };

/// An asynchronous operation in flight. Its destination was poisoned when it was issued (unless it lands at once),
/// and its accesses were recorded then, under its agent.
class AsyncOperation {
public:
  virtual ~AsyncOperation() = default;
  /// Moves the data, arrives on barriers, wakes waiters. Called once, from any fiber or from the scheduler.
  virtual void land() = 0;
  bool landed = false;
  /// Lands by itself when nothing else can go on, as a copy that completes on an mbarrier must. Otherwise only a
  /// wait (or chance) lands it.
  bool spontaneous = true;
  /// That issued it; what is still in flight when the cluster has ended is dropped.
  const Cluster *cluster = nullptr;
  /// Never lands when it is issued.
  bool late = false;
};

struct Block {
  Block();
  ~Block();
  Machine *machine = nullptr;
  Cluster *cluster = nullptr;
  uint64_t index = 0;                 ///< In the grid.
  std::array<uint32_t, 3> position{}; ///< The same by axis.
  uint32_t rank = 0;                  ///< In the cluster.
  uint32_t slot = 0;                  ///< Among the resident blocks of the machine.
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  uint32_t runnableWarps = 0;         ///< Bit i: warp i has runnable lanes.
  uint32_t lastWarp = 31;             ///< That ran.
  uint32_t alive = 0;                 ///< Threads that have not exited.
  uint32_t priority = 0;
  uint8_t *shared = nullptr;
  uint32_t sharedBytes = 0;
  std::unique_ptr<class SharedWindow> window; ///< Holds `shared`.
  std::unique_ptr<BlockCounters> counters;    ///< Null unless counting.
  std::unique_ptr<class SharedShadow> shadow; ///< Null unless checking.

  template <class T> T &part(Part which) {
    std::unique_ptr<BlockPart> &part = parts[static_cast<size_t>(which)];
    if (!part)
      part = std::make_unique<T>(*this);
    return static_cast<T &>(*part);
  }
  /// Null unless it was used.
  BlockPart *existing(Part which) const { return parts[static_cast<size_t>(which)].get(); }
  std::array<std::unique_ptr<BlockPart>, static_cast<size_t>(Part::count)> parts;
};

/// What an agent of the clocks is, for reports: "<what> <index>", for example "cp.async of thread 17".
struct ActorName {
  const char *what = "";
  uint32_t rank = 0, index = 0; ///< The block in the cluster; the thread, warp or byte offset.
};

/// Blocks that are resident together and reach each other's shared memory; one block when there are no clusters.
struct Cluster {
  uint32_t domain = 0;                 ///< Of the clocks: the cluster's index in the grid.
  std::vector<std::unique_ptr<Block>> blocks; ///< By rank.
  uint32_t alive = 0;                  ///< Blocks with threads left.
  std::vector<ActorName> agents;       ///< Of actor `threads + i`.
  uint64_t order = 0;                  ///< Its place in the order of execution.
  /// A new actor of the domain.
  Actor addActor(ActorName name);
  std::string describe(Actor actor) const;
  uint32_t threadCount() const;
  /// Of several blocks, and checked: an actor whose epoch 1 is over once the block of that rank has started.
  Actor startOf(uint32_t rank) const { return static_cast<Actor>(threadCount() + rank); }
  /// The thread learns that all blocks have started.
  void learnStarts(Thread &thread) const;
};

/// Runs clusters, as many at a time as are resident.
class Machine {
public:
  explicit Machine(LaunchState &launch);
  ~Machine();
  Machine(const Machine &) = delete;
  Machine &operator=(const Machine &) = delete;

  LaunchState &launch;
  const Options &options() const;
  const BoundLaunch &bound() const;
  bool checking() const { return checks; }
  bool counting() const { return counts; }

  /// Suspends the running thread until `wake`, or another one's `WaitList::wakeAll`.
  void park(Thread &thread, const Wait &wait);
  void park(Thread &thread, WaitList &list, const Wait &wait) {
    list.add(thread);
    park(thread, wait);
  }
  /// No effect on a thread that is not parked.
  void wake(Thread &thread);
  /// Lets others run now if the schedule is random and chance wants it. Called where threads talk to each other.
  void maybeYield(Thread &thread);
  /// A thread has read `value`. If it saw the same there before, it polls: the others run first. A poll that
  /// goes on for ever is reported as a deadlock.
  void notePoll(Thread &thread, const Wait &wait, uint64_t value, Polling polling = Polling::surely);

  /// Waits for all lanes of the warp to come to this call of the source. The last to come runs `body`, with
  /// `warp.arguments` by lane; `body` must not park. If it returns false all lanes stay parked, with `wait` as what
  /// they wait for, until `Warp::goOn`. Orders no memory accesses.
  void meet(Thread &thread, const Wait &wait, void *arguments, bool (*body)(Warp &));

  /// Queues an operation, or lands it now.
  void issue(const std::shared_ptr<AsyncOperation> &operation);
  /// A wait needs it now.
  void finish(AsyncOperation &operation);
  /// Whether an operation lands when it is issued: its destination needs no poison then.
  bool landsAtOnce() const;

  /// Draws from the seed: uniform below `bound`.
  uint32_t random(uint32_t bound);
  bool chance(uint32_t oneIn) { return random(oneIn) == 0; }

  /// Runs clusters until none are left.
  void run();

  Joiner joiner;
  SiteCache sites;
  /// Of loads, then of stores.
  std::array<SluiceEmuRange, 2 * sluiceEmuRanges> ranges{};
  std::unique_ptr<class Scheduler> scheduler;
  std::unique_ptr<class ReportSink> reports;
  std::unique_ptr<class GlobalShadow> globalShadow; ///< Null unless checking.
  std::unique_ptr<class CounterClocks> counterClocks;
  void recordSite(Site site, const char *primitive, bool ordered);
  uint16_t siteNumber(Site site, const char *primitive);
  /// How often the scheduler has chosen a thread. Read by the host thread that launches.
  std::atomic<uint64_t> turns{0};
  std::atomic<bool> overdue{false}; ///< The running thread has not let others run for too long.
  uint64_t stuckSince = 0;          ///< `turns` when it was first seen to be stuck in code of its own.

private:
  bool checks, counts;
  std::map<std::pair<const void *, const void *>, CallSite> callSites;
};

/// The running thread of this host thread.
inline Thread &currentThread() { return *static_cast<Thread *>(sluiceEmuThread); }

// Reports: Report.cpp. `kind` is one of the kinds that the README lists.

/// Reports of the same kind at the same place, with the same earlier access, are counted and kept once.
void report(Thread &thread, std::string_view kind, Site site, const std::string &message,
            const std::string &earlier = {});
/// A mistake of no single thread.
void reportBlock(const Block &block, std::string_view kind, Site site, const std::string &message);
/// Reports and ends the launch; the fibers are abandoned, no destructor runs.
[[noreturn]] void fatal(Thread &thread, std::string_view kind, Site site, const std::string &message,
                        const std::string &earlier = {});
/// "gemm.cu:12"
std::string placeOf(Site site);
/// "thread 17 of block (0,0,0)"
std::string nameOf(const Thread &thread);
/// Whether a report of this kind, at this place and with this earlier place, would be kept: false saves its text.
/// Counts it if not.
bool wanted(Thread &thread, std::string_view kind, Site site, uint64_t earlier);

} // namespace sluice::emulator
