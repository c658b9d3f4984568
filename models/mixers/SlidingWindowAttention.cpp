// Softmax attention with rotary positions over the last `window` tokens, the other half of the hybrid models.

#include "models/layers/Layers.h"
#include "models/mixers/Mixer.h"

#include <cmath>

namespace sluice::models {
namespace {

class SlidingWindowAttention : public Mixer {
public:
  SlidingWindowAttention(const Config &whole, Parameters &parameters, const std::string &prefix)
      : config(whole.slidingWindow), headDim(whole.model.width / config.heads),
        query(parameters, prefix + ".q_proj", whole.model.width, whole.model.width,
              whole.model.initializerStd),
        key(parameters, prefix + ".k_proj", whole.model.width, whole.model.width, whole.model.initializerStd),
        value(parameters, prefix + ".v_proj", whole.model.width, whole.model.width,
              whole.model.initializerStd),
        output(parameters, prefix + ".o_proj", whole.model.width, whole.model.width,
               whole.model.initializerStd) {}

  at::Tensor forward(const at::Tensor &x, LayerCache *cache) const override;

private:
  SlidingWindowConfig config;
  int64_t headDim;
  Linear query, key, value, output;

  at::Tensor rotate(const at::Tensor &x, int64_t firstPosition) const;
  at::Tensor mask(int64_t queries, int64_t keys, const at::Tensor &x) const;
};

/// Rotates the pair (i, i + headDim / 2) of a head by position * base^(-2 i / headDim). x: [B, H, T, D].
at::Tensor SlidingWindowAttention::rotate(const at::Tensor &x, int64_t firstPosition) const {
  int64_t half = headDim / 2, tokens = x.size(2);
  at::TensorOptions options = at::TensorOptions().dtype(at::kDouble);
  at::Tensor frequency = at::exp(at::arange(half, options) * (-2 * std::log(config.ropeBase) / headDim));
  at::Tensor position = at::arange(firstPosition, firstPosition + tokens, options);
  at::Tensor angle = position.unsqueeze(1) * frequency;
  at::Tensor cosine = angle.cos().to(x.scalar_type()), sine = angle.sin().to(x.scalar_type());
  at::Tensor first = x.narrow(3, 0, half), second = x.narrow(3, half, half);
  return at::cat({first * cosine - second * sine, second * cosine + first * sine}, 3);
}

/// Adds -inf where a key lies after the query or `window` or more tokens before it. The last query stands at
/// the last key.
at::Tensor SlidingWindowAttention::mask(int64_t queries, int64_t keys, const at::Tensor &x) const {
  at::TensorOptions options = at::TensorOptions().dtype(at::kLong);
  at::Tensor distance = at::arange(keys - queries, keys, options).unsqueeze(1) - at::arange(keys, options);
  at::Tensor hidden = (distance < 0).logical_or(distance >= config.window);
  return at::zeros({queries, keys}, x.options()).masked_fill(hidden, -INFINITY);
}

at::Tensor SlidingWindowAttention::forward(const at::Tensor &x, LayerCache *cache) const {
  int64_t batch = x.size(0), tokens = x.size(1);
  auto heads = [&](const at::Tensor &y) {
    return y.view({batch, tokens, config.heads, headDim}).transpose(1, 2);
  };
  // The cache holds keys and values of at most window - 1 tokens, and the number of all tokens so far.
  if (cache && cache->empty())
    *cache = {at::Tensor(), at::Tensor(), at::zeros({}, at::kLong)};
  int64_t position = cache ? (*cache)[2].item<int64_t>() : 0;
  at::Tensor q = rotate(heads(query.forward(x)), position);
  at::Tensor k = rotate(heads(key.forward(x)), position);
  at::Tensor v = heads(value.forward(x));
  if (cache) {
    if ((*cache)[0].defined()) {
      k = at::cat({(*cache)[0], k}, 2);
      v = at::cat({(*cache)[1], v}, 2);
    }
    int64_t kept = std::min(k.size(2), config.window - 1), dropped = k.size(2) - kept;
    *cache = {k.narrow(2, dropped, kept).detach().clone(), v.narrow(2, dropped, kept).detach().clone(),
              at::full({}, position + tokens, at::kLong)};
  }
  at::Tensor o = at::scaled_dot_product_attention(q, k, v, mask(tokens, k.size(2), q));
  return output.forward(o.transpose(1, 2).reshape({batch, tokens, -1}));
}

} // namespace

std::unique_ptr<Mixer> makeSlidingWindowAttention(const Config &config, Parameters &parameters,
                                                  const std::string &prefix) {
  return std::make_unique<SlidingWindowAttention>(config, parameters, prefix);
}

} // namespace sluice::models
