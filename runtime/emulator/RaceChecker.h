// Shadow of shared and global memory: who wrote each cell of 2 bytes last, and who has read it since.
//
// An access conflicts with an earlier one to the same bytes, at least one of them a write and at least one of
// them not atomic, that is not known to be over. All readers since the last write are kept, except those
// known to be over to a later reader: what is ordered after that one is ordered after them. Neighbouring
// cells with the same history are one record per 16 bytes until an access tells them apart.
#pragma once

#include "codegen/cuda/device/emu/Abi.h"
#include "runtime/emulator/Clock.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace sluice::emulator {

struct Block;
struct Thread;
struct Allocation;
using device::Site;

enum class AccessKind : uint8_t { read, write, atomic };

/// Who carries out an access. By default the thread itself, in its running epoch and through the generic
/// proxy.
struct Agent {
  Actor actor = 0;
  uint32_t epoch = 0;      ///< The access is over for whoever knows this epoch of the actor.
  bool asyncProxy = false; ///< Generic writes must have passed a proxy fence before it sees them.
};

/// One access of a thread or of an agent on its behalf. What is ordered before it is what the thread knows
/// now.
struct Access {
  uint32_t bytes = 0;
  AccessKind kind = AccessKind::read;
  const char *primitive = "";
  Site site;
};

/// Records an access to shared memory of `owner` (the thread's block or a peer in its cluster) and reports
/// what is wrong with it: a race, a missing fence, a read of what nobody wrote. In bounds already.
void recordShared(Thread &thread, Block &owner, uint32_t offset, const Access &access);
void recordShared(Thread &thread, Block &owner, uint32_t offset, const Access &access, const Agent &agent);
/// The same for global memory; `address` lies in `allocation`.
void recordGlobal(Thread &thread, Allocation &allocation, uint64_t address, const Access &access);
void recordGlobal(Thread &thread, Allocation &allocation, uint64_t address, const Access &access,
                  const Agent &agent);

} // namespace sluice::emulator
