// Stores from shared memory that a thread's bulk groups track: first the source is read, later the
// destination is written. A wait may ask for the first or for both.
#pragma once

#include "runtime/emulator/Machine.h"

#include <deque>

namespace sluice::emulator {

/// One store. Both halves are operations of their own, so that anything can happen in between.
class BulkStore {
public:
  BulkStore(Thread &thread, const uint8_t *source, uint32_t bytes)
      : reading(*this), writing(*this), thread(thread), source(source), held(bytes) {}
  virtual ~BulkStore() = default;

  struct Half : AsyncOperation {
    explicit Half(BulkStore &store) : store(store) { spontaneous = false; }
    BulkStore &store;
  };
  struct Reading : Half {
    using Half::Half;
    void land() override;
  } reading;
  struct Writing : Half {
    using Half::Half;
    void land() override;
  } writing;

protected:
  /// Writes what was read, held at `bytes`.
  virtual void write(const uint8_t *bytes) = 0;
  Thread &thread;

private:
  const uint8_t *source;
  std::vector<uint8_t> held;
};

/// The stores of each thread of a block.
class BulkGroups : public BlockPart {
public:
  explicit BulkGroups(Block &block) : threads(block.threads.size()) {}
  static BulkGroups &of(Thread &thread) { return thread.inBlock->part<BulkGroups>(Part::tensorCopy); }

  /// Who reads the source and who writes, to the race checker.
  Agent reader(Thread &thread);
  Agent writer(Thread &thread);
  void issue(Thread &thread, const std::shared_ptr<BulkStore> &store, Site site);
  void commit(Thread &thread);
  /// Leaves at most `pending` groups unfinished; only their reading counts unless `full`.
  void wait(Thread &thread, uint32_t pending, bool full);

  void threadExits(Thread &thread) override;
  void blockEnds(Block &block) override;

private:
  using Group = std::vector<std::shared_ptr<BulkStore>>;
  struct ThreadStores {
    Group open;
    std::deque<Group> groups;    ///< Youngest last.
    uint32_t committed = 0;      ///< Groups, ever.
    uint32_t dropped = 0;        ///< Of them, no longer in `groups`.
    uint32_t read = 0, used = 0; ///< Groups known to be read; the last one with a store.
    Site last;
  };
  Agent agent(Thread &thread, OwnAgent kind, const char *what);
  std::vector<ThreadStores> threads;
};

} // namespace sluice::emulator
