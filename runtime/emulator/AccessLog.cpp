// Merges the lists of the lanes of a warp and tells the counters.
#include "runtime/emulator/AccessLog.h"

#include <algorithm>

namespace sluice::emulator {

void AccessLog::add(const Thread &thread, LoggedSpace space, uint64_t address, const Access &access,
                    bool active) {
  WarpLog &log = warps[thread.inWarp->index];
  log.lanes[thread.lane].push_back({identity(access.site), access.primitive, address, access.site,
                                    static_cast<uint8_t>(access.bytes), space, active});
  log.any = true;
}

void AccessLog::merge(const std::vector<Entry> &entries, unsigned lane) {
  // Lanes mostly do the same, so the next entry belongs to one of the next instructions.
  size_t next = 0;
  for (const Entry &entry : entries) {
    auto takes = [&](const Instruction &instruction) {
      return instruction.first.site == entry.site && instruction.first.space == entry.space &&
             // A cp.async at a ragged edge reads fewer bytes than those of the other lanes.
             (instruction.first.bytes == entry.bytes || entry.space == LoggedSpace::globalRead) &&
             !(instruction.taken >> lane & 1);
    };
    auto found = std::find_if(instructions.begin() + static_cast<ptrdiff_t>(next), instructions.end(), takes);
    if (found == instructions.end())
      found = std::find_if(instructions.begin(), instructions.end(), takes);
    auto at = static_cast<size_t>(found - instructions.begin());
    if (at == instructions.size()) {
      instructions.emplace_back();
      instructions.back().first = entry;
    }
    instructions[at].taken |= 1u << lane;
    next = at + 1;
    if (!entry.active)
      continue;
    // Of a lane whose predicate is false the primitive is not known.
    if (!instructions[at].access.active)
      instructions[at].first = entry;
    instructions[at].access.add(lane, entry.address, entry.bytes);
  }
}

void AccessLog::flush(Warp &warp) {
  WarpLog &log = warps[warp.index];
  if (!log.any)
    return;
  log.any = false;
  for (unsigned lane = 0; lane < 32; ++lane) {
    merge(log.lanes[lane], lane);
    log.lanes[lane].clear();
  }
  BlockCounters &counters = *warp.block->counters;
  for (const Instruction &instruction : instructions) {
    const Entry &entry = instruction.first;
    if (!instruction.access.active)
      continue;
    if (entry.space == LoggedSpace::shared)
      counters.shared({entry.place.file_name(), entry.place.line(), entry.primitive}, instruction.access);
    else
      counters.global(entry.space == LoggedSpace::globalRead    ? Direction::read
                      : entry.space == LoggedSpace::globalWrite ? Direction::write
                                                                : Direction::readWrite,
                      instruction.access);
  }
  instructions.clear();
}

void logAccess(Thread &thread, LoggedSpace space, uint64_t address, const Access &access, bool active) {
  thread.inBlock->part<AccessLog>(Part::accessLog).add(thread, space, address, access, active);
}

void flushAccesses(Warp &warp) {
  if (BlockPart *log = warp.block->existing(Part::accessLog))
    static_cast<AccessLog *>(log)->flush(warp);
}

void flushAll(Block &block) {
  for (Warp &warp : block.warps)
    flushAccesses(warp);
}

} // namespace sluice::emulator
