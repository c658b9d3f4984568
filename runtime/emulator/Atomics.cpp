// Counters and atomics: relaxed ones order nothing; a release leaves a clock at its address, which an acquire
// of what it wrote (or of what updates made of that) takes over. Who waits for a counter is parked until it
// changes.
#include "runtime/emulator/Access.h"
#include "runtime/emulator/AccessLog.h"
#include "runtime/emulator/CounterClocks.h"
#include "runtime/emulator/Launch.h"
#include "runtime/emulator/Mutation.h"
#include "runtime/emulator/Scheduler.h"

#include <algorithm>

using namespace sluice::emulator;
using sluice::device::Order;
using sluice::device::Site;

namespace {

bool acquires(Order order) { return order == Order::acquire || order == Order::acquireRelease; }
bool releases(Order order) { return order == Order::release || order == Order::acquireRelease; }

/// Independent blocks may run one after another in any order: what one learns from another is chance.
void expectCommunication(Thread &thread, const char *primitive, Site site) {
  LaunchState &launch = thread.machine->launch;
  if (launch.cooperative || launch.clusters == 1)
    return;
  report(thread, "undeclared communication", site,
         std::string(primitive) + " waits for or acquires what other blocks do, but the launch record says "
                                  "that blocks are independent");
}

Thread::Fences &fencesOf(Thread &thread) {
  if (!thread.fences)
    thread.fences = std::make_unique<Thread::Fences>();
  return *thread.fences;
}

void learnFrom(Thread &thread, SyncClock &clock, Order order) {
  if (!thread.machine->checking() || clock.empty())
    return;
  if (acquires(order))
    clock.acquire(thread.clock, thread.machine->joiner);
  else
    fencesOf(thread).loaded.join(clock);
}

void leaveAt(Thread &thread, Counter &counter, Order order) {
  if (!thread.machine->checking())
    return;
  if (releases(order))
    counter.clock.release(thread.clock);
  else if (thread.fences && thread.fences->fenced)
    counter.clock.add(thread.fences->atFence);
}

void wakeWaiters(Machine &machine, Counter &counter, uint32_t value) {
  machine.scheduler->noteProgress();
  if (value < counter.lowest)
    return;
  counter.lowest = ~0u;
  std::erase_if(counter.waiters, [&](const Counter::Waiter &waiter) {
    if (value < waiter.atLeast) {
      counter.lowest = std::min(counter.lowest, waiter.atLeast);
      return false;
    }
    machine.wake(*waiter.thread);
    return true;
  });
}

std::string describeWait(const Thread &thread) {
  auto at = reinterpret_cast<uint64_t>(thread.wait.object);
  const Allocation *allocation = thread.machine->launch.below(at);
  uint32_t value = __atomic_load_n(static_cast<const uint32_t *>(thread.wait.object), __ATOMIC_RELAXED);
  return "byte " + std::to_string(at - allocation->base) + " of '" + allocation->name + "' is " +
         std::to_string(value) + ", expected at least " + std::to_string(thread.wait.value);
}

template <class Word> Word update(int operation, Word *address, Word value, Word expected) {
  Word old = __atomic_load_n(address, __ATOMIC_SEQ_CST);
  for (;;) {
    Word result = value;
    switch (operation) {
    case sluiceEmuAdd:
      result = old + value;
      break;
    case sluiceEmuMin:
      result = std::min(old, value);
      break;
    case sluiceEmuMax:
      result = std::max(old, value);
      break;
    case sluiceEmuAnd:
      result = old & value;
      break;
    case sluiceEmuOr:
      result = old | value;
      break;
    case sluiceEmuXor:
      result = old ^ value;
      break;
    case sluiceEmuCompareExchange:
      result = old == expected ? value : old;
      break;
    default:
      break;
    }
    // Independent blocks update the same word from other host threads.
    if (__atomic_compare_exchange_n(address, &old, result, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
      return old;
  }
}

uint64_t updateBytes(int operation, void *address, uint64_t value, uint64_t expected, unsigned bytes) {
  if (bytes == 8)
    return update<uint64_t>(operation, static_cast<uint64_t *>(address), value, expected);
  return update<uint32_t>(operation, static_cast<uint32_t *>(address), static_cast<uint32_t>(value),
                          static_cast<uint32_t>(expected));
}

uint64_t valueAt(const void *address, unsigned bytes) {
  if (bytes == 8)
    return __atomic_load_n(static_cast<const uint64_t *>(address), __ATOMIC_SEQ_CST);
  return __atomic_load_n(static_cast<const uint32_t *>(address), __ATOMIC_SEQ_CST);
}

Counter &counterAt(Thread &thread, const void *address) {
  return thread.machine->counterClocks->at(reinterpret_cast<uint64_t>(address));
}

/// The allocation of a counter, after the access has been checked and recorded.
Allocation *accessCounter(Thread &thread, const void *address, Access access, bool changes) {
  Access checked = access;
  checked.kind = changes ? AccessKind::write : AccessKind::read;
  Allocation *allocation = globalBytes(thread, address, checked, access.bytes);
  if (allocation)
    recordGlobal(thread, *allocation, reinterpret_cast<uint64_t>(address), access);
  return allocation;
}

struct Update {
  int operation;
  uint64_t value, expected;
  bool returns;
};

uint64_t updateCounter(Thread &thread, void *address, const Update &change, const Access &access,
                       Order order) {
  if (!accessCounter(thread, address, access, true))
    return ~uint64_t(0);
  Counter &counter = counterAt(thread, address);
  uint64_t old = updateBytes(change.operation, address, change.value, change.expected, access.bytes);
  uint64_t now = valueAt(address, access.bytes);
  // A reduction returns nothing, so its thread learns nothing.
  if (change.returns)
    learnFrom(thread, counter.clock, order);
  // A compare-exchange that fails writes nothing that another thread could acquire.
  if (change.operation != sluiceEmuCompareExchange || old == change.expected) {
    leaveAt(thread, counter, order);
    if (thread.machine->checking())
      counter.history.add(static_cast<uint32_t>(old), static_cast<uint32_t>(now), counter.clock);
  }
  if (now != old || !counter.waiters.empty())
    wakeWaiters(*thread.machine, counter, static_cast<uint32_t>(now));
  // A lock that somebody else holds, a flag that is not set yet; or just an update without effect.
  if (now == old && change.returns)
    thread.machine->notePoll(thread, {access.primitive, access.site, nullptr, address}, old,
                             change.operation == sluiceEmuCompareExchange ? Polling::surely
                                                                          : Polling::perhaps);
  return old;
}

} // namespace

extern "C" {

unsigned sluiceEmuLoadCounter(const void *address, int order, Site site) {
  Thread &thread = currentThread();
  auto effective = static_cast<Order>(order);
  if (alteration(thread, site, "loadCounter", effective != Order::relaxed) == Alteration::relaxed)
    effective = Order::relaxed;
  thread.machine->maybeYield(thread);
  if (acquires(static_cast<Order>(order)))
    expectCommunication(thread, "loadCounter", site);
  if (!accessCounter(thread, address, {4, AccessKind::atomic, "loadCounter", site}, false))
    return 0xffffffff;
  auto *word = static_cast<const uint32_t *>(address);
  thread.machine->notePoll(thread, {"loadCounter", site, nullptr, address},
                           __atomic_load_n(word, __ATOMIC_SEQ_CST));
  learnFrom(thread, counterAt(thread, address).clock, effective);
  return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

void sluiceEmuStoreCounter(void *address, unsigned value, int order, Site site) {
  Thread &thread = currentThread();
  auto effective = static_cast<Order>(order);
  Alteration altered = alteration(thread, site, "storeCounter", effective != Order::relaxed);
  if (altered == Alteration::skip)
    return;
  if (altered == Alteration::relaxed)
    effective = Order::relaxed;
  thread.machine->maybeYield(thread);
  if (!accessCounter(thread, address, {4, AccessKind::atomic, "storeCounter", site}, true))
    return;
  Counter &counter = counterAt(thread, address);
  // A new value: what earlier ones carried is gone.
  counter.clock.clear();
  leaveAt(thread, counter, effective);
  auto *word = static_cast<uint32_t *>(address);
  if (thread.machine->checking())
    counter.history.add(__atomic_load_n(word, __ATOMIC_SEQ_CST), value, counter.clock);
  __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
  wakeWaiters(*thread.machine, counter, value);
}

void sluiceEmuWaitCounter(const void *address, unsigned atLeast, Site site) {
  Thread &thread = currentThread();
  Alteration altered = alteration(thread, site, "waitCounter");
  if (altered == Alteration::skip)
    return;
  if (altered == Alteration::fewerArrivals && atLeast)
    --atLeast;
  if (altered == Alteration::moreArrivals)
    ++atLeast;
  thread.machine->maybeYield(thread);
  expectCommunication(thread, "waitCounter", site);
  if (!accessCounter(thread, address, {4, AccessKind::atomic, "waitCounter", site}, false))
    return;
  while (__atomic_load_n(static_cast<const uint32_t *>(address), __ATOMIC_SEQ_CST) < atLeast) {
    Counter &counter = counterAt(thread, address);
    counter.waiters.push_back({&thread, atLeast});
    counter.lowest = std::min(counter.lowest, atLeast);
    thread.machine->park(thread, {"waitCounter", site, describeWait, address, atLeast});
  }
  if (SyncClock *clock = counterAt(thread, address).history.firstAtLeast(atLeast))
    learnFrom(thread, *clock, altered == Alteration::relaxed ? Order::relaxed : Order::acquire);
}

unsigned long long sluiceEmuAtomicGlobal(int operation, void *address, unsigned long long value,
                                         unsigned long long expected, unsigned bytes, int order,
                                         const char *primitive, Site site) {
  Thread &thread = currentThread();
  auto effective = static_cast<Order>(order);
  Alteration altered = alteration(thread, site, primitive, effective != Order::relaxed);
  if (altered == Alteration::skip)
    return 0;
  if (altered == Alteration::relaxed)
    effective = Order::relaxed;
  if (altered == Alteration::moreArrivals)
    ++value;
  if (altered == Alteration::fewerArrivals)
    --value;
  thread.machine->maybeYield(thread);
  if (acquires(static_cast<Order>(order)))
    expectCommunication(thread, primitive, site);
  bool returns = std::string_view(primitive) != "addCounter";
  if (thread.machine->counting() && returns)
    logAccess(thread, LoggedSpace::globalUpdate, reinterpret_cast<uint64_t>(address),
              {bytes, AccessKind::atomic, primitive, site});
  return updateCounter(thread, address, {operation, value, expected, returns},
                       {bytes, AccessKind::atomic, primitive, site}, effective);
}

unsigned long long sluiceEmuAtomicShared(int operation, unsigned address, unsigned long long value,
                                         unsigned bytes, Site site) {
  Thread &thread = currentThread();
  Access access{bytes, AccessKind::atomic, "atomicAdd", site};
  uint8_t *word = sharedBytes(thread, *thread.inBlock, address, access, bytes);
  if (!word)
    return 0;
  thread.machine->maybeYield(thread);
  recordShared(thread, *thread.inBlock, sharedOffset(address), access);
  if (thread.machine->counting())
    logAccess(thread, LoggedSpace::shared, sharedOffset(address), access);
  uint64_t old = updateBytes(operation, word, value, 0, bytes);
  if (valueAt(word, bytes) == old)
    thread.machine->notePoll(thread, {access.primitive, site, nullptr, word}, old, Polling::perhaps);
  return old;
}

void sluiceEmuFence(int device, Site site) {
  Thread &thread = currentThread();
  if (alteration(thread, site, device ? "fenceDevice" : "fenceBlock") == Alteration::skip ||
      !thread.machine->checking())
    return;
  // A fence of the block orders nothing for others, and whom a counter is for is not known before it is read.
  if (!device && thread.machine->launch.blocks > 1)
    return;
  Thread::Fences &fences = fencesOf(thread);
  fences.loaded.acquire(thread.clock, thread.machine->joiner);
  fences.loaded.clear();
  fences.atFence = thread.clock;
  fences.fenced = true;
  // What the thread does from here on is not before the fence.
  ++thread.clock.epoch;
}

} // extern "C"
