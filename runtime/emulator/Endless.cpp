// Finds threads that run for ever. Only their own host thread can stop them, so it gets a signal.
#include "runtime/emulator/Endless.h"

#include "runtime/emulator/Launch.h"
#include "runtime/emulator/Machine.h"
#include "runtime/emulator/Signals.h"

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace sluice::emulator {

namespace {

std::string describe(const Thread &thread) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%g", thread.machine->options().patience);
  return nameOf(thread) + " has run for " + seconds +
         " s or more without waiting for others or ending: a loop without end";
}

} // namespace

void Watch::begin(Machine &machine) {
  std::lock_guard lock(mutex);
  running.push_back({&machine, pthread_self(), 0});
}

void Watch::end(Machine &machine) {
  std::lock_guard lock(mutex);
  std::erase_if(running, [&](const Running &one) { return one.machine == &machine; });
  ++ended;
  changed.notify_all();
}

void Watch::waitFor(size_t count, std::chrono::duration<double> patience) {
  std::unique_lock lock(mutex);
  auto allEnded = [&] { return ended == count; };
  if (patience <= patience.zero())
    return changed.wait(lock, allEnded);
  while (!changed.wait_for(lock, patience, allEnded))
    for (Running &one : running) {
      uint64_t turns = one.machine->turns.load(std::memory_order_relaxed);
      bool stuck = one.seen == turns;
      one.seen = turns;
      one.machine->overdue.store(stuck, std::memory_order_relaxed);
      if (stuck)
        pthread_kill(one.thread, overdueSignal);
    }
}

void reportEndless(Thread &thread, const Access &access) {
  fatal(thread, "endless loop", access.site, describe(thread) + "; here in " + access.primitive);
}

void interruptEndless(Thread &thread, uint64_t instruction) {
  Machine &machine = *thread.machine;
  if (!machine.overdue.load(std::memory_order_relaxed))
    return;
  // What the headers do without a call comes to the library from now on, and is reported with its place.
  if (!std::exchange(thread.observed, true) || !machine.launch.code.contains(instruction))
    return;
  if (machine.stuckSince != machine.turns.load(std::memory_order_relaxed)) {
    machine.stuckSince = machine.turns.load(std::memory_order_relaxed);
    return;
  }
  std::string text = describe(thread);
  if (*thread.wait.primitive)
    text += "; the thread waited last in " + std::string(thread.wait.primitive) + " at " +
            placeOf(thread.wait.site);
  fatal(thread, "endless loop", Site(), text);
}

} // namespace sluice::emulator
