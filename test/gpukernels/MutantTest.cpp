// Mutants of the hand-written kernels: the checker reports every alteration of synchronisation at one fixed
// seed, and alterations of values are reported or show in the results.
#include "test/gpukernels/EmulatedRun.h"
#include "test/gpukernels/Mutants.h"
#include "test/gpukernels/ValueMutants.h"

#include "runtime/Error.h"

#include <gtest/gtest.h>

#include <iostream>

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

std::vector<Mutant> synchronisationMutants(const KernelCase &one) {
  const emulator::Kernel kernel = emulator::Kernel::load(sharedObjectOf(one), one.name);
  const Arrays before = one.makeArguments(one.small, 1);
  const Expectations expected = one.reference(one.small, before);
  const auto launch = [&](const emulator::Options &options) {
    EmulatedRun run = runEmulated(kernel, one.record, one, one.small, before, options);
    const bool right = compare(expected, before, run.after).empty();
    return Outcome{std::move(run.result), right};
  };
  EXPECT_TRUE(launch(checked()).result.clean()) << one.name;
  return runMutants(one.name, launch, equivalents(), checked());
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

TEST(Mutants, areAllFound) {
  std::vector<Mutant> all;
  for (const KernelCase &one : kernelCases())
    for (Mutant &mutant : synchronisationMutants(one))
      all.push_back(std::move(mutant));
  for (const ValueMutant &value : valueMutants())
    all.push_back(runValueMutant(value));
  std::cout << tableOf(all);
  EXPECT_GE(all.size(), 60u);
  for (const Mutant &mutant : all)
    EXPECT_NE(mutant.verdict, Mutant::Verdict::missed)
        << mutant.kernel << ": " << mutant.primitive << " in line " << mutant.line << ", " << mutant.kind;
}

} // namespace

} // namespace sluice::gpukernels
