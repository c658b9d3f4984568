// Records accesses in the shadow of memory and reports what is wrong with them.
#include "runtime/emulator/RaceChecker.h"

#include "runtime/emulator/Launch.h"
#include "runtime/emulator/Machine.h"
#include "runtime/emulator/Report.h"
#include "runtime/emulator/Shadow.h"

#include <cstdio>
#include <string_view>

namespace sluice::emulator {

namespace {

const char *verb(AccessKind kind) {
  return kind == AccessKind::read ? "read" : kind == AccessKind::write ? "write" : "atomic update";
}

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

/// Names the actor of another domain by its number: its cluster may be gone.
std::string actorName(Thread &thread, uint32_t domain, Actor actor) {
  Cluster &own = *thread.inBlock->cluster;
  if (domain == own.domain)
    return own.describe(actor);
  return thread.machine->launch.describeActor(domain, actor);
}

std::string describeEarlier(Thread &thread, const Conflict &conflict) {
  Call call = thread.machine->launch.sites.call(conflict.earlier.site());
  // The store of a byte is kept as an update once another byte of its cell is written.
  bool store = std::string_view(call.primitive).starts_with("store");
  const char *what = conflict.earlier.atomic() && !store ? "atomic update"
                     : conflict.earlierIsWrite           ? "write"
                                                         : "read";
  return std::string(what) + " by " + actorName(thread, conflict.earlier.domain, conflict.earlier.actor()) +
         " in " + call.primitive + " at " + placeOf(call.site);
}

std::string describeAccess(Thread &thread, const Access &access, const std::string &where,
                           const Agent &agent) {
  std::string text = std::string(verb(access.kind)) + " of " + std::to_string(access.bytes) + " bytes at " +
                     where + " by " + access.primitive;
  if (agent.actor != thread.clock.self)
    text += " (" + thread.inBlock->cluster->describe(agent.actor) + ")";
  return text;
}

struct Place {
  Shadow &shadow;
  uint64_t offset;
  Knowledge fence;
};

/// Returns whether bytes were read that no thread of the launch has written.
template <class Where>
bool record(Thread &thread, const Place &place, const Access &access, const Agent &agent, Where &&where) {
  uint64_t flags = (access.kind == AccessKind::atomic ? Mark::atomicBit : 0) |
                   (agent.asyncProxy ? Mark::asyncBit : 0);
  // A wrapped epoch would seem to be over.
  if (agent.epoch > Mark::lastEpoch)
    fatal(thread, "limit", access.site,
          "expected fewer than 2^28 releases and fences by one thread or agent");
  ShadowAccess shadow;
  shadow.clock = &thread.clock;
  shadow.mark = Mark::of(thread.clock.domain, agent.actor, agent.epoch,
                         thread.machine->siteNumber(access.site, access.primitive), 3, flags);
  shadow.write = access.kind == AccessKind::write;
  shadow.atomic = access.kind == AccessKind::atomic;
  shadow.fence = agent.asyncProxy ? place.fence : ordered;
  place.shadow.access(place.offset, access.bytes, shadow);
  if (shadow.conflict.kind != Conflict::Kind::none) {
    bool race = shadow.conflict.kind == Conflict::Kind::race;
    const char *kind = race ? "race" : "missing proxy fence";
    if (wanted(thread, kind, access.site, shadow.conflict.earlier.site()))
      keepReport(thread, kind, access.site,
                 describeAccess(thread, access, where(), agent) +
                     (race ? " is not ordered after an earlier access"
                           : " goes through the async proxy, expected a proxy fence after the generic write"),
                 describeEarlier(thread, shadow.conflict));
  }
  return shadow.unwritten;
}

void reportUnwritten(Thread &thread, const Access &access, const std::string &text) {
  if (wanted(thread, "uninitialised read", access.site, 0))
    keepReport(thread, "uninitialised read", access.site, text + ", expected a value there", {});
}

Agent itself(const Thread &thread) { return {thread.clock.self, thread.clock.epoch, false}; }

} // namespace

void recordShared(Thread &thread, Block &owner, uint32_t offset, const Access &access) {
  recordShared(thread, owner, offset, access, itself(thread));
}

void recordShared(Thread &thread, Block &owner, uint32_t offset, const Access &access, const Agent &agent) {
  if (!thread.machine->checking())
    return;
  auto where = [&] {
    return "shared offset " + hex(offset) +
           (&owner == thread.inBlock ? std::string() : " of cluster rank " + std::to_string(owner.rank));
  };
  bool unwritten = record(thread, {*owner.shadow, offset, fencedShared}, access, agent, where);
  if (unwritten)
    reportUnwritten(thread, access, describeAccess(thread, access, where(), agent));
}

void recordGlobal(Thread &thread, Allocation &allocation, uint64_t address, const Access &access) {
  recordGlobal(thread, allocation, address, access, itself(thread));
}

void recordGlobal(Thread &thread, Allocation &allocation, uint64_t address, const Access &access,
                  const Agent &agent) {
  if (!thread.machine->checking())
    return;
  auto where = [&] {
    return "byte " + std::to_string(address - allocation.base) + " of '" + allocation.name + "'";
  };
  bool unwritten = access.kind != AccessKind::write && !allocation.storage->isWritten(address, access.bytes);
  // Nothing in the launch writes to the others: reads cannot collide there.
  if (allocation.mayWrite)
    record(thread,
           {thread.machine->globalShadow->of(allocation.index), address - allocation.base, fencedGlobal},
           access, agent, where);
  if (access.kind != AccessKind::read)
    allocation.storage->setWritten(address, access.bytes);
  if (unwritten)
    reportUnwritten(thread, access, describeAccess(thread, access, where(), agent));
}

} // namespace sluice::emulator
