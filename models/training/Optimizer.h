// AdamW over a model's parameters, its learning rate, and its state by name.
#pragma once

#include "models/Config.h"
#include "models/layers/Parameters.h"
#include "runtime/Tensor.h"

namespace sluice::models {

/// Of step 1 to config.steps: linear up to warmupSteps, then half a cosine down to finalLearningRate of it.
double learningRate(const TrainingConfig &config, int64_t step);

class Optimizer {
public:
  Optimizer(Parameters &parameters, const TrainingConfig &config);

  /// The norm of all gradients; scales them down to config.clip if that is smaller. Finite or not.
  double clipGradients();
  /// One step with the gradients, which are cleared. `step` counts from 1.
  void step(int64_t step);
  void clearGradients();

  /// "exp_avg.NAME" and "exp_avg_sq.NAME" for each parameter, sharing memory.
  TensorMap state() const;
  /// Throws UserError if a tensor is missing or of another shape.
  void restore(const TensorMap &tensors, const std::string &origin);

private:
  /// Parameters with the same weight decay.
  struct Group {
    double weightDecay;
    std::vector<std::string> names;
    std::vector<at::Tensor> values, firstMoments, secondMoments;
  };
  TrainingConfig config;
  std::vector<Group> groups;

  std::vector<at::Tensor> gradients() const;
};

} // namespace sluice::models
