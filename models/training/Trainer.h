// The training loop of `sluice train`.
#pragma once

#include "models/Config.h"

#include <stdexcept>
#include <string>

namespace sluice::models {

/// Training met a loss or gradient that is not finite. The message names the step and the last good
/// checkpoint.
struct NonFinite : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Trains, or continues to train, the run in `folder`, and returns the exit code: 0 when done or after
/// SIGTERM, 130 after SIGINT; both signals save a checkpoint first. Throws UserError or NonFinite.
int train(const Config &config, const std::string &folder, bool resume);

} // namespace sluice::models
