// Barriers in shared memory that count arrivals and bytes. What the program sees of one is opaque, so its
// state is kept here; the eight bytes in shared memory hold a pattern that shows when ordinary code has
// overwritten them.
#pragma once

#include "runtime/emulator/Machine.h"

#include <deque>

namespace sluice::emulator {

/// One mbarrier. Copies that complete on it are one agent of the clocks; each copy is an epoch.
class MbarrierState {
public:
  MbarrierState(Block &block, uint32_t offset);
  ~MbarrierState();
  MbarrierState(const MbarrierState &) = delete;
  MbarrierState &operator=(const MbarrierState &) = delete;

  /// A new life of this barrier.
  void initialise(Thread &thread, uint32_t arrivals, Site site);
  /// Throws the clocks' knowledge away, too; reports what is unfinished.
  void invalidate(Thread &thread, Site site);

  /// Arrives for the thread, which releases.
  void arrive(Thread &thread, uint32_t arrivals, const char *primitive, Site site, bool releases = true);
  /// Arrives for an asynchronous operation that knew `what` when it was issued.
  void arriveFor(Thread &thread, SyncClock &what, const char *primitive, Site site);
  void expect(Thread &thread, uint32_t count, const char *primitive, Site site);
  /// A copy of the thread will count its bytes: who it is to the race checker.
  Agent beginCopy(AsyncOperation &copy, bool asyncProxy);
  void endCopy(Thread &thread, uint32_t epoch, uint32_t count, const Call &call);
  /// Parks until the phase of that parity has completed.
  void wait(Thread &thread, uint32_t parity, const Wait &as, bool acquires = true);
  /// Whether it has, without waiting; acquires if so. If not, lets others run.
  bool test(Thread &thread, uint32_t parity, const Wait &as);

  /// "mbarrier at offset 64"
  std::string name() const;
  /// "initialised at kernel.cu:12"
  std::string initialisedWhere() const;
  /// What the phase in progress still lacks.
  std::string lacks() const;
  bool holdsPattern() const;
  bool inProgress() const { return pending != count || bytes != 0; }

  Block &block;
  const uint32_t offset;
  bool live = false;
  /// Asynchronous operations and peers see the initialisation.
  bool fenced = false;
  Thread *initialiser = nullptr;
  Agent initialisation; ///< Over for whoever may use the barrier.
  Site initialised;
  int64_t phase = 0; ///< Completed ones.
  WaitList waiters;

private:
  /// Somebody has seen that phase `target` is complete.
  struct Seen {
    Thread *thread;
    uint32_t epoch;
    int64_t target;
    Site site;
  };
  void settle(Thread &thread, const char *primitive, Site site);
  void completePhase();
  void checkLapped();
  void observe(Thread &thread, int64_t target, Site site, bool acquires);
  uint32_t copiesOver() const;

  uint32_t count = 0, pending = 0;
  int64_t bytes = 0; ///< Expected and not yet here.
  Actor copies = 0;
  uint32_t begun = 0; ///< Copies, ever.
  Call lastCopy;      ///< To land.
  struct InFlight {
    uint32_t epoch;
    AsyncOperation *copy;
  };
  std::vector<InFlight> inFlight;
  SyncClock arriving, completed;
  std::vector<Seen> seen;
  uint32_t vainTests = 0; ///< Since the last phase.
};

/// The mbarriers of one block.
class Mbarriers : public BlockPart {
public:
  explicit Mbarriers(Block &block);
  static Mbarriers &of(Block &block) { return block.part<Mbarriers>(Part::mbarriers); }

  /// The barrier at a shared-window address, reported and null if it is none, is damaged or not yet visible.
  MbarrierState *find(Thread &thread, uint32_t address, const char *primitive, Site site);
  /// The same for an operation of the asynchronous proxy or of a peer.
  MbarrierState *findFenced(Thread &thread, uint32_t address, const char *primitive, Site site);
  MbarrierState *place(Thread &thread, uint32_t address, const char *primitive, Site site);
  /// The thread's initialisations so far become visible to the asynchronous proxy and to peers. If the fence
  /// is mbarrierFenceInit, a relaxed arrival at the cluster's barrier makes them known, too.
  void fence(Thread &thread, bool releases);
  static void releaseInitialisations(Thread &thread, SyncClock &into);
  /// A thread initialises a barrier: an epoch of an agent of its own, which the thread knows at once.
  Agent newInitialisation(Thread &thread);

  void blockEnds(Block &block) override;
  void describeDeadlock(const Block &block, std::string &text) override;

private:
  Block &block;
  std::vector<uint16_t> byWord; ///< 1 + index in `states`, for each 8 bytes of shared memory.
  std::deque<MbarrierState> states;
  struct Initialiser {
    Thread *thread;
    Actor actor;
    uint32_t epoch = 0, released = 0;
  };
  std::vector<Initialiser> initialisers;
};

/// Whether an arrival, perhaps altered from `count` to `arrivals`, arrives at all; reports a count of 0.
bool isArrival(Thread &thread, uint32_t count, uint32_t arrivals, const char *primitive, Site site);

/// A copy whose bytes an mbarrier counts.
class CountedCopy : public AsyncOperation {
public:
  CountedCopy(Thread &thread, MbarrierState &barrier, uint32_t bytes, bool asyncProxy, const Call &call)
      : thread(thread), barrier(barrier), bytes(bytes), agent(barrier.beginCopy(*this, asyncProxy)),
        call(call) {}
  void land() final {
    move();
    barrier.endCopy(thread, agent.epoch, bytes, call);
  }
  virtual void move() = 0;

  Thread &thread;
  MbarrierState &barrier;
  const uint32_t bytes;
  const Agent agent;
  const Call call;
};

} // namespace sluice::emulator
