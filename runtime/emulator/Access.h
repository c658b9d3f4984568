// Device memory as the primitives reach it: bounds, alignment and what is told to the checker and the
// counters.
#pragma once

#include "runtime/emulator/DeviceMemory.h"
#include "runtime/emulator/Machine.h"

namespace sluice::emulator {

/// Bytes of shared memory of `owner` at a shared-window address. Null, after a report, if they are out of
/// bounds or the address is no multiple of `alignment`.
uint8_t *sharedBytes(Thread &thread, Block &owner, uint32_t address, const Access &access,
                     uint32_t alignment);
/// The offset of an address that was found good.
inline uint32_t sharedOffset(uint32_t address) { return address - sluiceEmuSharedBase; }

/// The allocation that holds the bytes. Null, after a report, if they are out of bounds, misaligned, or
/// written though the launch record calls them read only.
Allocation *globalBytes(Thread &thread, const void *address, const Access &access, uint32_t alignment);

/// Poison of asynchronous destinations and fresh memory: NaN in every format.
inline constexpr int poisonByte = 0xff;

} // namespace sluice::emulator
