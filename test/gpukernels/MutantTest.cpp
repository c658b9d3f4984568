// Mutants of the hand-written kernels: the checker reports every alteration of synchronisation at one fixed
// seed, and alterations of values are reported or show in the results.
#include "test/gpukernels/EmulatedRun.h"
#include "test/gpukernels/Mutants.h"
#include "test/gpukernels/ValueMutants.h"

#include "runtime/Error.h"

#include <gtest/gtest.h>

#include <iostream>
#include <set>

namespace sluice::gpukernels {

namespace {

emulator::Options checked() {
  emulator::Options options;
  options.seed = 1;
  options.check = true;
  return options;
}

/// Alterations that leave a kernel correct, with the reason.
const std::vector<Equivalent> &equivalents() {
  static const std::vector<Equivalent> all = {};
  return all;
}

/// Runs the kernel as it is built at its small sizes.
EmulatedLaunch launchOf(const KernelCase &one) {
  const emulator::Kernel kernel = emulator::Kernel::load(sharedObjectOf(one), one.name);
  const Arrays before = one.makeArguments(one.small, 1);
  const Expectations expected = one.reference(one.small, before);
  return [=, &one](const emulator::Options &options) {
    EmulatedRun run = runEmulated(kernel, one.record, one, one.small, before, options);
    const bool right = compare(expected, before, run.after).empty();
    return Outcome{std::move(run.result), right};
  };
}

Mutant runValueMutant(const ValueMutant &value) {
  const KernelCase &one = kernelCase(value.kernel);
  Mutant mutant{.kernel = value.kernel, .primitive = "values", .file = one.source, .kind = value.what};
  LaunchRecord record = one.record;
  if (value.alter)
    value.alter(record);
  const Arrays before = one.makeArguments(one.small, 1);
  try {
    const emulator::Kernel kernel = emulator::Kernel::load(sharedObjectOf(one, value.variant), one.name);
    const EmulatedRun run = runEmulated(kernel, record, one, one.small, before, checked());
    mutant.how = compare(one.reference(one.small, before), before, run.after);
    if (!run.result.clean()) {
      mutant.verdict = Mutant::Verdict::reported;
      mutant.how = run.result.reports.front().kind + ": " + run.result.reports.front().message;
    } else if (!mutant.how.empty()) {
      mutant.verdict = Mutant::Verdict::wrongResult;
    }
  } catch (const UserError &error) {
    mutant.verdict = Mutant::Verdict::reported;
    mutant.how = error.what();
  }
  return mutant;
}

void expectNoneMissed(const std::vector<Mutant> &mutants) {
  std::cout << tableOf(mutants);
  for (const Mutant &mutant : mutants)
    EXPECT_NE(mutant.verdict, Mutant::Verdict::missed)
        << mutant.kernel << ": " << mutant.primitive << " in line " << mutant.line << ", " << mutant.kind;
}

class Mutants : public testing::TestWithParam<std::string> {};

TEST_P(Mutants, ofSynchronisationAreAllReported) {
  const EmulatedLaunch launch = launchOf(kernelCase(GetParam()));
  EXPECT_TRUE(launch(checked()).result.clean());
  expectNoneMissed(runMutants(GetParam(), launch, equivalents(), checked()));
}

class ValueMutants : public testing::TestWithParam<std::string> {};

TEST_P(ValueMutants, areAllFound) {
  std::vector<Mutant> mutants;
  for (const ValueMutant &value : valueMutants())
    if (value.kernel == GetParam())
      mutants.push_back(runValueMutant(value));
  expectNoneMissed(mutants);
}

/// What no kernel uses, nobody would see to be missed.
TEST(MutantCount, coversEveryPrimitiveThatCanBeAltered) {
  size_t count = 0;
  std::set<std::string> seen;
  for (const KernelCase &one : kernelCases())
    for (const Alterable &mutant : findMutants(launchOf(one), checked())) {
      ++count;
      seen.insert(mutant.site.primitive);
    }
  for (const std::string &primitive : mutablePrimitives())
    EXPECT_TRUE(seen.contains(primitive)) << primitive;
  std::cout << count << " mutants of synchronisation, " << valueMutants().size() << " of values\n";
  EXPECT_GE(count, 60u);
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const KernelCase &one : kernelCases())
    result.push_back(one.name);
  return result;
}

std::vector<std::string> namesWithValues() {
  std::set<std::string> result;
  for (const ValueMutant &value : valueMutants())
    result.insert(value.kernel);
  return {result.begin(), result.end()};
}

INSTANTIATE_TEST_SUITE_P(All, ValueMutants, testing::ValuesIn(namesWithValues()),
                         [](const auto &info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(All, Mutants, testing::ValuesIn(names()),
                         [](const auto &info) { return info.param; });

} // namespace

} // namespace sluice::gpukernels
