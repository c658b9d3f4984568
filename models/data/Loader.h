// Training batches: windows of the token stream in an order that depends on the seed and the epoch alone, so
// that where training stands is two numbers.
#pragma once

#include "models/data/Shards.h"

#include <cstdint>
#include <vector>

namespace sluice::models {

struct LoaderState {
  int64_t epoch = 0;
  int64_t position = 0; ///< Windows of this epoch that were used.

  bool operator==(const LoaderState &) const = default;
};

class Loader {
public:
  /// Windows have `sequence` + 1 tokens, the last of one being the first of the next. Throws UserError if the
  /// stream is shorter than one window.
  Loader(const Shards &shards, int64_t sequence, uint64_t seed);

  /// `batch` windows, one after the other. May take from two epochs.
  std::vector<int64_t> next(int64_t batch);

  int64_t windows() const { return static_cast<int64_t>(order.size()); }
  const LoaderState &state() const { return current; }
  void restore(const LoaderState &state);

private:
  const Shards &shards;
  int64_t sequence;
  uint64_t seed;
  LoaderState current;
  std::vector<int64_t> order; ///< Of the windows, this epoch.
  int64_t offset = 0;         ///< Of the first window, this epoch: otherwise all epochs cut alike.

  void shuffle();
};

} // namespace sluice::models
