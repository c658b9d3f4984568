// What counters and atomics in global memory order: the clock that a release leaves at an address for who
// acquires it there, and who waits for the value to change.
#pragma once

#include "runtime/emulator/Machine.h"

#include <deque>
#include <unordered_map>

namespace sluice::emulator {

/// The latest values of a counter and what each carried. Who waits for a value learns no more than the first
/// value that satisfies it carries: it might have seen that one, so a wait for too few is found in every
/// order of events.
class CounterHistory {
public:
  void add(uint32_t before, uint32_t value, SyncClock &clock) {
    if (steps.empty())
      initial = before;
    steps.push_back({value, clock.snapshot()});
    if (steps.size() > kept) {
      steps.pop_front();
      complete = false;
    }
  }
  /// The clock of the first of the latest values that are all at least `atLeast`. Null: the initial value is.
  SyncClock *firstAtLeast(uint32_t atLeast) {
    size_t first = steps.size();
    while (first > 0 && steps[first - 1].value >= atLeast)
      --first;
    if (first == steps.size() || (first == 0 && complete && initial >= atLeast))
      return nullptr;
    // Any of the later values might have been seen as well; one that carries nothing teaches nothing.
    for (size_t i = first; i < steps.size(); ++i)
      if (steps[i].clock.empty())
        return nullptr;
    return &steps[first].clock;
  }

private:
  static constexpr size_t kept = 64;
  struct Step {
    uint32_t value;
    SyncClock clock;
  };
  std::deque<Step> steps;
  uint32_t initial = 0;
  bool complete = true;  ///< `initial` came right before the first step.
};

/// A word of global memory that is accessed atomically.
struct Counter {
  SyncClock clock;   ///< Of the releases that the present value stems from.
  CounterHistory history;
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
