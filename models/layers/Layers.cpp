// Linear maps, norms, the short convolution and the MLP, in terms of ATen.

#include "models/layers/Layers.h"

#include "models/layers/Fused.h"

namespace sluice::models {
namespace {

at::Tensor as(const at::Tensor &weight, const at::Tensor &x) { return weight.to(x.scalar_type()); }

} // namespace

Linear::Linear(Parameters &parameters, const std::string &name, int64_t inputs, int64_t outputs, double std)
    : weight(parameters.add(name + ".weight", {outputs, inputs}, normal(std))) {}

at::Tensor Linear::forward(const at::Tensor &x) const { return at::linear(x, as(weight, x)); }

RmsNorm::RmsNorm(Parameters &parameters, const std::string &name, int64_t size, double epsilon)
    : weight(parameters.add(name + ".weight", {size}, constant(1), /*decays=*/false)), epsilon(epsilon) {}

at::Tensor RmsNorm::forward(const at::Tensor &x) const {
  return rmsNorm(x, weight, epsilon).to(x.scalar_type());
}

ShortConvolution::ShortConvolution(Parameters &parameters, const std::string &name, int64_t channels,
                                   int64_t width, double std)
    : weight(parameters.add(name + ".weight", {channels, 1, width}, normal(std))) {}

at::Tensor ShortConvolution::forward(const at::Tensor &x, bool silu, at::Tensor *cache) const {
  int64_t width = weight.size(2), tokens = x.size(1);
  at::Tensor before =
      cache && cache->defined() ? *cache : at::zeros({x.size(0), width - 1, x.size(2)}, x.options());
  at::Tensor extended = at::cat({before, x}, 1);
  if (cache)
    *cache = extended.narrow(1, tokens, width - 1).detach().contiguous();
  at::Tensor y = depthwiseConvolution(extended, weight.squeeze(1)).to(x.scalar_type());
  return silu ? at::silu(y) : y;
}

SwiGlu::SwiGlu(Parameters &parameters, const std::string &name, int64_t width, int64_t hidden, double std)
    : gate(parameters, name + ".gate_proj", width, hidden, std),
      up(parameters, name + ".up_proj", width, hidden, std),
      down(parameters, name + ".down_proj", hidden, width, std) {}

at::Tensor SwiGlu::forward(const at::Tensor &x) const {
  return down.forward(at::silu(gate.forward(x)) * up.forward(x));
}

} // namespace sluice::models
