// The weights of a model by their names in a checkpoint: leaves of autograd, kept in float32.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>
#include <vector>

namespace sluice::models {

struct Parameter {
  std::string name;
  at::Tensor value;
  bool decays = true; ///< Whether weight decay applies.
};

/// Fills a new parameter from the model's random numbers.
using Initializer = std::function<void(at::Tensor &value, at::Generator &random)>;

Initializer normal(double standardDeviation);
Initializer constant(double value);

class Parameters {
public:
  /// Parameters are drawn from `seed` in the order in which they are added.
  explicit Parameters(uint64_t seed);

  at::Tensor add(const std::string &name, at::IntArrayRef shape, const Initializer &initialize,
                 bool decays = true);

  const std::vector<Parameter> &all() const { return list; }
  std::vector<Parameter> &all() { return list; }
  int64_t count() const; ///< Numbers in all of them.

private:
  at::Generator random;
  std::vector<Parameter> list;
};

} // namespace sluice::models
