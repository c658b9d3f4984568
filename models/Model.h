// A language model: embeddings, layers of a mixer and an MLP each, a norm and logits. The mixers come from
// the configuration's pattern; checkpoints use the tensor names of flash-linear-attention.
#pragma once

#include "models/Config.h"
#include "models/layers/Layers.h"
#include "models/mixers/Mixer.h"
#include "runtime/Tensor.h"

#include <memory>
#include <string>
#include <vector>

namespace sluice::models {

/// What sequences carry from one call to the next, one entry per layer; empty at their start.
using ModelCache = std::vector<LayerCache>;

class Model {
public:
  Model(const Config &config, int64_t vocabulary);

  /// tokens: int64 [batch, tokens]. Returns [batch, tokens, width] after the last norm.
  at::Tensor hidden(const at::Tensor &tokens, ModelCache *cache = nullptr) const;
  /// [.., width] to float32 [.., vocabulary].
  at::Tensor logits(const at::Tensor &hidden) const;
  /// Mean of -log p(targets), in nats. targets: int64 [batch, tokens].
  at::Tensor loss(const at::Tensor &tokens, const at::Tensor &targets) const;

  Parameters &parameters() { return weights; }
  const Parameters &parameters() const { return weights; }

private:
  struct Layer {
    RmsNorm mixerNorm;
    std::unique_ptr<Mixer> mixer;
    RmsNorm mlpNorm;
    SwiGlu mlp;
  };
  Parameters weights;
  at::ScalarType type;
  at::Tensor embeddings; // [vocabulary, width]
  std::vector<Layer> layers;
  std::unique_ptr<RmsNorm> finalNorm;
  at::Tensor head; // [vocabulary, width]; the embeddings if they are tied

  void addLayer(const Config &config, int64_t index);
};

/// The model's weights by name, sharing their memory.
TensorMap weightsOf(const Model &model);
/// Copies the weights of a checkpoint; `origin` names it in errors. Throws UserError if a tensor is missing,
/// unknown or of another shape or type.
void setWeights(Model &model, const TensorMap &tensors, const std::string &origin);

} // namespace sluice::models
