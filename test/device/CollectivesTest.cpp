// Reductions and prefix sums against loops. The two sides share their source, so that comparing them finds
// nothing.
#include "test/async/AsyncRun.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sluice {
namespace {

/// What each thread should get, in the order in which the kernel writes it. Sums of small integers are exact.
struct Expected {
  std::vector<float> floats;
  std::vector<int32_t> whole;
};

Expected expectedOf(const std::vector<float> &in, const std::vector<int32_t> &integers) {
  size_t threads = in.size();
  Expected expected{std::vector<float>(6 * threads), std::vector<int32_t>(4 * threads)};
  for (size_t thread = 0; thread < threads; ++thread) {
    size_t warp = thread / 32 * 32;
    auto sum = [&](size_t begin, size_t end) {
      return std::accumulate(in.begin() + begin, in.begin() + end, 0.0f);
    };
    auto largest = [&](size_t begin, size_t end) {
      float best = in[begin];
      for (size_t i = begin; i < end; ++i)
        best = std::fmax(best, in[i]); // A NaN loses.
      return best;
    };
    const float each[] = {sum(warp, warp + 32), largest(warp, warp + 32), sum(warp, thread + 1),
                          sum(0, threads),      largest(0, threads),      sum(0, thread + 1)};
    for (size_t i = 0; i < 6; ++i)
      expected.floats[i * threads + thread] = each[i];
    auto begin = integers.begin() + warp, end = begin + 32;
    uint32_t total = 0, most = 0;
    for (auto at = begin; at != end; ++at) {
      total += static_cast<uint32_t>(*at);
      most = std::max(most, static_cast<uint32_t>(*at));
    }
    const int32_t wholes[] = {static_cast<int32_t>(total), static_cast<int32_t>(total),
                              *std::max_element(begin, end), static_cast<int32_t>(most)};
    for (size_t i = 0; i < 4; ++i)
      expected.whole[i * threads + thread] = wholes[i];
  }
  return expected;
}

void compare(const std::vector<float> &in, bool sumsCount) {
  auto threads = static_cast<int64_t>(in.size());
  std::vector<int32_t> integers(in.size());
  for (size_t i = 0; i < in.size(); ++i)
    integers[i] = static_cast<int32_t>(i * 2654435761u);
  for (const emulator::Options &options : test::everyCompletion(2)) {
    test::AsyncRun run("collectives.so", "collectives", threads, 128);
    run.tensor("in", DType::f32, in).tensor("integers", DType::i32, integers);
    run.tensor("floats", DType::f32, std::vector<float>(6 * in.size()), Direction::write);
    run.tensor("whole", DType::i32, std::vector<int32_t>(4 * in.size()), Direction::write);
    emulator::Result result = run.launch(options);
    ASSERT_TRUE(result.clean()) << test::textOf(result);
    Expected expected = expectedOf(in, integers);
    std::vector<float> floats = run.read<float>("floats");
    for (size_t i = 0; i < floats.size(); ++i)
      if (size_t kind = i / in.size(); sumsCount || kind == 1 || kind == 4)
        ASSERT_EQ(floats[i], expected.floats[i]) << "kind " << kind << " of thread " << i % in.size();
    EXPECT_EQ(run.read<int32_t>("whole"), expected.whole);
  }
}

TEST(Collectives, EqualLoops) {
  for (size_t threads : {32, 96, 1024}) {
    std::vector<float> in(threads);
    for (size_t i = 0; i < threads; ++i)
      in[i] = static_cast<float>(static_cast<int>(i * 37 % 101) - 50);
    compare(in, true);
  }
}

TEST(Collectives, ANaNLosesAgainstNumbers) {
  std::vector<float> in(96, -std::numeric_limits<float>::infinity());
  in[3] = in[40] = std::numeric_limits<float>::quiet_NaN();
  in[17] = -2, in[41] = -3, in[95] = -4;
  compare(in, false);
}

} // namespace
} // namespace sluice
