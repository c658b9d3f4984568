// Shuffled windows of the token stream.

#include "models/data/Loader.h"

#include "runtime/Error.h"

#include <numeric>
#include <random>

namespace sluice::models {
namespace {

// std::uniform_int_distribution may differ between standard libraries; its bias here is below 2^-32.
int64_t below(std::mt19937_64 &random, int64_t bound) {
  return static_cast<int64_t>(random() % static_cast<uint64_t>(bound));
}

} // namespace

Loader::Loader(const Shards &shards, int64_t sequence, uint64_t seed)
    : shards(shards), sequence(sequence), seed(seed) {
  if (shards.size() < sequence + 1)
    throw UserError("expected at least training.sequence + 1 = " + std::to_string(sequence + 1) +
                    " tokens to train on, got " + std::to_string(shards.size()));
  shuffle();
}

void Loader::shuffle() {
  std::mt19937_64 random(seed * 0x9e3779b97f4a7c15u + static_cast<uint64_t>(current.epoch));
  int64_t slack = (shards.size() - 1) % sequence;
  int64_t count = (shards.size() - 1) / sequence;
  // A whole window's worth of shift costs one window, if there is more than one.
  if (count > 1) {
    offset = below(random, slack + sequence);
    count = (shards.size() - 1 - offset) / sequence;
  } else {
    offset = below(random, slack + 1);
  }
  order.resize(count);
  std::iota(order.begin(), order.end(), 0);
  for (int64_t last = count - 1; last > 0; --last)
    std::swap(order[last], order[below(random, last + 1)]);
}

std::vector<int64_t> Loader::next(int64_t batch) {
  std::vector<int64_t> tokens(batch * (sequence + 1));
  for (int64_t row = 0; row < batch; ++row) {
    if (current.position == windows()) {
      current = {current.epoch + 1, 0};
      shuffle();
    }
    int64_t begin = offset + order[current.position++] * sequence;
    shards.read(begin, sequence + 1, tokens.data() + row * (sequence + 1));
  }
  return tokens;
}

void Loader::restore(const LoaderState &state) {
  current = state;
  shuffle();
  if (current.position < 0 || current.position > windows())
    throw UserError("expected a data position from 0 to " + std::to_string(windows()) +
                    " in the checkpoint, got " + std::to_string(state.position));
}

} // namespace sluice::models
