// Groups the accesses of single lanes into those of warp instructions, for the counters. Lanes run one after
// another, so each keeps a list until its warp meets or ends; then the k-th execution of a call since the
// last meeting is one instruction of all lanes that got that far.
#pragma once

#include "runtime/emulator/Machine.h"

#include <array>
#include <vector>

namespace sluice::emulator {

/// A SluiceEmuSpace.
enum class LoggedSpace : uint8_t { globalRead, globalWrite, globalUpdate, shared };

class AccessLog : public BlockPart {
public:
  explicit AccessLog(Block &block) : warps(block.warps.size()) {}
  void add(const Thread &thread, LoggedSpace space, uint64_t address, const Access &access, bool active);
  void flush(Warp &warp);

private:
  struct Entry {
    const void *site;
    const char *primitive;
    uint64_t address;
    Site place;
    uint8_t bytes;
    LoggedSpace space;
    bool active; ///< False: the lane's predicate was.
  };
  struct Instruction {
    Entry first;
    WarpAccess access;
    uint32_t taken = 0; ///< Lanes that have come this far, active or not.
  };
  struct WarpLog {
    std::array<std::vector<Entry>, 32> lanes;
    bool any = false;
  };
  void merge(const std::vector<Entry> &entries, unsigned lane);
  std::vector<WarpLog> warps;
  std::vector<Instruction> instructions;
};

/// Called by primitives when counting.
void logAccess(Thread &thread, LoggedSpace space, uint64_t address, const Access &access, bool active = true);
void flushAccesses(Warp &warp);
void flushAll(Block &block);

} // namespace sluice::emulator
