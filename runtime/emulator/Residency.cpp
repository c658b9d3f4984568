// Which clusters are resident, and the life of a block from poison to its last report.
#include "runtime/emulator/AccessLog.h"
#include "runtime/emulator/CounterClocks.h"
#include "runtime/emulator/Launch.h"
#include "runtime/emulator/Report.h"
#include "runtime/emulator/Scheduler.h"
#include "runtime/emulator/Shadow.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <sys/mman.h>

namespace sluice::emulator {

namespace {
// Wider than a page: an address computed from a wrong index should still be recognised.
constexpr uint64_t windowGuard = 64 * 1024;
} // namespace

SharedWindow::SharedWindow(uint64_t bytes) {
  uint64_t pages = (bytes + 4095) & ~uint64_t(4095);
  mappedBytes = pages + 2 * windowGuard;
  void *map = mmap(nullptr, mappedBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED)
    throw std::bad_alloc();
  mapping = static_cast<uint8_t *>(map);
  start = mapping + windowGuard;
  if (pages)
    mprotect(start, pages, PROT_READ | PROT_WRITE);
}

SharedWindow::~SharedWindow() { munmap(mapping, mappedBytes); }

bool SharedWindow::isGuard(const void *address) const {
  return static_cast<size_t>(static_cast<const uint8_t *>(address) - mapping) < mappedBytes;
}

Block::Block() = default;
Block::~Block() = default;

std::unique_ptr<Cluster> Scheduler::newCluster() {
  auto cluster = std::make_unique<Cluster>();
  const BoundLaunch &bound = launch.bound;
  for (uint32_t rank = 0; rank < launch.clusterBlocks; ++rank) {
    auto block = std::make_unique<Block>();
    block->machine = &machine;
    block->cluster = cluster.get();
    block->rank = rank;
    block->slot = static_cast<uint32_t>(slots.size());
    slots.push_back(block.get());
    runnableSlots.resize(slots.size() / 64 + 1);
    block->window = std::make_unique<SharedWindow>(bound.sharedBytes);
    block->shared = block->window->data();
    block->sharedBytes = static_cast<uint32_t>(bound.sharedBytes);
    if (machine.checking())
      block->shadow = std::make_unique<SharedShadow>(bound.sharedBytes);
    if (machine.counting())
      block->counters = std::make_unique<BlockCounters>(*launch.counters);
    block->warps.resize(bound.threads / 32);
    block->threads.resize(bound.threads);
    for (uint32_t i = 0; i < bound.threads; ++i) {
      Thread &thread = block->threads[i];
      thread.machine = &machine;
      thread.inBlock = block.get();
      thread.inWarp = &block->warps[i / 32];
      thread.lane = static_cast<uint8_t>(i % 32);
      thread.shared = block->shared;
      thread.sharedBytes = block->sharedBytes;
      thread.observed = machine.checking() || machine.counting();
      thread.ranges = machine.ranges.data();
      thread.SluiceEmuThread::thread = i;
      thread.blockThreads = bound.threads;
      std::copy_n(bound.grid.begin(), 3, thread.grid);
      thread.clusterRank = rank;
      thread.clusterBlocks = launch.clusterBlocks;
    }
    cluster->blocks.push_back(std::move(block));
  }
  return cluster;
}

bool Scheduler::admit() {
  if (residents.size() >= launch.residentClusters)
    return false;
  uint64_t place = launch.next.fetch_add(1);
  if (place >= launch.order.size() || place > launch.last.load())
    return false;
  if (idle.empty()) {
    all.push_back(newCluster());
    idle.push_back(all.back().get());
  }
  Cluster *cluster = idle.back();
  idle.pop_back();
  beginCluster(*cluster, place);
  residents.push_back(cluster);
  return true;
}

void Scheduler::beginCluster(Cluster &cluster, uint64_t place) {
  uint64_t index = launch.order[place];
  cluster.domain = static_cast<uint32_t>(index);
  cluster.order = launch.cooperative ? 0 : place;
  cluster.alive = static_cast<uint32_t>(cluster.blocks.size());
  cluster.agents.clear();
  if (machine.checking() && cluster.blocks.size() > 1)
    for (const std::unique_ptr<Block> &block : cluster.blocks)
      cluster.addActor({"start of block", block->rank, block->rank});
  if (!launch.cooperative) {
    // What a cluster does must not depend on those that this host thread ran before.
    random.seed(launch.options.seed, index + 1);
    untilRedraw = 1;
    running = nullptr;
  }
  for (const std::unique_ptr<Block> &block : cluster.blocks)
    beginBlock(*block, index);
}

void Scheduler::beginBlock(Block &block, uint64_t clusterIndex) {
  const BoundLaunch &bound = launch.bound;
  block.position = launch.blockPosition(clusterIndex, block.rank);
  block.index = block.position[0] +
                uint64_t(bound.grid[0]) * (block.position[1] + uint64_t(bound.grid[1]) * block.position[2]);
  block.alive = bound.threads;
  block.lastWarp = 31;
  block.priority = random.next() | drawnPriority;
  std::memset(block.shared, 0xff, block.sharedBytes);
  for (uint32_t i = 0; i < block.warps.size(); ++i) {
    Warp &warp = block.warps[i];
    warp.block = &block;
    warp.index = i;
    warp.exited = warp.arrived = warp.met = warp.turn = 0;
    warp.priority = random.next() | drawnPriority;
    makeRunnable(warp, 0xffffffffu);
  }
  for (Thread &thread : block.threads) {
    std::copy_n(block.position.begin(), 3, thread.block);
    thread.state = ThreadState::fresh;
    thread.wait = Wait();
    thread.poll = {};
    thread.repeat = {};
    if (machine.checking()) {
      thread.clock = Clock();
      thread.clock.domain = block.cluster->domain;
      thread.clock.self = static_cast<Actor>(block.rank * bound.threads + thread.thread);
      if (block.cluster->blocks.size() > 1)
        learn(thread.clock, block.cluster->startOf(block.rank), 1, machine.joiner);
      thread.fences.reset();
    }
  }
}

void Scheduler::endBlocks() {
  for (Block *block : std::exchange(ended, {})) {
    Cluster &cluster = *block->cluster;
    if (machine.counting())
      flushAll(*block);
    for (const std::unique_ptr<BlockPart> &part : block->parts)
      if (part)
        part->blockEnds(*block);
    if (block->counters)
      block->counters->finish();
    if (--cluster.alive == 0)
      endCluster(cluster);
  }
}

void Scheduler::endCluster(Cluster &cluster) {
  for (const std::unique_ptr<Block> &block : cluster.blocks) {
    for (std::unique_ptr<BlockPart> &part : block->parts)
      part.reset();
    if (block->shadow)
      block->shadow->clear();
  }
  // What is still in flight, and was reported as such, must not land in the next block. The parts that know these
  // operations have gone first.
  std::erase_if(pending, [&](const auto &operation) { return operation->cluster == &cluster; });
  std::erase(residents, &cluster);
  idle.push_back(&cluster);
  if (launch.cooperative)
    return;
  if (machine.checking()) {
    machine.globalShadow->sumUp(cluster, launch.races);
    machine.counterClocks->clear();
    machine.joiner.forget();
  }
  launch.addBatch(machine.reports->take(cluster.order));
}

void Scheduler::dropFibers() {
  uint64_t order = place();
  for (Cluster *cluster : residents)
    for (const std::unique_ptr<Block> &block : cluster->blocks)
      for (std::unique_ptr<BlockPart> &part : block->parts)
        part.reset();
  pending.clear();
  launch.addBatch(machine.reports->take(order));
}

} // namespace sluice::emulator
