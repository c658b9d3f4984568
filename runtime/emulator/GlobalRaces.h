// Races in global memory between clusters that know nothing of each other. Each cluster's accesses are summed up when
// it ends; what two of them did to the same bytes is judged when all have, so that the order in which the host ran
// them does not matter.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace sluice::emulator {

/// The access of a cluster that a report names. The lowest cluster wins, so that the choice is always the same.
struct Accessor {
  uint32_t cluster = 0xffffffff;
  uint16_t actor = 0, site = 0;
  bool exists() const { return cluster != 0xffffffff; }
};

/// The lowest two clusters that did something to a cell.
struct AccessorPair {
  Accessor first, second;
  void add(Accessor accessor);
};

/// What clusters did to one cell of 2 bytes. Atomic accesses collide with the others only.
struct CellSummary {
  AccessorPair written, read, atomic;
};

/// A pair of accesses to the same cell by different clusters.
struct Collision {
  uint64_t address = 0;
  Accessor access, earlier;
  bool isWrite = false, earlierIsWrite = false;
};

class GlobalRaces {
public:
  enum class Kind { written, read, atomic };
  /// A cluster accessed `bytes` from `address`, which lie in one line of 16 bytes. Locks.
  void add(uint64_t address, uint32_t bytes, Kind kind, Accessor accessor);
  /// By address; at most one for a pair of sites.
  std::vector<Collision> collisions() const;

private:
  struct Line {
    std::array<CellSummary, 8> cells;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<uint64_t, std::unique_ptr<Line>> lines;
  };
  std::array<Shard, 64> shards;
};

} // namespace sluice::emulator
