// The switch between fibers, and their stacks.
#include "runtime/emulator/Fiber.h"

#include <new>
#include <sys/mman.h>

// Saves what a called function must preserve, and the stack pointer; restores the other fiber's.
asm(R"(.text
.globl sluiceEmuSwitch
.type sluiceEmuSwitch,@function
.p2align 4
sluiceEmuSwitch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size sluiceEmuSwitch,.-sluiceEmuSwitch
)");

namespace sluice::emulator {

namespace {
constexpr size_t guardBytes = 4096;
constexpr size_t slabStacks = 64;
} // namespace

StackPool::~StackPool() {
  for (const Slab &slab : slabs)
    munmap(slab.base, slab.bytes);
}

void StackPool::grow() {
  Slab slab{nullptr, slabStacks * stride, total + slabStacks <= guardedStacks};
  void *base =
      mmap(nullptr, slab.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED)
    throw std::bad_alloc();
  slab.base = static_cast<uint8_t *>(base);
  // Huge pages would take 2 MiB for each few stacks.
  madvise(base, slab.bytes, MADV_NOHUGEPAGE);
  // Taken from the back: the lowest first.
  for (size_t i = slabStacks; i-- > 0;) {
    uint8_t *lowest = slab.base + i * stride;
    if (slab.guarded)
      mprotect(lowest, guardBytes, PROT_NONE);
    available.push_back(lowest + guardBytes);
  }
  total += slabStacks;
  slabs.push_back(slab);
}

uint8_t *StackPool::take() {
  if (available.empty())
    grow();
  uint8_t *stack = available.back();
  available.pop_back();
  return stack;
}

bool StackPool::isGuard(const void *address) const {
  for (const Slab &slab : slabs) {
    size_t offset = static_cast<size_t>(static_cast<const uint8_t *>(address) - slab.base);
    if (offset < slab.bytes)
      return slab.guarded && offset % stride < guardBytes;
  }
  return false;
}

void *StackPool::prepare(uint8_t *stack, void (*entry)()) {
  // Stacks start at different lines, or the hot lines of all fibers would share one set of the cache.
  size_t shift = reinterpret_cast<uintptr_t>(stack) / stride % 24 * 64;
  auto *top = reinterpret_cast<uint64_t *>(stack + stackBytes - shift);
  // A function expects the return address at 8 below a multiple of 16; 0 ends a debugger's walk.
  uint64_t *slot = top - 3;
  *slot = 0;
  *--slot = reinterpret_cast<uint64_t>(entry);
  for (int saved = 0; saved < 6; ++saved)
    *--slot = 0;
  return slot;
}

} // namespace sluice::emulator
