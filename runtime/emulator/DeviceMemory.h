// Global memory: allocations between guard pages, what of them holds values, and who they are to a launch.
#pragma once

#include "runtime/emulator/Emulator.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice::emulator {

/// The bytes of one allocation. A flag for each says whether it holds a value.
struct Storage {
  uint64_t base = 0, bytes = 0;
  std::string name;
  uint8_t *mapping = nullptr;
  uint64_t mappedBytes = 0;
  /// For each line of 16 bytes; lines start at multiples of 16, `base` is one.
  std::unique_ptr<std::atomic<uint16_t>[]> written;

  Storage(uint64_t bytes, std::string name);
  ~Storage();
  Storage(const Storage &) = delete;
  Storage &operator=(const Storage &) = delete;
  void setAllWritten(bool value);
  void setWritten(uint64_t address, uint64_t count);
  bool isWritten(uint64_t address, uint64_t count) const;
};

/// An allocation as one launch sees it.
struct Allocation {
  std::shared_ptr<Storage> storage;
  uint64_t base = 0, bytes = 0;
  std::string name;        ///< Of the parameter that points into it, or else its own.
  bool given = false;      ///< Some parameter points into it.
  bool mayWrite = false;   ///< Some parameter that points into it is written.
  uint32_t index = 0;      ///< In the launch.
  bool contains(uint64_t address, uint64_t count) const {
    return address >= base && count <= bytes && address - base <= bytes - count;
  }
};

/// Adds to, removes from and lists all storage that lives, by address. Locked.
void registerStorage(const std::shared_ptr<Storage> &storage);
void forgetStorage(const std::shared_ptr<Storage> &storage);
std::vector<std::shared_ptr<Storage>> allStorage();

} // namespace sluice::emulator
