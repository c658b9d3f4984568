// Saving all that training depends on, so that a resumed run continues bit for bit.
#pragma once

#include "models/Model.h"
#include "models/data/Loader.h"
#include "models/training/Optimizer.h"

#include <string>

namespace sluice::models {

/// Where training stands.
struct TrainingState {
  int64_t step = 0; ///< Optimizer steps done.
  LoaderState loader;
};

/// Writes RUN/checkpoints/step-N under a temporary name and renames it; does nothing if it is there already.
/// Throws UserError if it cannot be written, and then leaves the other checkpoints as they were.
void saveCheckpoint(const std::string &run, const TrainingState &state, const Model &model,
                    const Optimizer &optimizer);

/// Restores from a checkpoint's folder. `optimizer` may be null.
TrainingState loadCheckpoint(const std::string &folder, Model &model, Optimizer *optimizer);

} // namespace sluice::models
