// Named barriers of a block, the warp's own barrier, and memory order through them.
#include "runtime/emulator/Access.h"
#include "runtime/emulator/Launch.h"
#include "runtime/emulator/Machine.h"
#include "runtime/emulator/Mutation.h"

#include <array>
#include <bit>

namespace sluice::emulator {

namespace {

/// What the lanes of a warp call a barrier with.
struct BarrierCall {
  uint32_t id, threads;
  int how;
  Wait wait;
};

constexpr const char *names[] = {"syncThreads", "barrierSync", "barrierArrive"};

class NamedBarriers : public BlockPart {
public:
  explicit NamedBarriers(Block &) {}
  bool come(Warp &warp, const BarrierCall &call);
  void describeDeadlock(const Block &, std::string &text) override;

private:
  struct Barrier {
    uint32_t expected = 0, arrived = 0;
    uint32_t comeWarps = 0, waitingWarps = 0;
    const char *primitive = "";
    Site site;               ///< Of the warp that came first.
    SyncClock clock;
  };
  void expectConsistent(Warp &warp, const Barrier &barrier, const BarrierCall &call);
  void complete(Block &block, Barrier &barrier, Warp *last);
  std::array<Barrier, 16> barriers;
};

void NamedBarriers::expectConsistent(Warp &warp, const Barrier &barrier, const BarrierCall &call) {
  Thread &thread = currentThread();
  std::string earlier = std::string(barrier.primitive) + " at " + placeOf(barrier.site);
  if (barrier.arrived && barrier.expected != call.threads)
    fatal(thread, "barrier misuse", call.wait.site,
          std::string(call.wait.primitive) + " on barrier " + std::to_string(call.id) + " for " +
              std::to_string(call.threads) + " threads, expected " + std::to_string(barrier.expected) +
              " as those who came before",
          earlier);
  if (barrier.comeWarps >> warp.index & 1)
    fatal(thread, "barrier misuse", call.wait.site,
          "warp " + std::to_string(warp.index) + " comes to barrier " + std::to_string(call.id) +
              " again before the others have come, of which " +
              std::to_string(barrier.expected - barrier.arrived) + " threads are missing",
          earlier);
}

bool NamedBarriers::come(Warp &warp, const BarrierCall &call) {
  Block &block = *warp.block;
  Barrier &barrier = barriers[call.id];
  expectConsistent(warp, barrier, call);
  if (!barrier.arrived) {
    barrier.expected = call.threads;
    barrier.primitive = call.wait.primitive;
    barrier.site = call.wait.site;
  }
  barrier.arrived += 32;
  barrier.comeWarps |= 1u << warp.index;
  if (block.machine->checking())
    for (unsigned lane = 0; lane < 32; ++lane)
      barrier.clock.release(warp.thread(lane).clock);
  bool waits = call.how != sluiceEmuBarrierArrive;
  if (barrier.arrived == barrier.expected) {
    complete(block, barrier, waits ? &warp : nullptr);
    return true;
  }
  if (waits)
    barrier.waitingWarps |= 1u << warp.index;
  return !waits;
}

void NamedBarriers::complete(Block &block, Barrier &barrier, Warp *last) {
  if (block.counters)
    block.counters->barrier();
  auto acquire = [&](Warp &warp) {
    for (unsigned lane = 0; block.machine->checking() && lane < 32; ++lane)
      barrier.clock.acquire(warp.thread(lane).clock, block.machine->joiner);
  };
  if (last)
    acquire(*last);
  for (uint32_t left = barrier.waitingWarps; left; left &= left - 1) {
    Warp &warp = block.warps[std::countr_zero(left)];
    acquire(warp);
    warp.goOn();
  }
  barrier.arrived = barrier.comeWarps = barrier.waitingWarps = 0;
  barrier.clock.clear();
}

void NamedBarriers::describeDeadlock(const Block &, std::string &text) {
  for (uint32_t id = 0; id < barriers.size(); ++id)
    if (barriers[id].arrived)
      text += (text.empty() ? "barrier " : ", barrier ") + std::to_string(id) + " has " +
              std::to_string(barriers[id].arrived) + " of " + std::to_string(barriers[id].expected) +
              " threads";
}

std::string describeBarrier(const Thread &thread) {
  return "barrier " + std::to_string(thread.wait.value);
}

/// A barrier's number and its count of threads as the hardware demands them.
void expectLegal(Thread &thread, const BarrierCall &call) {
  auto misuse = [&](const std::string &message) {
    fatal(thread, "barrier misuse", call.wait.site, std::string(call.wait.primitive) + ": " + message);
  };
  if (call.id >= 16 || (call.id == 0 && call.how != sluiceEmuSyncThreads))
    misuse("expected a barrier from 1 to 15 (0 is that of syncThreads), got " + std::to_string(call.id));
  if (call.threads % 32 || call.threads == 0)
    misuse("expected a positive multiple of 32 threads, got " + std::to_string(call.threads));
  if (call.threads > thread.blockThreads)
    misuse("expected at most the block's " + std::to_string(thread.blockThreads) + " threads, got " +
           std::to_string(call.threads));
}

bool comeToBarrier(Warp &warp) {
  const auto &call = *static_cast<const BarrierCall *>(warp.arguments[0]);
  for (unsigned lane = 1; lane < 32; ++lane) {
    const auto &other = *static_cast<const BarrierCall *>(warp.arguments[lane]);
    if (other.id != call.id || other.threads != call.threads)
      fatal(warp.thread(lane), "barrier misuse", call.wait.site,
            "lane " + std::to_string(lane) + " names barrier " + std::to_string(other.id) + " of " +
                std::to_string(other.threads) + " threads, expected barrier " + std::to_string(call.id) +
                " of " + std::to_string(call.threads) + " as lane 0");
  }
  return warp.block->part<NamedBarriers>(Part::barriers).come(warp, call);
}

bool orderLanes(Warp &warp) {
  Machine &machine = *warp.block->machine;
  if (!machine.checking())
    return true;
  SyncClock clock;
  for (unsigned lane = 0; lane < 32; ++lane)
    clock.release(warp.thread(lane).clock);
  for (unsigned lane = 0; lane < 32; ++lane)
    clock.acquire(warp.thread(lane).clock, machine.joiner);
  return true;
}

} // namespace

} // namespace sluice::emulator

using namespace sluice::emulator;

extern "C" {

void sluiceEmuBarrier(unsigned id, unsigned threads, int how, sluice::device::Site site) {
  Thread &thread = currentThread();
  const char *primitive = names[how];
  BarrierCall call{id, threads, how, {primitive, site, describeBarrier, nullptr, id}};
  switch (alteration(thread, site, primitive)) {
  case Alteration::skip: return;
  case Alteration::moreArrivals: call.threads += 32; break;
  case Alteration::fewerArrivals: call.threads -= 32; break;
  default: break;
  }
  expectLegal(thread, call);
  thread.machine->meet(thread, call.wait, &call, comeToBarrier);
}

void sluiceEmuSyncWarp(sluice::device::Site site) {
  Thread &thread = currentThread();
  if (alteration(thread, site, "syncWarp") == Alteration::skip)
    return;
  thread.machine->meet(thread, {"syncWarp", site}, nullptr, orderLanes);
}

} // extern "C"
