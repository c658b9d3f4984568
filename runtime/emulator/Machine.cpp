// Threads, warps and clusters as the primitives use them.
#include "runtime/emulator/Machine.h"

#include "runtime/emulator/AccessLog.h"
#include "runtime/emulator/CounterClocks.h"
#include "runtime/emulator/Launch.h"
#include "runtime/emulator/Report.h"
#include "runtime/emulator/Scheduler.h"
#include "runtime/emulator/Shadow.h"

#include <bit>
#include <cstring>

namespace sluice::emulator {

namespace {
bool sameText(const char *a, const char *b) { return a == b || !std::strcmp(a, b); }
} // namespace

Thread::Thread() : SluiceEmuThread() {}
Thread::~Thread() = default;
Thread::Thread(Thread &&) noexcept = default;

void WaitList::wakeAll() {
  // A woken thread may come back to this list only after this loop.
  for (Thread *thread : threads)
    thread->machine->wake(*thread);
  threads.clear();
}

Thread &Warp::thread(unsigned lane) const { return block->threads[index * 32 + lane]; }

void Warp::goOn() {
  ++met;
  uint32_t waiting = 0;
  for (unsigned lane = 0; lane < 32; ++lane) {
    Thread &each = thread(lane);
    if (each.state != ThreadState::parked)
      continue;
    each.state = ThreadState::runnable;
    waiting |= 1u << lane;
  }
  block->machine->scheduler->makeRunnable(*this, waiting);
}

Actor Cluster::addActor(ActorName name) {
  size_t actor = threadCount() + agents.size();
  if (actor >= 0xffff)
    fatal(currentThread(), "limit", Site(), "expected fewer than 65535 threads and asynchronous agents in a cluster");
  agents.push_back(name);
  return static_cast<Actor>(actor);
}

void Cluster::learnStarts(Thread &thread) const {
  for (uint32_t rank = 0; rank < blocks.size() && blocks.size() > 1; ++rank)
    learn(thread.clock, startOf(rank), 1, thread.machine->joiner);
}

uint32_t Cluster::threadCount() const {
  return static_cast<uint32_t>(blocks.size() * blocks.front()->threads.size());
}

std::string Cluster::describe(Actor actor) const {
  uint32_t perBlock = static_cast<uint32_t>(blocks.front()->threads.size());
  if (actor < threadCount())
    return nameOf(blocks[actor / perBlock]->threads[actor % perBlock]);
  const ActorName &name = agents[actor - threadCount()];
  return std::string(name.what) + " " + std::to_string(name.index) + " of block " +
         positionText(blocks[name.rank]->position);
}

Machine::Machine(LaunchState &launch)
    : launch(launch), scheduler(std::make_unique<Scheduler>(*this)),
      reports(std::make_unique<ReportSink>(launch.options.maxReports)),
      counterClocks(std::make_unique<CounterClocks>()), checks(launch.options.check),
      counts(launch.options.count) {
  if (checks)
    globalShadow = std::make_unique<GlobalShadow>(launch);
}

Machine::~Machine() = default;

const Options &Machine::options() const { return launch.options; }
const BoundLaunch &Machine::bound() const { return launch.bound; }

void Machine::park(Thread &thread, const Wait &wait) {
  scheduler->noteProgress();
  thread.wait = wait;
  thread.state = ThreadState::parked;
  scheduler->switchAway(thread);
}

void Machine::wake(Thread &thread) {
  if (thread.state == ThreadState::parked)
    scheduler->makeRunnable(thread);
}

void Machine::maybeYield(Thread &thread) {
  if (launch.options.scheduling != Scheduling::random || !chance(8))
    return;
  scheduler->makeRunnable(thread);
  scheduler->switchAway(thread);
}

void Machine::notePoll(Thread &thread, const Wait &wait, uint64_t value, Polling polling) {
  Thread::Poll &poll = thread.poll;
  if (poll.address != wait.object || poll.value != value) {
    poll = {wait.object, value, 0};
    return;
  }
  ++poll.count;
  thread.wait = wait;
  thread.wait.describe = [](const Thread &polls) {
    return "polls, reads " + std::to_string(polls.poll.value) + " each time";
  };
  if (scheduler->pollsForEver(polling))
    scheduler->giveUp();
  scheduler->yieldToOthers(thread);
}

void Machine::meet(Thread &thread, const Wait &wait, void *arguments, bool (*body)(Warp &)) {
  Warp &warp = *thread.inWarp;
  if (warp.exited)
    reportMeetingExited(thread, warp, wait);
  if (!warp.arrived) {
    warp.primitive = wait.primitive;
    warp.site = wait.site;
  } else if (!samePlace(warp.site, wait.site) || !sameText(warp.primitive, wait.primitive)) {
    reportDivergence(thread, warp, wait);
  }
  warp.arguments[thread.lane] = arguments;
  warp.arrived |= 1u << thread.lane;
  uint32_t met = warp.met;
  if (warp.arrived == 0xffffffffu) {
    warp.arrived = 0;
    if (counts)
      flushAccesses(warp);
    if (body(warp))
      warp.goOn();
  }
  while (warp.met == met)
    park(thread, wait);
}

void Machine::issue(const std::shared_ptr<AsyncOperation> &operation) { scheduler->issue(operation); }
void Machine::finish(AsyncOperation &operation) { scheduler->land(operation); }
bool Machine::landsAtOnce() const { return launch.options.completion == Completion::eager; }
uint32_t Machine::random(uint32_t bound) { return scheduler->random.below(bound); }

uint16_t Machine::siteNumber(Site site, const char *primitive) {
  return sites.number(launch.sites, {site, primitive});
}

void Machine::recordSite(Site site, const char *primitive, bool ordered) {
  CallSite &entry = callSites[{identity(site), primitive}];
  if (entry.executions++ == 0) {
    entry.file = site.file_name();
    entry.primitive = primitive;
    entry.line = site.line();
    entry.column = site.column();
    entry.ordered = ordered;
  }
}

} // namespace sluice::emulator
