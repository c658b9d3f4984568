// Text from a model: the prompt in one call of the chunk form, then one token at a time with the carried
// state.
#pragma once

#include "models/Model.h"
#include "models/tokenizer/Tokenizer.h"

#include <cstdint>
#include <functional>
#include <string>

namespace sluice::models {

struct GenerateOptions {
  int64_t tokens = 200;
  double temperature = 0.8; ///< 0: always the most probable token.
  uint64_t seed = 1;
};

/// Calls `write` with the new text as soon as it is complete UTF-8, U+FFFD standing for what is not; ends
/// early at a boundary between documents.
void generate(const Model &model, const Tokenizer &tokenizer, const std::string &prompt,
              const GenerateOptions &options, const std::function<void(const std::string &)> &write);

} // namespace sluice::models
