// Global memory: allocations that end at a guard page, what of them holds values, and who they are to a launch.
#pragma once

#include "runtime/emulator/Emulator.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice::emulator {

/// One allocation of device memory.
struct Allocation {
  uint64_t base = 0, bytes = 0;
  std::string name;
  uint8_t *mapping = nullptr;
  uint64_t mappedBytes = 0;
  /// One byte for each 16 of the allocation, one bit for each 2: holds a value. Lines start at multiples of 16.
  std::unique_ptr<std::atomic<uint8_t>[]> written;
  bool contains(uint64_t address, uint64_t count) const {
    return address >= base && count <= bytes && address - base <= bytes - count;
  }
  void setWritten(uint64_t address, uint64_t count);
  bool isWritten(uint64_t address, uint64_t count) const;
};

/// All allocations that live, by address. Locked.
class MemoryRegistry {
public:
  static MemoryRegistry &instance();
  std::shared_ptr<Allocation> allocate(uint64_t bytes, const std::string &name);
  void release(const Allocation &allocation);
  /// A copy, sorted by address: what a launch works with.
  std::vector<std::shared_ptr<Allocation>> all() const;

private:
  struct State;
  std::shared_ptr<State> state;
};

} // namespace sluice::emulator
