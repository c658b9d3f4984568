// State machine of mbarriers and the primitives on those of the own block.
#include "runtime/emulator/Mbarrier.h"

#include "codegen/cuda/device/emu/AbiAsync.h"
#include "runtime/emulator/Access.h"
#include "runtime/emulator/Remote.h"

#include <algorithm>
#include <cstring>

namespace sluice::emulator {
namespace {

constexpr uint32_t barrierBytes = 8;
constexpr int64_t greatestCount = (1 << 20) - 1;
constexpr uint32_t endlessTests = 1'000'000;

/// Wakes a thread that polls.
class NextTurn : public AsyncOperation {
public:
  explicit NextTurn(Thread &thread) : thread(thread) { late = true; }
  void land() override { thread.machine->wake(thread); }

private:
  Thread &thread;
};

uint64_t patternAt(uint32_t offset) { return 0x6d62617272696572 ^ (offset * 0x9e3779b97f4a7c15); }

std::string plural(int64_t count, const char *what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string phaseName(int64_t phase) {
  return phase < 0 ? "the phase before the first" : "phase " + std::to_string(phase);
}

/// Reports a parity that PTX leaves undefined.
void checkParity(Thread &thread, uint32_t parity, const char *primitive, Site site) {
  if (parity > 1)
    report(thread, "mbarrier misuse", site,
           std::string(primitive) + ": expected a parity of 0 or 1, got " + std::to_string(parity));
}

} // namespace

MbarrierState::MbarrierState(Block &block, uint32_t offset) : block(block), offset(offset) {
  if (block.machine->checking())
    copies = block.cluster->addActor({"copies on the mbarrier at offset", block.rank, offset});
}

/// What has not landed when the block is gone never does.
MbarrierState::~MbarrierState() {
  for (InFlight &one : inFlight)
    one.copy->landed = true;
}

std::string MbarrierState::name() const { return "mbarrier at offset " + std::to_string(offset); }

std::string MbarrierState::initialisedWhere() const { return "initialised at " + placeOf(initialised); }

std::string MbarrierState::lacks() const {
  std::string text = plural(pending, "arrival");
  if (bytes != 0)
    text +=
        bytes > 0 ? " and " + plural(bytes, "byte") : ", and " + plural(-bytes, "byte") + " too many came";
  return text;
}

bool MbarrierState::holdsPattern() const {
  uint64_t pattern = patternAt(offset);
  return std::memcmp(block.shared + offset, &pattern, barrierBytes) == 0;
}

void MbarrierState::initialise(Thread &thread, uint32_t arrivals, Site site) {
  if (live)
    report(thread, "mbarrier misuse", site, name() + " is initialised again without mbarrierInvalidate",
           initialisedWhere());
  if (arrivals == 0 || arrivals > greatestCount)
    report(thread, "mbarrier misuse", site,
           "expected a count from 1 to 1048575, got " + std::to_string(arrivals));
  live = true;
  fenced = false;
  initialiser = &thread;
  if (block.machine->checking())
    initialisation = Mbarriers::of(block).newInitialisation(thread);
  initialised = site;
  count = pending = arrivals;
  bytes = 0;
  phase = 0;
  seen.clear();
  arriving.clear();
  completed.clear();
  uint64_t pattern = patternAt(offset);
  std::memcpy(block.shared + offset, &pattern, barrierBytes);
}

void MbarrierState::invalidate(Thread &thread, Site site) {
  if (inProgress() || !inFlight.empty() || !waiters.empty())
    report(thread, "mbarrier misuse", site, name() + " is invalidated in a phase that lacks " + lacks(),
           initialisedWhere());
  live = false;
  std::memset(block.shared + offset, poisonByte, barrierBytes);
}

void MbarrierState::arrive(Thread &thread, uint32_t arrivals, const char *primitive, Site site,
                           bool releases) {
  if (releases && block.machine->checking())
    arriving.release(thread.clock);
  if (arrivals > pending) {
    report(thread, "mbarrier overflow", site,
           name() + " gets " + plural(arrivals, "arrival") + " where its phase lacks " +
               std::to_string(pending) + " of " + std::to_string(count),
           initialisedWhere());
    return;
  }
  pending -= arrivals;
  settle(thread, primitive, site);
}

void MbarrierState::arriveFor(Thread &thread, SyncClock &what, const char *primitive, Site site) {
  if (block.machine->checking())
    arriving.join(what);
  arrive(thread, 1, primitive, site, false);
}

void MbarrierState::expect(Thread &thread, uint32_t more, const char *primitive, Site site) {
  bytes += more;
  if (bytes > greatestCount)
    report(thread, "mbarrier overflow", site,
           name() + " expects " + std::to_string(bytes) + " bytes, more than 1048575");
  settle(thread, primitive, site);
}

Agent MbarrierState::beginCopy(AsyncOperation &copy, bool asyncProxy) {
  inFlight.push_back({++begun, &copy});
  return {copies, begun, asyncProxy};
}

void MbarrierState::endCopy(Thread &thread, uint32_t epoch, uint32_t came, const Call &call) {
  std::erase_if(inFlight, [&](const InFlight &one) { return one.epoch == epoch; });
  bytes -= came;
  lastCopy = call;
  settle(thread, call.primitive, call.site);
}

/// Copies land in any order; a waiter learns only of those before the first that has not landed.
uint32_t MbarrierState::copiesOver() const {
  uint32_t over = begun;
  for (const InFlight &one : inFlight)
    over = std::min(over, one.epoch - 1);
  return over;
}

void MbarrierState::settle(Thread &thread, const char *primitive, Site site) {
  if (pending != 0)
    return;
  if (bytes == 0)
    completePhase();
  else if (bytes < 0)
    report(thread, "mbarrier bytes", site,
           name() + " has all its arrivals, but " + plural(-bytes, "byte") +
               " more came than its phase expects, as seen by " + primitive,
           (primitive == lastCopy.primitive ? std::string()
                                            : std::string(lastCopy.primitive) + " at " +
                                                  placeOf(lastCopy.site) + "; ") +
               initialisedWhere());
}

void MbarrierState::completePhase() {
  if (block.machine->checking()) {
    arriving.raise(block.cluster->domain, copies, copiesOver());
    completed.join(arriving);
    arriving.clear();
    checkLapped();
  }
  ++phase;
  pending = count;
  vainTests = 0;
  waiters.wakeAll();
}

/// A thread that waits for phase p, by parity, hangs or goes on too early if phase p + 1 can complete before
/// it has looked: so whoever completed phase p + 1 must know that it has. One lane speaks for its warp, since
/// the lanes that wait together come to the warp's next instruction together.
void MbarrierState::checkLapped() {
  if (seen.empty())
    return;
  Clock probe;
  probe.domain = block.cluster->domain;
  probe.self = static_cast<Actor>(~0);
  completed.acquire(probe, block.machine->joiner);
  uint32_t known = 0, reported = 0;
  for (const Seen &one : seen)
    if (one.target == phase - 1 && probe.knows(probe.domain, one.thread->clock.self, one.epoch))
      known |= 1u << one.thread->inWarp->index;
  for (const Seen &one : seen) {
    uint32_t warp = 1u << one.thread->inWarp->index;
    if (one.target != phase - 1 || ((known | reported) & warp))
      continue;
    reported |= warp;
    report(*one.thread, "lapped waiter", one.site,
           "phase " + std::to_string(phase) + " of the " + name() +
               " completes, though nothing says that this wait "
               "for " +
               phaseName(one.target) + " is over: a waiter lapped by two phases",
           initialisedWhere());
  }
  std::erase_if(seen, [&](const Seen &one) { return one.target < phase; });
}

void MbarrierState::observe(Thread &thread, int64_t target, Site site, bool acquires) {
  if (phase > target + 1)
    report(thread, "lapped waiter", site,
           phaseName(target) + " of the " + name() + " was waited for, but phase " +
               std::to_string(phase - 1) + " is complete as well: a waiter lapped by two phases",
           initialisedWhere());
  if (!block.machine->checking())
    return;
  if (acquires)
    completed.acquire(thread.clock, block.machine->joiner);
  if (!seen.empty() && seen.back().thread == &thread)
    seen.pop_back();
  seen.push_back({&thread, thread.clock.epoch, target, site});
}

void MbarrierState::wait(Thread &thread, uint32_t parity, const Wait &as, bool acquires) {
  int64_t target = (phase & 1) == parity ? phase : phase - 1;
  Wait described = as;
  described.object = this;
  described.value = static_cast<uint64_t>(target);
  described.describe = [](const Thread &parked) {
    auto &state = *static_cast<const MbarrierState *>(parked.wait.object);
    return "phase " + std::to_string(parked.wait.value) + " of the " + state.name() + ", which lacks " +
           state.lacks();
  };
  while (phase <= target)
    block.machine->park(thread, waiters, described);
  observe(thread, target, as.site, acquires);
}

bool MbarrierState::test(Thread &thread, uint32_t parity, const Wait &as) {
  if ((phase & 1) != parity) {
    observe(thread, phase - 1, as.site, true);
    return true;
  }
  if (++vainTests > endlessTests)
    fatal(thread, "deadlock", as.site, "the " + name() + " is tested without end; its phase lacks " + lacks(),
          initialisedWhere());
  // Whoever polls must not keep those from running that it polls for: it goes on when nothing else can, or by
  // chance.
  auto turn = std::make_shared<NextTurn>(thread);
  block.machine->issue(turn);
  while (!turn->landed)
    block.machine->park(thread, as);
  return false;
}

Mbarriers::Mbarriers(Block &block) : block(block), byWord(block.sharedBytes / barrierBytes + 1) {}

MbarrierState *Mbarriers::place(Thread &thread, uint32_t address, const char *primitive, Site site) {
  if (!sharedBytes(thread, block, address, {barrierBytes, AccessKind::atomic, primitive, site}, barrierBytes))
    return nullptr;
  uint16_t &index = byWord[sharedOffset(address) / barrierBytes];
  if (index == 0) {
    states.emplace_back(block, sharedOffset(address));
    index = static_cast<uint16_t>(states.size());
  }
  return &states[index - 1u];
}

MbarrierState *Mbarriers::find(Thread &thread, uint32_t address, const char *primitive, Site site) {
  if (!sharedBytes(thread, block, address, {barrierBytes, AccessKind::atomic, primitive, site}, barrierBytes))
    return nullptr;
  uint16_t index = byWord[sharedOffset(address) / barrierBytes];
  if (index == 0 || !states[index - 1u].live) {
    report(thread, "mbarrier misuse", site,
           std::string(primitive) + " at offset " + std::to_string(sharedOffset(address)) +
               ": expected an initialised mbarrier");
    return nullptr;
  }
  MbarrierState &state = states[index - 1u];
  if (!state.holdsPattern()) {
    report(thread, "mbarrier overwritten", site, "the " + state.name() + " was overwritten while in use",
           state.initialisedWhere());
    state.live = false;
    return nullptr;
  }
  if (block.machine->checking() &&
      !thread.clock.knows(block.cluster->domain, state.initialisation.actor, state.initialisation.epoch))
    report(thread, "race", site,
           std::string(primitive) + " of the " + state.name() +
               ": nothing orders it after the initialisation",
           nameOf(*state.initialiser) + ", mbarrierInit at " + placeOf(state.initialised));
  return &state;
}

MbarrierState *Mbarriers::findFenced(Thread &thread, uint32_t address, const char *primitive, Site site) {
  MbarrierState *state = find(thread, address, primitive, site);
  if (state && !state->fenced && block.machine->checking())
    report(thread, "missing fence", site,
           std::string(primitive) + " uses the " + state->name() +
               ", whose initialisation was not followed by mbarrierFenceInit or a proxy fence",
           nameOf(*state->initialiser) + ", mbarrierInit at " + placeOf(state->initialised));
  return state;
}

void Mbarriers::fence(Thread &thread, bool releases) {
  for (MbarrierState &state : states)
    if (state.initialiser == &thread)
      state.fenced = true;
  for (Initialiser &one : initialisers)
    if (releases && one.thread == &thread)
      one.released = one.epoch;
}

Agent Mbarriers::newInitialisation(Thread &thread) {
  auto mine = std::find_if(initialisers.begin(), initialisers.end(),
                           [&](const Initialiser &one) { return one.thread == &thread; });
  if (mine == initialisers.end())
    mine = initialisers.insert(
        mine, {&thread, block.cluster->addActor({"initialisations by thread", block.rank, thread.thread})});
  ++mine->epoch;
  learn(thread.clock, mine->actor, mine->epoch, block.machine->joiner);
  return {mine->actor, mine->epoch, false};
}

void Mbarriers::releaseInitialisations(Thread &thread, SyncClock &into) {
  if (!thread.inBlock->existing(Part::mbarriers))
    return;
  for (const Initialiser &one : of(*thread.inBlock).initialisers)
    if (one.thread == &thread && one.released != 0)
      into.raise(thread.clock.domain, one.actor, one.released);
}

void Mbarriers::blockEnds(Block &ended) {
  for (MbarrierState &state : states)
    if (state.live && !state.holdsPattern())
      reportBlock(ended, "mbarrier overwritten", state.initialised,
                  "the " + state.name() + ", initialised here, was overwritten while in use");
}

void Mbarriers::describeDeadlock(const Block &, std::string &text) {
  for (const MbarrierState &state : states)
    if (state.live && (state.inProgress() || !state.waiters.empty()))
      text += (text.empty() ? "phase " : "; phase ") + std::to_string(state.phase) + " of the " +
              state.name() + " (initialised at " + placeOf(state.initialised) + ") lacks " + state.lacks();
}

bool isArrival(Thread &thread, uint32_t count, uint32_t arrivals, const char *primitive, Site site) {
  if (count == 0)
    report(thread, "mbarrier misuse", site,
           std::string(primitive) + ": expected a count of at least 1, got 0");
  return arrivals != 0 && count != 0;
}

} // namespace sluice::emulator

using namespace sluice::emulator;

namespace {

void waitFor(uint32_t address, uint32_t parity, const char *primitive, Site site) {
  Thread &thread = currentThread();
  Alteration altered = alteration(thread, site, primitive);
  if (altered == Alteration::skip)
    return;
  checkParity(thread, parity, primitive, site);
  if (altered == Alteration::flipParity)
    parity ^= 1;
  MbarrierState *state = Mbarriers::of(*thread.inBlock).find(thread, address, primitive, site);
  if (state)
    state->wait(thread, parity & 1, {primitive, site}, altered != Alteration::relaxed);
}

} // namespace

namespace sluice::device {
extern "C" {

void sluiceEmuMbarrierInit(u32 barrier, u32 count, Site site) {
  Thread &thread = currentThread();
  Alteration how = alteration(thread, site, "mbarrierInit");
  if (how == Alteration::skip)
    return;
  MbarrierState *state = Mbarriers::of(*thread.inBlock).place(thread, barrier, "mbarrierInit", site);
  if (!state)
    return;
  if (thread.machine->checking())
    recordShared(thread, *thread.inBlock, state->offset,
                 {barrierBytes, AccessKind::write, "mbarrierInit", site});
  state->initialise(thread, alteredArrivals(count, how), site);
}

void sluiceEmuMbarrierInvalidate(u32 barrier, Site site) {
  Thread &thread = currentThread();
  if (alteration(thread, site, "mbarrierInvalidate") == Alteration::skip)
    return;
  if (MbarrierState *state = Mbarriers::of(*thread.inBlock).find(thread, barrier, "mbarrierInvalidate", site))
    state->invalidate(thread, site);
}

void sluiceEmuMbarrierFenceInit(Site site) {
  Thread &thread = currentThread();
  if (alteration(thread, site, "mbarrierFenceInit") != Alteration::skip)
    Mbarriers::of(*thread.inBlock).fence(thread, true);
}

void sluiceEmuMbarrierArrive(u32 barrier, u32 count, Site site) {
  Thread &thread = currentThread();
  Alteration how = alteration(thread, site, "mbarrierArrive");
  uint32_t arrivals = alteredArrivals(count, how);
  if (!isArrival(thread, count, arrivals, "mbarrierArrive", site))
    return;
  if (MbarrierState *state = Mbarriers::of(*thread.inBlock).find(thread, barrier, "mbarrierArrive", site))
    state->arrive(thread, arrivals, "mbarrierArrive", site, how != Alteration::relaxed);
  thread.machine->maybeYield(thread);
}

void sluiceEmuMbarrierExpect(u32 barrier, u32 bytes, Site site) {
  Thread &thread = currentThread();
  Alteration how = alteration(thread, site, "mbarrierExpect");
  if (how == Alteration::skip)
    return;
  if (MbarrierState *state = Mbarriers::of(*thread.inBlock).find(thread, barrier, "mbarrierExpect", site))
    state->expect(thread, alteredBytes(bytes, how), "mbarrierExpect", site);
}

void sluiceEmuMbarrierArriveExpect(u32 barrier, u32 bytes, Site site) {
  Thread &thread = currentThread();
  Alteration how = alteration(thread, site, "mbarrierArriveExpect");
  if (how == Alteration::skip)
    return;
  if (MbarrierState *state =
          Mbarriers::of(*thread.inBlock).find(thread, barrier, "mbarrierArriveExpect", site)) {
    state->expect(thread, alteredBytes(bytes, how), "mbarrierArriveExpect", site);
    if (uint32_t arrivals = alteredArrivals(1, how))
      state->arrive(thread, arrivals, "mbarrierArriveExpect", site, how != Alteration::relaxed);
  }
  thread.machine->maybeYield(thread);
}

void sluiceEmuMbarrierWait(u32 barrier, u32 parity, Site site) {
  waitFor(barrier, parity, "mbarrierWait", site);
}

void sluiceEmuMbarrierWaitCluster(u32 barrier, u32 parity, Site site) {
  waitFor(barrier, parity, "mbarrierWaitCluster", site);
}

bool sluiceEmuMbarrierTest(u32 barrier, u32 parity, Site site) {
  Thread &thread = currentThread();
  Alteration how = alteration(thread, site, "mbarrierTest");
  if (how == Alteration::skip)
    return true;
  checkParity(thread, parity, "mbarrierTest", site);
  if (how == Alteration::flipParity)
    parity ^= 1;
  MbarrierState *state = Mbarriers::of(*thread.inBlock).find(thread, barrier, "mbarrierTest", site);
  return !state || state->test(thread, parity & 1, {"mbarrierTest", site});
}

} // extern "C"
} // namespace sluice::device
