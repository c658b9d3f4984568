// Primitives that reach the shared memory and the mbarriers of other blocks of the cluster.
#include "runtime/emulator/Remote.h"

#include "codegen/cuda/device/emu/AbiAsync.h"
#include "runtime/emulator/Mbarrier.h"

#include <algorithm>
#include <cstring>

namespace sluice::emulator {

Block *livePeer(Thread &thread, uint32_t rank, const char *primitive, Site site) {
  const auto &blocks = thread.inBlock->cluster->blocks;
  if (rank >= blocks.size()) {
    report(thread, "cluster misuse", site,
           std::string(primitive) + ": expected a rank below " + std::to_string(blocks.size()) + ", got " +
               std::to_string(rank));
    return nullptr;
  }
  if (blocks[rank]->alive == 0) {
    report(thread, "access after exit", site,
           std::string(primitive) + " reaches the shared memory of block " + std::to_string(rank) +
               " of the cluster, which has ended");
    return nullptr;
  }
  Cluster &cluster = *thread.inBlock->cluster;
  if (blocks.size() > 1 && thread.machine->checking() &&
      !thread.clock.knows(cluster.domain, cluster.startOf(rank), 1))
    report(thread, "cluster misuse", site,
           std::string(primitive) + " reaches block " + std::to_string(rank) +
               " of the cluster, of which nothing says that it has started");
  return blocks[rank].get();
}

RemotePlace remotePlace(Thread &thread, uint32_t address, const char *primitive, Site site) {
  uint32_t mapped = address >> 24;
  if (mapped == 0)
    return {thread.inBlock, address};
  return {livePeer(thread, mapped - 1, primitive, site), address & 0xffffff};
}

void ExitDuties::add(Block &owner, Thread &thread, Actor actor, uint32_t epoch, const char *primitive,
                     Site site) {
  if (!owner.machine->checking())
    return;
  auto &duties = owner.part<ExitDuties>(Part::remote).duties;
  auto same =
      std::find_if(duties.begin(), duties.end(), [&](const Duty &duty) { return duty.actor == actor; });
  Duty duty{actor, epoch, &thread, primitive, site};
  if (same == duties.end())
    duties.push_back(duty);
  else
    *same = duty;
}

void ExitDuties::fulfil(const Clock &clock) {
  std::erase_if(duties, [&](const Duty &duty) { return clock.knows(clock.domain, duty.actor, duty.epoch); });
}

/// A relaxed barrier orders no memory, but keeps the block alive all the same.
void ExitDuties::passed(Block &owner, SyncClock &known) {
  auto *part = static_cast<ExitDuties *>(owner.existing(Part::remote));
  if (!part || part->duties.empty())
    return;
  Clock probe;
  probe.domain = owner.cluster->domain;
  probe.self = static_cast<Actor>(~0);
  known.acquire(probe, owner.machine->joiner);
  part->fulfil(probe);
}

/// The block lives as long as any of its threads: one that knows is enough.
void ExitDuties::threadExits(Thread &thread) { fulfil(thread.clock); }

void ExitDuties::blockEnds(Block &block) {
  for (const Duty &duty : duties)
    reportBlock(block, "access after exit", duty.site,
                "the block may end before this " + std::string(duty.primitive) + " by " + nameOf(*duty.by) +
                    " has reached its shared memory: none of its threads waits for that");
}

} // namespace sluice::emulator

using namespace sluice::emulator;

namespace {

/// An ordinary access to a peer's memory, checked; null if it cannot be made.
uint8_t *remoteBytes(Thread &thread, uint32_t address, const Access &access) {
  RemotePlace place = remotePlace(thread, address, access.primitive, access.site);
  if (!place.owner)
    return nullptr;
  uint8_t *bytes = sharedBytes(thread, *place.owner, place.address, access, access.bytes);
  if (!bytes || !thread.machine->checking())
    return bytes;
  recordShared(thread, *place.owner, sharedOffset(place.address), access);
  if (place.owner != thread.inBlock)
    ExitDuties::add(*place.owner, thread, thread.clock.self, thread.clock.epoch, access.primitive,
                    access.site);
  return bytes;
}

/// A peer's mbarrier as this thread may use it.
MbarrierState *remoteBarrier(Thread &thread, uint32_t address, const char *primitive, Site site) {
  RemotePlace place = remotePlace(thread, address, primitive, site);
  if (!place.owner)
    return nullptr;
  MbarrierState *state = Mbarriers::of(*place.owner).findFenced(thread, place.address, primitive, site);
  if (state && place.owner != thread.inBlock)
    ExitDuties::add(*place.owner, thread, thread.clock.self, thread.clock.epoch, primitive, site);
  return state;
}

class RemoteStore : public CountedCopy {
public:
  RemoteStore(Thread &thread, MbarrierState &barrier, uint8_t *destination, const void *value,
              const Access &access)
      : CountedCopy(thread, barrier, access.bytes, false, {access.site, access.primitive}),
        destination(destination) {
    std::memcpy(held, value, access.bytes);
  }
  void move() override { std::memcpy(destination, held, bytes); }

private:
  uint8_t *destination;
  uint8_t held[16];
};

} // namespace

namespace sluice::device {
extern "C" {

u32 sluiceEmuMapShared(u32 address, u32 rank, Site site) {
  Thread &thread = currentThread();
  if (rank < thread.inBlock->cluster->blocks.size())
    return remoteAddress(rank, address);
  report(thread, "cluster misuse", site,
         "expected a rank below " + std::to_string(thread.inBlock->cluster->blocks.size()) + ", got " +
             std::to_string(rank));
  return address;
}

void sluiceEmuLoadRemote(void *value, u32 address, u32 bytes, Site site) {
  std::memset(value, poisonByte, bytes);
  if (uint8_t *from = remoteBytes(currentThread(), address, {bytes, AccessKind::read, "loadRemote", site}))
    std::memcpy(value, from, bytes);
}

void sluiceEmuStoreRemote(u32 address, const void *value, u32 bytes, Site site) {
  if (uint8_t *to = remoteBytes(currentThread(), address, {bytes, AccessKind::write, "storeRemote", site}))
    std::memcpy(to, value, bytes);
}

void sluiceEmuStoreAsync(u32 address, const void *value, u32 bytes, u32 barrier, Site site) {
  Thread &thread = currentThread();
  if (alteration(thread, site, "storeAsync") == Alteration::skip)
    return;
  Access access{bytes, AccessKind::write, "storeAsync", site};
  RemotePlace place = remotePlace(thread, address, "storeAsync", site);
  RemotePlace counted = remotePlace(thread, barrier, "storeAsync", site);
  if (!place.owner || !counted.owner)
    return;
  if (place.owner != counted.owner) {
    report(thread, "cluster misuse", site, "expected the destination and the mbarrier in the same block");
    return;
  }
  uint8_t *destination = sharedBytes(thread, *place.owner, place.address, access, bytes);
  MbarrierState *state =
      Mbarriers::of(*counted.owner).findFenced(thread, counted.address, "storeAsync", site);
  if (!destination || !state)
    return;
  auto store = std::make_shared<RemoteStore>(thread, *state, destination, value, access);
  if (thread.machine->checking()) {
    recordShared(thread, *place.owner, sharedOffset(place.address), access, store->agent);
    ExitDuties::add(*place.owner, thread, store->agent.actor, store->agent.epoch, "storeAsync", site);
  }
  if (!thread.machine->landsAtOnce())
    std::memset(destination, poisonByte, bytes);
  thread.machine->issue(store);
}

void sluiceEmuMbarrierArriveRemote(u32 barrier, u32 count, Site site) {
  Thread &thread = currentThread();
  Alteration how = alteration(thread, site, "mbarrierArriveRemote");
  u32 arrivals = alteredArrivals(count, how);
  if (!isArrival(thread, count, arrivals, "mbarrierArriveRemote", site))
    return;
  if (MbarrierState *state = remoteBarrier(thread, barrier, "mbarrierArriveRemote", site))
    state->arrive(thread, arrivals, "mbarrierArriveRemote", site, how != Alteration::relaxed);
  thread.machine->maybeYield(thread);
}

void sluiceEmuMbarrierExpectRemote(u32 barrier, u32 bytes, Site site) {
  Thread &thread = currentThread();
  Alteration how = alteration(thread, site, "mbarrierExpectRemote");
  if (how == Alteration::skip)
    return;
  u32 expected = alteredBytes(bytes, how);
  if (MbarrierState *state = remoteBarrier(thread, barrier, "mbarrierExpectRemote", site))
    state->expect(thread, expected, "mbarrierExpectRemote", site);
}

} // extern "C"
} // namespace sluice::device
