// Every hand-written kernel in the emulator: right at every size in every order of threads and completions,
// with the same bits; nothing to report by the checker over a hundred seeds.
#include "test/gpukernels/EmulatedRun.h"

#include <gtest/gtest.h>

namespace sluice::gpukernels {

namespace {

using emulator::Chip;
using emulator::Completion;
using emulator::Options;
using emulator::Scheduling;

class HandWrittenKernel : public testing::TestWithParam<std::string> {
protected:
  const KernelCase &one = kernelCase(GetParam());
};

/// In order and lazy; in order and eager; then random ones.
Options optionsOf(int attempt) {
  Options options;
  options.seed = attempt;
  if (attempt < 2) {
    options.scheduling = Scheduling::inOrder;
    options.completion = attempt == 0 ? Completion::lazy : Completion::eager;
  } else {
    options.completion = attempt % 3 == 0   ? Completion::lazy
                         : attempt % 3 == 1 ? Completion::eager
                                            : Completion::random;
  }
  return options;
}

TEST_P(HandWrittenKernel, isRightAtEverySizeInEveryOrder) {
  for (const Sizes &sizes : one.sizes) {
    const Arrays before = one.makeArguments(sizes, 1);
    const Expectations expected = one.reference(sizes, before);
    Arrays first;
    for (int attempt = 0; attempt < 5; ++attempt) {
      SCOPED_TRACE(toString(sizes) + ", attempt " + std::to_string(attempt));
      const EmulatedRun run = runEmulated(one, sizes, 1, optionsOf(attempt));
      ASSERT_TRUE(run.result.clean()) << reportText(run.result);
      ASSERT_EQ(compare(expected, before, run.after), "");
      if (attempt == 0)
        first = run.after;
      for (const auto &[name, array] : run.after)
        ASSERT_EQ(array.bytes, first.at(name).bytes) << name;
    }
  }
}

TEST_P(HandWrittenKernel, isRightWithTheMatrixUnitsOfEveryChip) {
  const Arrays before = one.makeArguments(one.small, 2);
  const Expectations expected = one.reference(one.small, before);
  for (Chip chip : {Chip::exact, Chip::ampere, Chip::hopper}) {
    Options options;
    options.chip = chip;
    EXPECT_EQ(compare(expected, before, runEmulated(one, one.small, 2, options).after), "");
  }
}

TEST_P(HandWrittenKernel, givesTheCheckerNothingToReport) {
  const Arrays before = one.makeArguments(one.small, 3);
  const Expectations expected = one.reference(one.small, before);
  for (int seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Options options = optionsOf(seed);
    options.check = true;
    const EmulatedRun run = runEmulated(one, one.small, 3, options);
    ASSERT_TRUE(run.result.clean()) << reportText(run.result);
    ASSERT_EQ(compare(expected, before, run.after), "");
  }
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const KernelCase &one : kernelCases())
    result.push_back(one.name);
  return result;
}

INSTANTIATE_TEST_SUITE_P(All, HandWrittenKernel, testing::ValuesIn(names()),
                         [](const auto &info) { return info.param; });

/// A ring of blocks of which not all can be resident never finishes: somebody waits for a block that cannot
/// start.
TEST(CounterChain, needsAllItsBlocksAtOnce) {
  const KernelCase &one = kernelCase("chain");
  LaunchRecord record = one.record;
  record.residentBlocks = "stages - 1";
  const EmulatedRun run = runEmulated(emulator::Kernel::load(sharedObjectOf(one), one.name), record, one,
                                      one.small, one.makeArguments(one.small, 1), {});
  ASSERT_FALSE(run.result.clean());
  EXPECT_EQ(run.result.reports.front().kind, "deadlock") << reportText(run.result);
}

} // namespace

} // namespace sluice::gpukernels
