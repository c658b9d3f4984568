// The list of a model's weights.

#include "models/layers/Parameters.h"

#include <ATen/CPUGeneratorImpl.h>

namespace sluice::models {

Initializer normal(double standardDeviation) {
  return [=](at::Tensor &value, at::Generator &random) { value.normal_(0, standardDeviation, random); };
}

Initializer constant(double number) {
  return [=](at::Tensor &value, at::Generator &) { value.fill_(number); };
}

Parameters::Parameters(uint64_t seed) : random(at::make_generator<at::CPUGeneratorImpl>(seed)) {}

at::Tensor Parameters::add(const std::string &name, at::IntArrayRef shape, const Initializer &initialize,
                           bool decays) {
  at::Tensor value = at::empty(shape, at::kFloat);
  initialize(value, random);
  value.requires_grad_(true);
  list.push_back({name, value, decays});
  return value;
}

int64_t Parameters::count() const {
  int64_t total = 0;
  for (const Parameter &parameter : list)
    total += parameter.value.numel();
  return total;
}

} // namespace sluice::models
