// Prefill and decode.

#include "models/evaluation/Generate.h"

#include "models/tokenizer/Utf8.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace sluice::models {
namespace {

/// Draws from softmax(logits / temperature).
int64_t draw(const at::Tensor &logits, double temperature, std::mt19937_64 &random) {
  const float *values = logits.data_ptr<float>();
  int64_t count = logits.numel();
  const float *highest = std::max_element(values, values + count);
  if (temperature <= 0)
    return highest - values;
  std::vector<double> cumulative(count);
  double sum = 0;
  for (int64_t index = 0; index < count; ++index)
    cumulative[index] = sum += std::exp((values[index] - *highest) / temperature);
  double point = static_cast<double>(random() >> 11) * 0x1p-53 * sum;
  int64_t token = std::upper_bound(cumulative.begin(), cumulative.end(), point) - cumulative.begin();
  return std::min(token, count - 1);
}

} // namespace

void generate(const Model &model, const Tokenizer &tokenizer, const std::string &prompt,
              const GenerateOptions &options, const std::function<void(const std::string &)> &write) {
  at::NoGradGuard withoutGradient;
  std::mt19937_64 random(options.seed);
  std::vector<int64_t> tokens = tokenizer.encode(prompt);
  tokens.insert(tokens.begin(), tokenizer.boundary());
  ModelCache cache;
  std::string pending;
  at::Tensor input = at::tensor(tokens, at::kLong).unsqueeze(0);
  for (int64_t step = 0; step < options.tokens; ++step) {
    at::Tensor hidden = model.hidden(input, &cache);
    at::Tensor logits = model.logits(hidden.select(1, hidden.size(1) - 1)).contiguous();
    int64_t token = draw(logits, options.temperature, random);
    if (token == tokenizer.boundary())
      break;
    pending += tokenizer.decode({token});
    size_t ready = pending.size() - incompleteBytes(pending);
    write(withReplacements(pending.substr(0, ready)));
    pending.erase(0, ready);
    input = at::full({1, 1}, token, at::kLong);
  }
  write(withReplacements(pending));
}

} // namespace sluice::models
