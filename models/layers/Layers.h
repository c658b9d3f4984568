// The layers that mixers and the macro-architecture are made of. Activations are [batch, tokens, channels] in
// the model's computing type; weights are float32 and converted where they are used.
#pragma once

#include "models/layers/Parameters.h"

namespace sluice::models {

/// y = W x.
class Linear {
public:
  Linear(Parameters &parameters, const std::string &name, int64_t inputs, int64_t outputs, double std);
  at::Tensor forward(const at::Tensor &x) const;

private:
  at::Tensor weight; // [outputs, inputs]
};

/// y = x / sqrt(mean(x^2) + epsilon) * w over the last dimension.
class RmsNorm {
public:
  RmsNorm(Parameters &parameters, const std::string &name, int64_t size, double epsilon);
  at::Tensor forward(const at::Tensor &x) const;

private:
  at::Tensor weight;
  double epsilon;
};

/// Causal depthwise convolution along the tokens, followed by SiLU or nothing.
class ShortConvolution {
public:
  ShortConvolution(Parameters &parameters, const std::string &name, int64_t channels, int64_t width,
                   double std);
  /// `cache` holds the last width - 1 inputs [batch, width - 1, channels], undefined at the start of a
  /// sequence, and is replaced by those after x; null: not kept.
  at::Tensor forward(const at::Tensor &x, bool silu, at::Tensor *cache) const;

private:
  at::Tensor weight; // [channels, 1, width], the oldest input first
};

/// W_down (SiLU(W_gate x) * W_up x).
class SwiGlu {
public:
  SwiGlu(Parameters &parameters, const std::string &name, int64_t width, int64_t hidden, double std);
  at::Tensor forward(const at::Tensor &x) const;

private:
  Linear gate, up, down;
};

} // namespace sluice::models
