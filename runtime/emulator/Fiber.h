// Fibers: stacks and the switch between them, x86-64 System V. No signal masks, no floating-point state: all
// fibers of a host thread share it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/// Stores the running fiber's stack pointer at `save` and goes on where `load` was stored.
extern "C" void sluiceEmuSwitch(void **save, void *load);

namespace sluice::emulator {

struct Fiber {
  void *stackPointer = nullptr; ///< While it does not run.
  uint8_t *stack = nullptr;     ///< Its lowest byte; null before the fiber starts.
};

/// Stacks of one host thread, kept for the next fiber. Pages are taken when first touched.
class StackPool {
public:
  static constexpr size_t stackBytes = 64 * 1024;
  /// More stacks than this have no guard page: each guard costs the process two of its 65,530 mappings.
  static constexpr size_t guardedStacks = 8192;

  StackPool() = default;
  ~StackPool();
  StackPool(const StackPool &) = delete;
  StackPool &operator=(const StackPool &) = delete;
  /// The lowest byte of a stack.
  uint8_t *take();
  /// The stack may still be in use until the next `take`.
  void give(uint8_t *stack) { available.push_back(stack); }
  /// Whether the address lies in the guard page of a stack.
  bool isGuard(const void *address) const;
  /// Makes a stack on which switching to the result calls `entry`, which must not return.
  static void *prepare(uint8_t *stack, void (*entry)());

private:
  static constexpr size_t stride = stackBytes + 4096;
  struct Slab {
    uint8_t *base;
    size_t bytes;
    bool guarded;
  };
  void grow();
  std::vector<Slab> slabs;
  std::vector<uint8_t *> available;
  size_t total = 0;
};

} // namespace sluice::emulator
