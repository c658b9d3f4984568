// What counters and atomics in global memory order: the clock that a release leaves at an address for who acquires
// it there, and who waits for the value to change.
#pragma once

#include "runtime/emulator/Machine.h"

#include <unordered_map>

namespace sluice::emulator {

/// A word of global memory that is accessed atomically.
struct Counter {
  SyncClock clock;   ///< Of the releases that the present value stems from.
  struct Waiter {
    Thread *thread;
    uint32_t atLeast;
  };
  std::vector<Waiter> waiters;
  uint32_t lowest = ~0u;  ///< Value that any of them waits for.
};

class CounterClocks {
public:
  Counter &at(uint64_t address) { return counters[address]; }
  /// Threads of a block that has ended no longer wait; independent blocks share no clocks.
  void clear() { counters.clear(); }

private:
  std::unordered_map<uint64_t, Counter> counters;
};

/// A fence before a relaxed store makes it a release, a fence after a relaxed load makes it an acquire.
struct Thread::Fences {
  bool fenced = false;
  Clock atFence;     ///< What relaxed stores release.
  SyncClock loaded;  ///< What relaxed loads have seen, for the next fence.
};

} // namespace sluice::emulator
