// Bulk groups: the two halves of a store, and what a thread may wait for.
#include "runtime/emulator/BulkGroups.h"

#include "codegen/cuda/device/emu/AbiAsync.h"

#include <algorithm>
#include <cstring>

namespace sluice::emulator {
namespace {
/// Stores whose data are held although nobody waits for their writes, at most.
constexpr size_t mostHeld = 64;
} // namespace

void BulkStore::Reading::land() { std::memcpy(store.held.data(), store.source, store.held.size()); }

void BulkStore::Writing::land() {
  store.thread.machine->finish(store.reading);
  store.write(store.held.data());
}

Agent BulkGroups::agent(Thread &thread, OwnAgent kind, const char *what) {
  Actor &actor = thread.clock.agent[static_cast<size_t>(kind)];
  if (!actor)
    actor = thread.inBlock->cluster->addActor({what, thread.inBlock->rank, thread.thread});
  return {actor, threads[thread.thread].committed + 1, true};
}

Agent BulkGroups::reader(Thread &thread) {
  return agent(thread, OwnAgent::bulkSource, "the source of a bulk store of thread");
}

Agent BulkGroups::writer(Thread &thread) {
  return agent(thread, OwnAgent::bulkComplete, "bulk store of thread");
}

void BulkGroups::issue(Thread &thread, const std::shared_ptr<BulkStore> &store, Site site) {
  ThreadStores &stores = threads[thread.thread];
  stores.open.push_back(store);
  stores.used = stores.committed + 1;
  stores.last = site;
  if (thread.machine->options().completion == Completion::lazy)
    return;
  thread.machine->issue(std::shared_ptr<AsyncOperation>(store, &store->reading));
  thread.machine->issue(std::shared_ptr<AsyncOperation>(store, &store->writing));
}

void BulkGroups::commit(Thread &thread) {
  ThreadStores &stores = threads[thread.thread];
  stores.groups.push_back(std::move(stores.open));
  stores.open.clear();
  ++stores.committed;
  if (stores.groups.size() <= mostHeld || stores.read <= stores.dropped)
    return;
  for (const std::shared_ptr<BulkStore> &store : stores.groups.front())
    thread.machine->finish(store->writing);
  stores.groups.pop_front();
  ++stores.dropped;
}

void BulkGroups::wait(Thread &thread, uint32_t pending, bool full) {
  ThreadStores &stores = threads[thread.thread];
  uint32_t upTo = stores.committed - std::min(stores.committed, pending);
  for (uint32_t group = stores.dropped; group < upTo; ++group)
    for (const std::shared_ptr<BulkStore> &store : stores.groups[group - stores.dropped]) {
      thread.machine->finish(store->reading);
      if (full)
        thread.machine->finish(store->writing);
    }
  auto over = [&](OwnAgent kind) -> uint32_t & { return thread.clock.agentOver[static_cast<size_t>(kind)]; };
  stores.read = std::max(stores.read, upTo);
  over(OwnAgent::bulkSource) = stores.read;
  if (!full)
    return;
  over(OwnAgent::bulkComplete) = std::max(over(OwnAgent::bulkComplete), upTo);
  for (; stores.dropped < upTo; ++stores.dropped)
    stores.groups.pop_front();
}

/// Shared memory goes with the block, so the sources must have been read; the writes reach memory anyway.
void BulkGroups::threadExits(Thread &thread) {
  ThreadStores &stores = threads[thread.thread];
  if (stores.used > stores.read)
    report(thread, "in flight at exit", stores.last,
           "the thread ends without having waited until the source of its bulk store was read");
}

void BulkGroups::blockEnds(Block &block) {
  for (ThreadStores &stores : threads) {
    stores.groups.push_back(std::move(stores.open));
    for (const Group &group : stores.groups)
      for (const std::shared_ptr<BulkStore> &store : group)
        block.machine->finish(store->writing);
    stores.groups.clear();
  }
}

} // namespace sluice::emulator

using namespace sluice::emulator;

namespace {

void waitForGroups(const char *primitive, uint32_t pending, bool full, Site site) {
  Thread &thread = currentThread();
  Alteration how = alteration(thread, site, primitive);
  if (how == Alteration::skip)
    return;
  BulkGroups::of(thread).wait(thread, how == Alteration::pendingPlusOne ? pending + 1 : pending,
                              full && how != Alteration::readForFull);
}

} // namespace

namespace sluice::device {
extern "C" {

void sluiceEmuBulkCommit(Site site) {
  Thread &thread = currentThread();
  if (alteration(thread, site, "bulkCommit") != Alteration::skip)
    BulkGroups::of(thread).commit(thread);
}
void sluiceEmuBulkWait(u32 pending, Site site) { waitForGroups("bulkWait", pending, true, site); }
void sluiceEmuBulkWaitRead(u32 pending, Site site) { waitForGroups("bulkWaitRead", pending, false, site); }

} // extern "C"
} // namespace sluice::device
