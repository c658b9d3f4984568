// The macro-architecture.

#include "models/Model.h"

#include "runtime/Error.h"
#include "runtime/torch/Convert.h"

#include <ATen/core/grad_mode.h>

namespace sluice::models {

Model::Model(const Config &config, int64_t vocabulary)
    : weights(static_cast<uint64_t>(config.training.seed)),
      type(config.training.dtype == "bf16" ? at::kBFloat16 : at::kFloat) {
  double std = config.model.initializerStd;
  int64_t width = config.model.width;
  embeddings = weights.add("model.embeddings.weight", {vocabulary, width}, normal(std));
  for (int64_t index = 0; index < config.model.layers; ++index)
    addLayer(config, index);
  finalNorm = std::make_unique<RmsNorm>(weights, "model.norm", width, config.model.normEpsilon);
  head = config.model.tieEmbeddings ? embeddings
                                    : weights.add("lm_head.weight", {vocabulary, width}, normal(std));
}

void Model::addLayer(const Config &config, int64_t index) {
  std::string prefix = "model.layers." + std::to_string(index);
  const ModelConfig &model = config.model;
  const std::string &mixer = model.pattern[index % model.pattern.size()];
  layers.push_back({RmsNorm(weights, prefix + ".attn_norm", model.width, model.normEpsilon),
                    makeMixer(mixer, config, weights, prefix + ".attn"),
                    RmsNorm(weights, prefix + ".mlp_norm", model.width, model.normEpsilon),
                    SwiGlu(weights, prefix + ".mlp", model.width, model.mlpWidth, model.initializerStd)});
}

at::Tensor Model::hidden(const at::Tensor &tokens, ModelCache *cache) const {
  if (cache && cache->empty())
    cache->resize(layers.size());
  at::Tensor x = at::embedding(embeddings, tokens).to(type);
  for (size_t index = 0; index < layers.size(); ++index) {
    const Layer &layer = layers[index];
    x = x + layer.mixer->forward(layer.mixerNorm.forward(x), cache ? &(*cache)[index] : nullptr);
    x = x + layer.mlp.forward(layer.mlpNorm.forward(x));
  }
  return finalNorm->forward(x);
}

at::Tensor Model::logits(const at::Tensor &hidden) const {
  return at::linear(hidden, head.to(hidden.scalar_type())).to(at::kFloat);
}

at::Tensor Model::loss(const at::Tensor &tokens, const at::Tensor &targets) const {
  at::Tensor scores = logits(hidden(tokens));
  return at::cross_entropy_loss(scores.flatten(0, 1), targets.flatten());
}

TensorMap weightsOf(const Model &model) {
  TensorMap tensors;
  for (const Parameter &parameter : model.parameters().all())
    tensors[parameter.name] = fromTorch(parameter.value.detach());
  return tensors;
}

void setWeights(Model &model, const TensorMap &tensors, const std::string &origin) {
  at::NoGradGuard withoutGradient;
  for (Parameter &parameter : model.parameters().all()) {
    auto found = tensors.find(parameter.name);
    if (found == tensors.end())
      throw UserError(origin + ": expected a tensor '" + parameter.name + "', found none");
    Shape expected = parameter.value.sizes().vec();
    if (found->second.shape != expected)
      throw UserError(origin + ": expected '" + parameter.name + "' to be " + toString(expected) + ", got " +
                      toString(found->second.shape));
    parameter.value.copy_(toTorch(found->second));
  }
  if (tensors.size() != model.parameters().all().size())
    for (const auto &[name, tensor] : tensors) {
      bool known = false;
      for (const Parameter &parameter : model.parameters().all())
        known |= parameter.name == name;
      if (!known)
        throw UserError(origin + ": expected only tensors of this model, got '" + name + "'");
    }
}

} // namespace sluice::models
