// The options that check and bench share: sizes, storage, seed.
#pragma once

#include "tools/sluice/Program.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

namespace sluice {

/// The sizes of a run.
struct Problem {
  int64_t batch, tokens, keyHeads, valueHeads, keyDim, valueDim;
  uint64_t seed = 0;
};

struct ProblemOptions {
  std::string spec, backend = "cpu", json;
  Problem problem;
  Choices choices;
  std::optional<int64_t> keyDim, valueDim;

  /// Checks the sizes against each other; fills in what a package has fixed.
  CompileOptions resolve(const Program &program);
};

/// Adds the options to a subcommand, with those of `options` as defaults.
void addProblemOptions(CLI::App &command, ProblemOptions &options);

} // namespace sluice
