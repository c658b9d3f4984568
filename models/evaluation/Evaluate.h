// How well a model predicts held-out documents. A document is read from its beginning to its end with the
// state carried along, so that every token is predicted from all that precedes it.
#pragma once

#include "models/Model.h"
#include "models/data/Corpus.h"

#include <functional>
#include <string>
#include <vector>

namespace sluice::models {

/// The tokens at positions [begin, end) of their documents.
struct PositionBucket {
  int64_t begin = 0, end = 0;
  int64_t tokens = 0;
  double nats = 0; ///< Sum of -log p.
};

struct Evaluation {
  int64_t documents = 0, tokens = 0, bytes = 0;
  double nats = 0; ///< Sum of -log p over the tokens.
  std::vector<PositionBucket>
      byPosition; ///< To 1, 2, 4, 8, 16 times the training length, and what lies beyond.

  double perplexity() const;
  double bitsPerByte() const;
};

struct EvaluationOptions {
  int64_t tokens = 0; ///< At most about so many, the beginnings of all documents; 0: all.
  int64_t trainingLength = 256;
  /// Asked between segments; true ends the evaluation early with what was read.
  std::function<bool()> interrupted = [] { return false; };
};

Evaluation evaluate(const Model &model, const Corpus &corpus, const EvaluationOptions &options);

} // namespace sluice::models
