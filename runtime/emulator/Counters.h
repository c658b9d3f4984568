// What a launch costs, counted while the emulator runs it: traffic of each tensor in sectors of 32 bytes,
// passes through the banks of shared memory by source line, tensor FLOPs.
//
// Traffic. A warp instruction requests the distinct sectors that its active lanes touch; a bulk copy or a box
// of a tensor map requests the sectors of each of its rows by itself. Elements out of a tensor map's bounds
// cost nothing. Polls of counters are no traffic: how many there are depends on the order of events.
//
// Shared memory has 32 banks of 4 bytes. In one wavefront each bank delivers one word, to as many lanes as
// want it. Lanes take part in groups: all 32 for accesses of up to 4 bytes, 16 for 8 bytes, 8 for 16 bytes; a
// group without an active lane is skipped. A group takes as many wavefronts as the bank with the most
// distinct words has words; conflicts are those beyond one per group. ldmatrix and stmatrix access the eight
// rows of one matrix as one group. wgmma and tensor or bulk copies are charged bytes / 128: a model that
// knows no conflicts, and says so.
#pragma once

#include "runtime/emulator/Emulator.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::emulator {

/// Device memory that is counted under one name. Two ranges may overlap: an address counts for the one that
/// starts last at or below it and reaches it; of equal ones, the first. Addresses in none are only requested,
/// under "?".
struct CountedTensor {
  std::string name;
  uint64_t base = 0, bytes = 0;
};

/// What the active lanes of one warp access in one execution of one instruction: addresses in device memory,
/// or byte offsets in shared memory.
struct WarpAccess {
  uint32_t active = 0;         ///< Bit i: lane i takes part.
  uint64_t address[32];        ///< Valid where active.
  uint8_t bytes[32];           ///< 1 to 16 each; global accesses may differ by lane, shared ones may not.
  void add(uint32_t lane, uint64_t at, uint32_t size) {
    active |= 1u << lane;
    address[lane] = at;
    bytes[lane] = static_cast<uint8_t>(size);
  }
};

/// A line of the kernel's source and the primitive it calls. The strings must outlive the launch.
struct CountedLine {
  const char *file = "";
  uint32_t line = 0;
  const char *primitive = "";
};

/// The counters of one launch, shared by the host's threads.
class LaunchCounters {
public:
  explicit LaunchCounters(std::vector<CountedTensor> tensors);
  ~LaunchCounters();
  LaunchCounters(const LaunchCounters &) = delete;
  LaunchCounters &operator=(const LaunchCounters &) = delete;
  /// After every block has ended; does not depend on the order in which they ran.
  Counters result() const;

private:
  friend class BlockCounters;
  struct Implementation;
  std::unique_ptr<Implementation> implementation;
};

/// The counters of one block while it runs, used by one host thread at a time. Can be used for one block
/// after another: `finish` adds to the launch and clears.
class BlockCounters {
public:
  explicit BlockCounters(LaunchCounters &launch);
  ~BlockCounters();
  BlockCounters(const BlockCounters &) = delete;
  BlockCounters &operator=(const BlockCounters &) = delete;

  /// ld and st of global memory, cp.async's side there. `readWrite` (atomics) counts in both directions.
  void global(Direction direction, const WarpAccess &access);
  /// One contiguous row of a bulk copy or of a box.
  void globalRow(Direction direction, uint64_t address, uint64_t bytes);
  /// ld and st of shared memory, and the writes of cp.async.
  void shared(const CountedLine &line, const WarpAccess &access);
  /// ldmatrix, stmatrix: the addresses of the rows of `rows.size() / 8` matrices, eight after eight.
  void sharedMatrices(const CountedLine &line, std::span<const uint32_t> rows);
  /// wgmma, tensor and bulk copies: bytes read or written by one instruction.
  void sharedModel(const CountedLine &line, uint64_t bytes);
  void tensorFlops(uint64_t flops);
  void barrier();
  /// The block has ended.
  void finish();

private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation;
};

} // namespace sluice::emulator
