// Races in global memory between clusters that know nothing of each other. Each cluster's accesses are summed
// up when it ends; what two of them did to the same bytes is judged when all have, so that the order in which
// the host ran them does not matter.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace sluice::emulator {

/// An actor of a cluster at a call site, by number.
struct Accessor {
  uint16_t actor = 0, site = 0;
};

/// What one cluster did to a line of 16 bytes; bit i of a mask stands for byte i. Reads before a write
/// of the same cluster need not be there: whoever collides with them collides with the write.
struct LineSummary {
  uint64_t address = 0;
  uint32_t cluster = 0;
  uint16_t written = 0, read = 0, atomic = 0;
  Accessor writer, reader, updater;
};

/// Accesses of two clusters to the same bytes, the one of the lower cluster first.
struct Collision {
  uint64_t address = 0;
  uint32_t cluster[2] = {};
  Accessor accessor[2];
  bool write[2] = {};
};

class GlobalRaces {
public:
  void add(std::vector<LineSummary> lines);
  /// By address; one for each pair of call sites, `limit` at most.
  std::vector<Collision> collisions(size_t limit);

private:
  std::mutex mutex;
  std::vector<LineSummary> all;
};

} // namespace sluice::emulator
