// Allocation, poison and registration of global memory.
#include "runtime/emulator/DeviceMemory.h"

#include "runtime/Error.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <sys/mman.h>

namespace sluice::emulator {

namespace {

constexpr uint64_t pageBytes = 4096;
// What cudaMalloc promises, and tensor maps and vector accesses rely on.
constexpr uint64_t baseAlignment = 256;
// On both sides, and at least as much as the allocation has: a wrong stride or index, and not only one that
// is off by one, must not lead to another tensor.
constexpr uint64_t leastGuard = 1 << 20;

struct Registry {
  std::mutex mutex;
  std::map<uint64_t, std::shared_ptr<Storage>> byBase;
};

Registry &registry() {
  static Registry instance;
  return instance;
}

uint64_t roundUp(uint64_t value, uint64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

/// The bits of line `line` that lie in [address, address + count).
uint16_t maskOf(uint64_t line, uint64_t address, uint64_t count) {
  auto first = static_cast<unsigned>(std::max(line, address) - line);
  auto end = static_cast<unsigned>(std::min(line + 16, address + count) - line);
  return static_cast<uint16_t>((0xffffu >> (16 - (end - first))) << first);
}

} // namespace

Storage::Storage(uint64_t bytes, std::string name) : bytes(bytes), name(std::move(name)) {
  // The end lies at the guard, as nearly as the alignment of the start permits.
  uint64_t used = roundUp(std::max<uint64_t>(bytes, 1), baseAlignment), pages = roundUp(used, pageBytes);
  uint64_t guard = std::max(leastGuard, pages);
  mappedBytes = pages + 2 * guard;
  void *map = mmap(nullptr, mappedBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED)
    throw UserError("expected memory for " + this->name + ", got none for " + std::to_string(bytes) +
                    " bytes");
  mapping = static_cast<uint8_t *>(map);
  if (mprotect(mapping + guard, pages, PROT_READ | PROT_WRITE)) {
    munmap(map, mappedBytes);
    throw UserError("expected memory for " + this->name + ", got none for " + std::to_string(bytes) +
                    " bytes");
  }
  base = reinterpret_cast<uint64_t>(mapping) + guard + pages - used;
  written = std::make_unique<std::atomic<uint16_t>[]>(used / 16);
  std::memset(reinterpret_cast<void *>(base), 0xff, used);
}

Storage::~Storage() { munmap(mapping, mappedBytes); }

void Storage::setAllWritten(bool value) {
  for (uint64_t line = 0; line < roundUp(bytes, 16) / 16; ++line)
    written[line].store(value ? 0xffff : 0, std::memory_order_relaxed);
}

void Storage::setWritten(uint64_t address, uint64_t count) {
  for (uint64_t line = address & ~uint64_t(15); line < address + count; line += 16) {
    std::atomic<uint16_t> &flags = written[(line - base) / 16];
    uint16_t mask = maskOf(line, address, count);
    // Blocks on other host threads write other bytes of the same line.
    if ((flags.load(std::memory_order_relaxed) & mask) != mask)
      flags.fetch_or(mask, std::memory_order_relaxed);
  }
}

bool Storage::isWritten(uint64_t address, uint64_t count) const {
  for (uint64_t line = address & ~uint64_t(15); line < address + count; line += 16) {
    uint16_t mask = maskOf(line, address, count);
    if ((written[(line - base) / 16].load(std::memory_order_relaxed) & mask) != mask)
      return false;
  }
  return true;
}

void registerStorage(const std::shared_ptr<Storage> &storage) {
  std::lock_guard lock(registry().mutex);
  registry().byBase[storage->base] = storage;
}

void forgetStorage(const std::shared_ptr<Storage> &storage) {
  std::lock_guard lock(registry().mutex);
  registry().byBase.erase(storage->base);
}

std::vector<std::shared_ptr<Storage>> allStorage() {
  std::lock_guard lock(registry().mutex);
  std::vector<std::shared_ptr<Storage>> all;
  for (const auto &[base, storage] : registry().byBase)
    all.push_back(storage);
  return all;
}

struct Memory::Implementation {
  std::shared_ptr<Storage> storage;
};

Memory::Memory(uint64_t bytes, std::string name) : implementation(std::make_unique<Implementation>()) {
  implementation->storage = std::make_shared<Storage>(bytes, std::move(name));
  registerStorage(implementation->storage);
}

Memory::~Memory() {
  if (implementation)
    forgetStorage(implementation->storage);
}

Memory::Memory(Memory &&) noexcept = default;

void *Memory::data() const { return reinterpret_cast<void *>(implementation->storage->base); }

uint64_t Memory::bytes() const { return implementation->storage->bytes; }

void Memory::markWritten() const { implementation->storage->setAllWritten(true); }

void Memory::markUndefined() const {
  std::memset(data(), 0xff, bytes());
  implementation->storage->setAllWritten(false);
}

} // namespace sluice::emulator
