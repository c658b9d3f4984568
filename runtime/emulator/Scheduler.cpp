// Choosing threads and switching between their fibers.
#include "runtime/emulator/Scheduler.h"

#include "runtime/emulator/Launch.h"
#include "runtime/emulator/Report.h"

#include <bit>
#include <utility>

SLUICE_EMU_TLS thread_local SluiceEmuThread *sluiceEmuThread = nullptr;

namespace sluice::emulator {

void Random::seed(uint64_t seed, uint64_t stream) {
  state = (seed + 1) * 0x9e3779b97f4a7c15 ^ (stream + 1) * 0xd1b54a32d192ed03;
  state |= 1;
  for (int i = 0; i < 4; ++i)
    next();
}

Scheduler::Scheduler(Machine &machine)
    : machine(machine), launch(machine.launch), randomOrder(launch.options.scheduling == Scheduling::random) {
  random.seed(launch.options.seed, 0);
}

Scheduler::~Scheduler() = default;

void Scheduler::makeRunnable(Warp &warp, uint32_t lanes) {
  if (!lanes)
    return;
  warp.runnable |= lanes;
  Block &block = *warp.block;
  block.runnableWarps |= 1u << warp.index;
  runnableSlots[block.slot / 64] |= uint64_t(1) << (block.slot % 64);
}

void Scheduler::makeRunnable(Thread &thread) {
  thread.state = ThreadState::runnable;
  makeRunnable(*thread.inWarp, 1u << thread.lane);
}

Thread *Scheduler::take(Warp &warp) {
  machine.turns.store(machine.turns.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  // In order, the lowest lane, unless lanes have polled: then the one after the last that did.
  unsigned shift = randomOrder ? random.next() % 32 : warp.turn;
  if (passedOver && passedOver->inWarp == &warp)
    shift = warp.turn;
  passedOver = nullptr;
  unsigned lane = (std::countr_zero(std::rotr(warp.runnable, static_cast<int>(shift % 32))) + shift) % 32;
  warp.runnable &= ~(1u << lane);
  if (!warp.runnable) {
    Block &block = *warp.block;
    block.runnableWarps &= ~(1u << warp.index);
    if (!block.runnableWarps)
      runnableSlots[block.slot / 64] &= ~(uint64_t(1) << (block.slot % 64));
  }
  running = &warp;
  warp.block->lastWarp = warp.index;
  return &warp.thread(lane);
}

Warp *Scheduler::chooseWarp(Block &block) {
  if (!randomOrder) {
    // The next one in turn, so that none waits for ever while others poll.
    uint32_t after = block.lastWarp == 31 ? 0 : block.runnableWarps & ~((2u << block.lastWarp) - 1);
    return &block.warps[std::countr_zero(after ? after : block.runnableWarps)];
  }
  Warp *best = nullptr;
  for (uint32_t left = block.runnableWarps; left; left &= left - 1) {
    Warp &warp = block.warps[std::countr_zero(left)];
    if (!best || warp.priority > best->priority)
      best = &warp;
  }
  return best;
}

Block *Scheduler::chooseBlock() {
  uint32_t from = running ? running->block->slot : 0;
  Block *best = nullptr;
  // In order: the next one in turn. At random: the one of highest priority.
  for (uint32_t i = 1, count = static_cast<uint32_t>(slots.size()); i <= count; ++i) {
    uint32_t slot = (from + i) % count;
    uint64_t word = runnableSlots[slot / 64];
    if (!word && slot % 64 == 0 && slot + 64 <= count) {
      i += 63;
      continue;
    }
    if (!(word >> (slot % 64) & 1))
      continue;
    if (!randomOrder)
      return slots[slot];
    if (!best || slots[slot]->priority > best->priority)
      best = slots[slot];
  }
  return best;
}

Thread *Scheduler::pick() {
  if (launch.options.completion == Completion::random && !pending.empty() && random.next() % 8 == 0)
    landAny();
  if (passedOver) {
    passedOver->inWarp->priority = passedOver->inBlock->priority = --passedPriority;
    passedOver->inWarp->turn = passedOver->lane + 1u;
    if (Block *block = chooseBlock())
      return take(*chooseWarp(*block));
  }
  for (;;) {
    bool redraw = randomOrder && --untilRedraw == 0;
    if (redraw) {
      untilRedraw = 1 + random.next() % 128;
      if (running) {
        running->priority = random.next() | drawnPriority;
        // Not always: a block of many gets through some of its work before the next one does.
        if (random.next() % 4 == 0)
          running->block->priority = random.next() | drawnPriority;
      }
    }
    if (!redraw && running && running->runnable)
      return take(*running);
    Block *block = !redraw && running && running->block->runnableWarps ? running->block : chooseBlock();
    if (block)
      return take(*chooseWarp(*block));
    if (!landSpontaneous())
      return nullptr;
  }
}

void *Scheduler::start(Thread &thread) {
  if (thread.state == ThreadState::fresh) {
    thread.fiber.stack = stacks.take();
    thread.fiber.stackPointer = StackPool::prepare(thread.fiber.stack, &Scheduler::fiberMain);
    thread.state = ThreadState::runnable;
  }
  return thread.fiber.stackPointer;
}

void Scheduler::switchAway(Thread &thread) {
  Thread *next = pick();
  if (next == &thread) {
    thread.state = ThreadState::runnable;
    return;
  }
  ++switches;
  void *target = next ? start(*next) : mainStack;
  sluiceEmuThread = next;
  sluiceEmuSwitch(&thread.fiber.stackPointer, target);
}

bool Scheduler::pollsForEver(Polling polling) {
  constexpr uint64_t sure = 1024;
  idlePolls += polling == Polling::surely ? sure : 1;
  return idlePolls > sure * (10000 + 128 * slots.size() * launch.bound.threads);
}

void Scheduler::giveUp() {
  reportDeadlock();
  abandon();
}

void Scheduler::yieldToOthers(Thread &thread) {
  // Copies that nothing else waits for must still land while somebody polls.
  if (thread.poll.count % 64 == 0)
    landSpontaneous();
  makeRunnable(thread);
  passedOver = &thread;
  switchAway(thread);
}

void Scheduler::fiberMain() {
  Thread &thread = currentThread();
  thread.machine->scheduler->runThreads(&thread);
}

void Scheduler::runThreads(Thread *thread) {
  for (;;) {
    launch.kernel->run(launch.arguments.data());
    // A fiber belongs to one host thread, but its stack goes from thread to thread of the kernel.
    uint8_t *stack = thread->fiber.stack;
    threadExited(*thread);
    Thread *next = ended.empty() ? pick() : nullptr;
    sluiceEmuThread = next;
    if (next && next->state == ThreadState::fresh) {
      next->state = ThreadState::runnable;
      next->fiber.stack = stack;
      thread = next;
      continue;
    }
    stacks.give(stack);
    ++switches;
    void *dead = nullptr;
    sluiceEmuSwitch(&dead, next ? next->fiber.stackPointer : mainStack);
    __builtin_unreachable();
  }
}

void Scheduler::threadExited(Thread &thread) {
  Block &block = *thread.inBlock;
  Warp &warp = *thread.inWarp;
  if (warp.arrived)
    reportExitBeforeMeeting(thread, warp);
  warp.exited |= 1u << thread.lane;
  --block.alive;
  constexpr auto ofCluster = static_cast<size_t>(Part::clusterBarrier);
  for (size_t part = 0; part < block.parts.size(); ++part)
    if (part != ofCluster && block.parts[part])
      block.parts[part]->threadExits(thread);
  // The barrier of a cluster lives in its first block and counts the threads of all.
  if (BlockPart *barrier = block.cluster->blocks.front()->existing(Part::clusterBarrier))
    barrier->threadExits(thread);
  thread.state = ThreadState::exited;
  noteProgress();
  thread.fiber = {};
  if (block.alive == 0)
    ended.push_back(&block);
}

void Scheduler::abandon() {
  abandoned = true;
  launch.endAt(place());
  sluiceEmuThread = nullptr;
  void *dead = nullptr;
  sluiceEmuSwitch(&dead, mainStack);
  __builtin_unreachable();
}

void Scheduler::issue(const std::shared_ptr<AsyncOperation> &operation) {
  operation->cluster = currentThread().inBlock->cluster;
  if (machine.landsAtOnce() && !operation->late) {
    land(*operation);
    return;
  }
  // Operations that a wait has landed leave the list now and then, so that each costs little.
  if (pending.size() >= pendingLimit) {
    std::erase_if(pending, [](const auto &earlier) { return earlier->landed; });
    pendingLimit = 64 + 2 * pending.size();
  }
  pending.push_back(operation);
}

void Scheduler::land(AsyncOperation &operation) {
  if (!std::exchange(operation.landed, true))
    operation.land();
}

bool Scheduler::landAny() {
  size_t index = random.below(static_cast<uint32_t>(pending.size()));
  std::shared_ptr<AsyncOperation> operation = std::exchange(pending[index], pending.back());
  pending.pop_back();
  bool landsNow = !operation->landed;
  land(*operation);
  return landsNow;
}

bool Scheduler::landSpontaneous() {
  std::erase_if(pending, [](const auto &operation) { return operation->landed; });
  std::vector<size_t> candidates;
  for (size_t i = 0; i < pending.size(); ++i)
    if (pending[i]->spontaneous)
      candidates.push_back(i);
  if (candidates.empty())
    return false;
  bool drawn = launch.options.completion == Completion::random;
  size_t index = candidates[drawn ? random.below(static_cast<uint32_t>(candidates.size())) : 0];
  std::shared_ptr<AsyncOperation> operation = pending[index];
  pending.erase(pending.begin() + static_cast<ptrdiff_t>(index));
  land(*operation);
  return true;
}

void Scheduler::run() {
  while (!abandoned) {
    while (admit()) {
    }
    if (residents.empty())
      break;
    Thread *next = pick();
    if (!next) {
      reportDeadlock();
      break;
    }
    void *target = start(*next);
    sluiceEmuThread = next;
    sluiceEmuSwitch(&mainStack, target);
    if (!abandoned)
      endBlocks();
  }
  sluiceEmuThread = nullptr;
  dropFibers();
}

} // namespace sluice::emulator
