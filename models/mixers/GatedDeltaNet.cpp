// The Gated DeltaNet mixer (Gated Delta Networks, section 3.4) with the switches of the paper's ablation:
//   q, k, v = SiLU(conv(W x)), q and k normalised, q divided by sqrt(key_dim) as published checkpoints
//   expect, beta = sigmoid(W_b x), g = -exp(A_log) softplus(W_a x + dt_bias), o = RMSNorm(gated delta rule) *
//   SiLU(W_g x), y = W_o o.

#include "models/layers/Fused.h"
#include "models/layers/Layers.h"
#include "models/mixers/Mixer.h"
#include "runtime/torch/Recurrence.h"

#include <cmath>
#include <optional>

namespace sluice::models {
namespace {

/// A_log = log U(0, 16).
void initializeDecay(at::Tensor &value, at::Generator &random) {
  value.uniform_(0, 16, random).clamp_min_(1e-6).log_();
}

/// dt_bias = softplus^-1(max(exp(U(log .001, log .1)), 1e-4)).
void initializeTimeStep(at::Tensor &value, at::Generator &random) {
  value.uniform_(std::log(0.001), std::log(0.1), random).exp_().clamp_min_(1e-4);
  value.add_(at::log(-at::expm1(-value)));
}

class GatedDeltaNet : public Mixer {
public:
  GatedDeltaNet(const Config &whole, Parameters &parameters, const std::string &prefix);
  at::Tensor forward(const at::Tensor &x, LayerCache *cache) const override;

private:
  GatedDeltaNetConfig config;
  int64_t valueHeads;
  // Members are initialised, and so weights drawn, in this order.
  Linear query, key, value;
  std::optional<Linear> decay;
  Linear beta;
  at::Tensor decayLog, timeStepBias;
  std::optional<ShortConvolution> queryConvolution, keyConvolution, valueConvolution;
  std::optional<Linear> outputGate;
  std::optional<RmsNorm> outputNorm;
  Linear output;

  at::Tensor convolve(const std::optional<ShortConvolution> &convolution, const at::Tensor &x, bool isValue,
                      at::Tensor *cache) const;
  at::Tensor featureMap(const at::Tensor &x) const;
  at::Tensor normalize(const at::Tensor &x, double scale) const;
  at::Tensor logDecay(const at::Tensor &x) const;
};

GatedDeltaNet::GatedDeltaNet(const Config &whole, Parameters &parameters, const std::string &prefix)
    : config(whole.gatedDeltaNet), valueHeads(config.valueHeads ? config.valueHeads : config.heads),
      query(parameters, prefix + ".q_proj", whole.model.width, config.heads * config.keyDim,
            whole.model.initializerStd),
      key(parameters, prefix + ".k_proj", whole.model.width, config.heads * config.keyDim,
          whole.model.initializerStd),
      value(parameters, prefix + ".v_proj", whole.model.width, valueHeads * config.valueDim,
            whole.model.initializerStd),
      beta(parameters, prefix + ".b_proj", whole.model.width, valueHeads, whole.model.initializerStd),
      output(parameters, prefix + ".o_proj", valueHeads * config.valueDim, whole.model.width,
             whole.model.initializerStd) {
  double std = whole.model.initializerStd;
  int64_t keys = config.heads * config.keyDim, values = valueHeads * config.valueDim;
  if (config.gate) {
    decay.emplace(parameters, prefix + ".a_proj", whole.model.width, valueHeads, std);
    decayLog = parameters.add(prefix + ".A_log", {valueHeads}, initializeDecay, /*decays=*/false);
    timeStepBias = parameters.add(prefix + ".dt_bias", {valueHeads}, initializeTimeStep, /*decays=*/false);
  }
  if (config.shortConvolution) {
    queryConvolution.emplace(parameters, prefix + ".q_conv1d", keys, config.convolutionWidth, std);
    keyConvolution.emplace(parameters, prefix + ".k_conv1d", keys, config.convolutionWidth, std);
    valueConvolution.emplace(parameters, prefix + ".v_conv1d", values, config.convolutionWidth, std);
  }
  if (config.outputGate)
    outputGate.emplace(parameters, prefix + ".g_proj", whole.model.width, values, std);
  if (config.outputNorm)
    outputNorm.emplace(parameters, prefix + ".o_norm", config.valueDim, whole.model.normEpsilon);
}

at::Tensor GatedDeltaNet::convolve(const std::optional<ShortConvolution> &convolution, const at::Tensor &x,
                                   bool isValue, at::Tensor *cache) const {
  // The feature map belongs to queries and keys; values keep SiLU, as in the paper.
  bool silu = isValue || config.featureMap == "silu";
  at::Tensor y = convolution ? convolution->forward(x, silu, cache) : silu ? at::silu(x) : x;
  return isValue ? y : featureMap(y);
}

at::Tensor GatedDeltaNet::featureMap(const at::Tensor &x) const {
  if (config.featureMap == "relu")
    return at::relu(x);
  if (config.featureMap == "elu1")
    return at::elu(x) + 1;
  return x;
}

at::Tensor GatedDeltaNet::normalize(const at::Tensor &x, double scale) const {
  if (config.normalization == "l2") {
    // x / sqrt(sum(x^2) + 1e-6), as an RMS norm with a constant weight.
    double size = static_cast<double>(config.keyDim);
    at::Tensor weight = at::full({config.keyDim}, scale / std::sqrt(size), at::kFloat);
    return rmsNorm(x, weight, 1e-6 / size).to(x.scalar_type());
  }
  if (config.normalization == "none")
    return x * scale;
  at::Tensor wide = x.to(at::kFloat);
  return (wide * (scale / (wide.abs().sum(-1, /*keepdim=*/true) + 1e-6))).to(x.scalar_type());
}

at::Tensor GatedDeltaNet::logDecay(const at::Tensor &x) const {
  if (!decay)
    return at::zeros({x.size(0), x.size(1), valueHeads}, x.options().dtype(at::kFloat));
  at::Tensor step = at::softplus(decay->forward(x).to(at::kFloat) + timeStepBias);
  return -at::exp(decayLog) * step;
}

at::Tensor GatedDeltaNet::forward(const at::Tensor &x, LayerCache *cache) const {
  // The cache holds the state and the last inputs of the three convolutions.
  if (cache && cache->empty())
    cache->resize(4);
  auto cached = [&](size_t index) { return cache ? &(*cache)[index] : nullptr; };
  int64_t batch = x.size(0), tokens = x.size(1);
  auto heads = [&](const at::Tensor &y, int64_t count) { return y.view({batch, tokens, count, -1}); };
  at::Tensor q = heads(convolve(queryConvolution, query.forward(x), false, cached(1)), config.heads);
  at::Tensor k = heads(convolve(keyConvolution, key.forward(x), false, cached(2)), config.heads);
  at::Tensor v = heads(convolve(valueConvolution, value.forward(x), true, cached(3)), valueHeads);
  at::Tensor strength = at::sigmoid(beta.forward(x).to(at::kFloat));
  if (config.negativeEigenvalues)
    strength = strength * 2;

  RecurrenceOptions options;
  options.chunk = config.chunk;
  if (cache && (*cache)[0].defined())
    options.initialState = (*cache)[0];
  at::Tensor scaled = normalize(q, 1 / std::sqrt(static_cast<double>(config.keyDim)));
  RecurrenceResult result =
      recurrence("gated_delta_rule", {scaled, normalize(k, 1), v, logDecay(x), strength}, options);
  if (cache)
    (*cache)[0] = result.finalState.detach();

  at::Tensor o = result.results[0];
  if (outputNorm)
    o = outputNorm->forward(o);
  o = o.reshape({batch, tokens, -1});
  if (outputGate)
    o = o * at::silu(outputGate->forward(x));
  return output.forward(o);
}

} // namespace

std::unique_ptr<Mixer> makeGatedDeltaNet(const Config &config, Parameters &parameters,
                                         const std::string &prefix) {
  return std::make_unique<GatedDeltaNet>(config, parameters, prefix);
}

} // namespace sluice::models
