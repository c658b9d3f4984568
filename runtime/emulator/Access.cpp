// Bounds and alignment of accesses, and the loads and stores of the kernels' header.
#include "runtime/emulator/Access.h"

#include "runtime/emulator/AccessLog.h"
#include "runtime/emulator/Endless.h"
#include "runtime/emulator/Launch.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sluice::emulator {

namespace {

std::string describe(const Access &access) {
  return std::string(access.kind == AccessKind::read ? "read" : "write") + " of " + std::to_string(access.bytes) +
         " bytes by " + access.primitive;
}

void reportOutside(Thread &thread, uint64_t at, const Access &access) {
  LaunchState &launch = thread.machine->launch;
  const Allocation *below = launch.below(at), *above = launch.above(at);
  // Further away than that, the nearest allocation has nothing to do with it.
  constexpr uint64_t farAway = uint64_t(1) << 30;
  uint64_t past = below ? at + access.bytes - (below->base + below->bytes) : ~uint64_t(0);
  uint64_t before = above ? above->base - at : ~uint64_t(0);
  std::string where = "in no allocation";
  if (below && below->contains(at, access.bytes))
    where = "lies in '" + below->name + "', to which no parameter of the launch points";
  else if (std::min(past, before) > farAway)
    where = "lies in no device memory: expected an address within an argument of the launch";
  else if (past <= before && below)
    where = "ends " + std::to_string(past) + " bytes past the end of '" + below->name + "' of " +
            std::to_string(below->bytes) + " bytes";
  else if (above)
    where = "begins " + std::to_string(before) + " bytes before '" + above->name + "'";
  report(thread, "out of bounds", access.site, describe(access) + " in global memory " + where);
}

void expectProgress(Thread &thread, const Access &access) {
  if (__builtin_expect(thread.machine->overdue.load(std::memory_order_relaxed), 0))
    reportEndless(thread, access);
}

} // namespace

uint8_t *sharedBytes(Thread &thread, Block &owner, uint32_t address, const Access &access, uint32_t alignment) {
  expectProgress(thread, access);
  uint64_t offset = uint64_t(address) - sluiceEmuSharedBase;
  if (address < sluiceEmuSharedBase || offset + access.bytes > owner.sharedBytes) {
    report(thread, "out of bounds", access.site,
           describe(access) + " at shared offset " + std::to_string(static_cast<int64_t>(offset)) +
               ", expected one within the block's " + std::to_string(owner.sharedBytes) + " bytes");
    return nullptr;
  }
  if (address % alignment) {
    report(thread, "misaligned", access.site,
           describe(access) + " at shared offset " + std::to_string(offset) + ", expected a multiple of " +
               std::to_string(alignment));
    return nullptr;
  }
  return owner.shared + offset;
}

Allocation *globalBytes(Thread &thread, const void *address, const Access &access, uint32_t alignment) {
  expectProgress(thread, access);
  auto at = reinterpret_cast<uint64_t>(address);
  Allocation *allocation = thread.machine->launch.below(at);
  if (!allocation || !allocation->contains(at, access.bytes) || !allocation->given) {
    reportOutside(thread, at, access);
    return nullptr;
  }
  if (at % alignment) {
    report(thread, "misaligned", access.site,
           describe(access) + " at byte " + std::to_string(at - allocation->base) + " of '" + allocation->name +
               "', expected an address that is a multiple of " + std::to_string(alignment));
    return nullptr;
  }
  if (access.kind != AccessKind::read && !allocation->mayWrite) {
    report(thread, "write to an input", access.site,
           describe(access) + " to '" + allocation->name + "', which the launch record only reads");
    return nullptr;
  }
  return allocation;
}

} // namespace sluice::emulator

using namespace sluice::emulator;
using sluice::device::Site;

namespace {

/// The next access from this call is found without a search.
void remember(Thread &thread, const Allocation &allocation, const Access &access) {
  uint64_t slot = std::bit_cast<uint64_t>(access.site) / 8 % sluiceEmuRanges;
  thread.ranges[(access.kind == AccessKind::write ? sluiceEmuRanges : 0) + slot] = {allocation.base, allocation.bytes};
}

/// A loop of ordinary loads that waits for another thread is a race, but must not keep that thread from
/// running.
void noteRepeat(Thread &thread, const void *place, const void *result, const Access &access) {
  Thread::Repeat &repeat = thread.repeat;
  if (repeat.place != place) {
    repeat = {place, 0};
    return;
  }
  constexpr uint32_t many = 1024;
  if (++repeat.count % many)
    return;
  uint64_t value = 0;
  std::memcpy(&value, result, std::min<size_t>(access.bytes, sizeof value));
  thread.machine->notePoll(thread, {access.primitive, access.site, nullptr, place}, value);
}

} // namespace

extern "C" {

void sluiceEmuLoadGlobal(void *result, const void *address, unsigned bytes, Site site) {
  Thread &thread = currentThread();
  Access access{bytes, AccessKind::read, "loadGlobal", site};
  Allocation *allocation = globalBytes(thread, address, access, bytes);
  if (!allocation) {
    std::memset(result, poisonByte, bytes);
    return;
  }
  std::memcpy(result, address, bytes);
  if (!thread.observed) {
    remember(thread, *allocation, access);
    return;
  }
  recordGlobal(thread, *allocation, reinterpret_cast<uint64_t>(address), access);
  if (thread.machine->counting())
    logAccess(thread, LoggedSpace::globalRead, reinterpret_cast<uint64_t>(address), access);
  noteRepeat(thread, address, result, access);
}

void sluiceEmuStoreGlobal(void *address, const void *value, unsigned bytes, Site site) {
  Thread &thread = currentThread();
  Access access{bytes, AccessKind::write, "storeGlobal", site};
  Allocation *allocation = globalBytes(thread, address, access, bytes);
  if (!allocation)
    return;
  std::memcpy(address, value, bytes);
  if (!thread.observed) {
    remember(thread, *allocation, access);
    return;
  }
  recordGlobal(thread, *allocation, reinterpret_cast<uint64_t>(address), access);
  if (thread.machine->counting())
    logAccess(thread, LoggedSpace::globalWrite, reinterpret_cast<uint64_t>(address), access);
}

void sluiceEmuLoadShared(void *result, unsigned address, unsigned bytes, Site site) {
  Thread &thread = currentThread();
  Access access{bytes, AccessKind::read, "loadShared", site};
  const uint8_t *source = sharedBytes(thread, *thread.inBlock, address, access, bytes);
  if (!source) {
    std::memset(result, poisonByte, bytes);
    return;
  }
  std::memcpy(result, source, bytes);
  recordShared(thread, *thread.inBlock, sharedOffset(address), access);
  if (thread.machine->counting())
    logAccess(thread, LoggedSpace::shared, sharedOffset(address), access);
  noteRepeat(thread, source, result, access);
}

void sluiceEmuStoreShared(unsigned address, const void *value, unsigned bytes, Site site) {
  Thread &thread = currentThread();
  Access access{bytes, AccessKind::write, "storeShared", site};
  uint8_t *destination = sharedBytes(thread, *thread.inBlock, address, access, bytes);
  if (!destination)
    return;
  std::memcpy(destination, value, bytes);
  recordShared(thread, *thread.inBlock, sharedOffset(address), access);
  if (thread.machine->counting())
    logAccess(thread, LoggedSpace::shared, sharedOffset(address), access);
}

void sluiceEmuSkip(int space, unsigned bytes, Site site) {
  Thread &thread = currentThread();
  constexpr const char *names[] = {"loadGlobal", "storeGlobal", "", "loadShared"};
  if (thread.machine->counting())
    logAccess(thread, static_cast<LoggedSpace>(space), 0, {bytes, AccessKind::read, names[space], site}, false);
}

// Hints are right wherever they point.
void sluiceEmuPrefetch(const void *, Site) {}

} // extern "C"
