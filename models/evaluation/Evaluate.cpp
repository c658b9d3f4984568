// Held-out perplexity and bits per byte.

#include "models/evaluation/Evaluate.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::models {
namespace {

// Tokens per call: long enough for the matrix products, short enough for the logits' memory.
constexpr int64_t segmentTokens = 1024;

std::vector<PositionBucket> makeBuckets(int64_t trainingLength) {
  std::vector<PositionBucket> buckets;
  int64_t begin = 0;
  for (int64_t factor = 1; factor <= 16; factor *= 2) {
    buckets.push_back({begin, factor * trainingLength});
    begin = factor * trainingLength;
  }
  buckets.push_back({begin, std::numeric_limits<int64_t>::max()});
  return buckets;
}

void addToBuckets(std::vector<PositionBucket> &buckets, int64_t position, double nats) {
  for (PositionBucket &bucket : buckets)
    if (position < bucket.end) {
      bucket.tokens += 1;
      bucket.nats += nats;
      return;
    }
}

/// -log p of each token, the first predicted from the boundary. Stops early if interrupted.
std::vector<float> documentNats(const Model &model, const std::vector<int64_t> &tokens, int64_t boundary,
                                const std::function<bool()> &interrupted) {
  int64_t count = static_cast<int64_t>(tokens.size());
  at::Tensor targets = at::empty({count}, at::kLong), inputs = at::empty({count}, at::kLong);
  std::copy(tokens.begin(), tokens.end(), targets.data_ptr<int64_t>());
  inputs.data_ptr<int64_t>()[0] = boundary;
  std::copy(tokens.begin(), tokens.end() - 1, inputs.data_ptr<int64_t>() + 1);
  ModelCache cache;
  std::vector<float> nats;
  for (int64_t begin = 0; begin < count && !interrupted(); begin += segmentTokens) {
    int64_t length = std::min(segmentTokens, count - begin);
    at::Tensor hidden = model.hidden(inputs.narrow(0, begin, length).unsqueeze(0), &cache);
    at::Tensor loss = at::cross_entropy_loss(model.logits(hidden).squeeze(0),
                                             targets.narrow(0, begin, length), {}, at::Reduction::None);
    const float *values = loss.data_ptr<float>();
    nats.insert(nats.end(), values, values + length);
  }
  return nats;
}

} // namespace

double Evaluation::perplexity() const { return tokens ? std::exp(nats / static_cast<double>(tokens)) : NAN; }

double Evaluation::bitsPerByte() const {
  return bytes ? nats / std::log(2.0) / static_cast<double>(bytes) : NAN;
}

Evaluation evaluate(const Model &model, const Corpus &corpus, const EvaluationOptions &options) {
  at::NoGradGuard withoutGradient;
  std::vector<std::vector<int64_t>> documents = splitDocuments(*corpus.heldOut, corpus.tokenizer->boundary());
  int64_t limit = std::numeric_limits<int64_t>::max();
  if (options.tokens > 0 && !documents.empty())
    limit = std::max<int64_t>(1, options.tokens / static_cast<int64_t>(documents.size()));
  Evaluation result;
  result.byPosition = makeBuckets(options.trainingLength);
  for (std::vector<int64_t> &document : documents) {
    if (options.interrupted())
      break;
    document.resize(std::min<int64_t>(limit, static_cast<int64_t>(document.size())));
    std::vector<float> nats =
        documentNats(model, document, corpus.tokenizer->boundary(), options.interrupted);
    document.resize(nats.size());
    for (size_t position = 0; position < nats.size(); ++position) {
      result.nats += nats[position];
      addToBuckets(result.byPosition, static_cast<int64_t>(position), nats[position]);
    }
    result.documents += 1;
    result.tokens += static_cast<int64_t>(nats.size());
    result.bytes += static_cast<int64_t>(corpus.tokenizer->decode(document).size());
  }
  return result;
}

} // namespace sluice::models
