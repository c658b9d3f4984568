// AdamW by PyTorch's fused kernel.

#include "models/training/Optimizer.h"

#include "runtime/Error.h"
#include "runtime/torch/Convert.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <numbers>

namespace sluice::models {

double learningRate(const TrainingConfig &config, int64_t step) {
  if (step <= config.warmupSteps)
    return config.learningRate * static_cast<double>(step) / static_cast<double>(config.warmupSteps);
  int64_t length = std::max<int64_t>(config.steps - config.warmupSteps, 1);
  double progress = static_cast<double>(step - config.warmupSteps) / static_cast<double>(length);
  double cosine = 0.5 * (1 + std::cos(std::numbers::pi * std::min(progress, 1.0)));
  return config.learningRate * (config.finalLearningRate + (1 - config.finalLearningRate) * cosine);
}

Optimizer::Optimizer(Parameters &parameters, const TrainingConfig &config)
    : config(config), groups{{config.weightDecay, {}, {}, {}, {}}, {0, {}, {}, {}, {}}} {
  for (Parameter &parameter : parameters.all()) {
    Group &group = groups[parameter.decays ? 0 : 1];
    group.names.push_back(parameter.name);
    group.values.push_back(parameter.value);
    group.firstMoments.push_back(at::zeros_like(parameter.value));
    group.secondMoments.push_back(at::zeros_like(parameter.value));
  }
}

std::vector<at::Tensor> Optimizer::gradients() const {
  std::vector<at::Tensor> list;
  for (const Group &group : groups)
    for (const at::Tensor &value : group.values)
      if (value.grad().defined())
        list.push_back(value.grad());
  return list;
}

double Optimizer::clipGradients() {
  at::NoGradGuard withoutGradient;
  std::vector<at::Tensor> list = gradients();
  if (list.empty())
    return 0;
  double norm = at::stack(at::_foreach_norm(list)).norm().item<double>();
  if (config.clip > 0 && std::isfinite(norm) && norm > config.clip)
    at::_foreach_mul_(list, config.clip / (norm + 1e-6));
  return norm;
}

void Optimizer::step(int64_t step) {
  at::NoGradGuard withoutGradient;
  double rate = learningRate(config, step);
  for (Group &group : groups) {
    std::vector<at::Tensor> values, gradients, first, second, steps;
    for (size_t index = 0; index < group.values.size(); ++index) {
      if (!group.values[index].grad().defined())
        continue;
      values.push_back(group.values[index].detach());
      gradients.push_back(group.values[index].grad());
      first.push_back(group.firstMoments[index]);
      second.push_back(group.secondMoments[index]);
      steps.push_back(at::full({}, static_cast<double>(step), at::kFloat));
    }
    if (!values.empty())
      at::_fused_adamw_(values, gradients, first, second, {}, steps, rate, config.beta1, config.beta2,
                        group.weightDecay, config.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
  clearGradients();
}

void Optimizer::clearGradients() {
  for (Group &group : groups)
    for (at::Tensor &value : group.values)
      value.mutable_grad() = at::Tensor();
}

TensorMap Optimizer::state() const {
  TensorMap tensors;
  for (const Group &group : groups)
    for (size_t index = 0; index < group.names.size(); ++index) {
      tensors["exp_avg." + group.names[index]] = fromTorch(group.firstMoments[index]);
      tensors["exp_avg_sq." + group.names[index]] = fromTorch(group.secondMoments[index]);
    }
  return tensors;
}

void Optimizer::restore(const TensorMap &tensors, const std::string &origin) {
  auto copy = [&](const std::string &name, at::Tensor &to) {
    auto found = tensors.find(name);
    Shape expected = to.sizes().vec();
    if (found == tensors.end() || found->second.shape != expected || found->second.dtype != DType::f32)
      throw UserError(origin + ": expected '" + name + "' to be float32 " + toString(expected) + ", got " +
                      (found == tensors.end() ? "nothing" : toString(found->second.shape)));
    to.copy_(toTorch(found->second));
  };
  for (Group &group : groups)
    for (size_t index = 0; index < group.names.size(); ++index) {
      copy("exp_avg." + group.names[index], group.firstMoments[index]);
      copy("exp_avg_sq." + group.names[index], group.secondMoments[index]);
    }
}

} // namespace sluice::models
