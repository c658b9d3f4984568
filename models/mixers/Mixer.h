// Token mixers by name. Adding one is a class and a line in Registry.cpp; nothing below models/ knows any of
// them.
#pragma once

#include "models/Config.h"
#include "models/layers/Parameters.h"

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

namespace sluice::models {

/// What a layer carries from one call to the next on the same sequences: states, last inputs of convolutions,
/// keys and values. Empty at the start; the layer that fills it decides what it holds.
using LayerCache = std::vector<at::Tensor>;

class Mixer {
public:
  virtual ~Mixer() = default;

  /// x: [batch, tokens, width], and so is the result. With a cache the tokens continue those of the calls
  /// before and no gradient flows into them; null: sequences begin and end with x.
  virtual at::Tensor forward(const at::Tensor &x, LayerCache *cache) const = 0;
};

/// The mixer called `name`, with its weights added under `prefix` ("model.layers.3.attn").
std::unique_ptr<Mixer> makeMixer(const std::string &name, const Config &config, Parameters &parameters,
                                 const std::string &prefix);

std::unique_ptr<Mixer> makeGatedDeltaNet(const Config &config, Parameters &parameters,
                                         const std::string &prefix);
std::unique_ptr<Mixer> makeSlidingWindowAttention(const Config &config, Parameters &parameters,
                                                  const std::string &prefix);

} // namespace sluice::models
