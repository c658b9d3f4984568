// Alters every call of every synchronising primitive that a kernel executes, in every way that the table of
// primitives lists, one at a time, and sees whether the emulator's checker reports it. Knows nothing of the
// kernel but how to run it.
#pragma once

#include "runtime/emulator/Emulator.h"

#include <functional>
#include <string>
#include <vector>

namespace sluice::gpukernels {

/// What came of one run.
struct Outcome {
  emulator::Result result;
  bool right = true; ///< The results.
};

/// Runs the kernel at fixed sizes and inputs.
using EmulatedLaunch = std::function<Outcome(const emulator::Options &)>;

/// An alteration that leaves a kernel correct. It is identified by the text of its source line, since numbers
/// of lines change.
struct Equivalent {
  std::string kernel; ///< Whose run it is; "" for every kernel.
  std::string line;   ///< Part of the line in the source.
  std::string primitive, kind;
  std::string reason; ///< The rule of PTX, or the other primitive, that makes it so.
};

struct Mutant {
  enum class Verdict { reported, wrongResult, equivalent, missed };
  std::string kernel, primitive, file, kind;
  uint32_t line = 0;
  Verdict verdict = Verdict::missed;
  std::string how = {}; ///< The first report, or why it is equivalent.
};

/// A primitive as the table has it.
struct Mutable {
  std::vector<std::string> kinds; ///< Of alterations; none for most primitives.
  bool movesData = false;         ///< Asynchronously, so that leaving it out is a mistake of values.
};
Mutable mutableOf(const std::string &primitive);
/// Those of the table that can be altered.
std::vector<std::string> mutablePrimitives();

/// A call that the kernel executes, and one way to alter it.
struct Alterable {
  emulator::CallSite site;
  std::string kind;
};
std::vector<Alterable> findMutants(const EmulatedLaunch &launch, const emulator::Options &options);

/// One mutant for each executed call and kind. `options` fixes the seed; it should have `check` set. An
/// equivalent mutant that is reported counts as reported.
std::vector<Mutant> runMutants(const std::string &kernel, const EmulatedLaunch &launch,
                               const std::vector<Equivalent> &equivalents, const emulator::Options &options);

/// "kernel  primitive  file:line  kind  how" for each, and the sums.
std::string tableOf(const std::vector<Mutant> &mutants);

} // namespace sluice::gpukernels
