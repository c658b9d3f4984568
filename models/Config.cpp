// Declares the keys of a configuration with their limits, the presets, and what must hold between keys.

#include "models/Config.h"

#include "runtime/Error.h"

#include <functional>
#include <map>

namespace sluice::models {
namespace {

void visitModel(ModelConfig &model, KeyVisitor &visitor) {
  visitor.section("model");
  visitor.key("preset", model.preset, presetNames());
  visitor.key("layers", model.layers, {1, 1000});
  visitor.key("width", model.width, {8, 65536});
  visitor.key("mlp_width", model.mlpWidth, {8, 1 << 20});
  visitor.key("pattern", model.pattern, mixerNames());
  visitor.key("tie_embeddings", model.tieEmbeddings);
  visitor.key("norm_epsilon", model.normEpsilon, {1e-12, 1});
  visitor.key("initializer_std", model.initializerStd, {0, 10});
}

void visitMixers(Config &config, KeyVisitor &visitor) {
  GatedDeltaNetConfig &net = config.gatedDeltaNet;
  visitor.section("gated_delta_net");
  visitor.key("heads", net.heads, {1, 1024});
  visitor.key("value_heads", net.valueHeads, {0, 1024});
  visitor.key("key_dim", net.keyDim, {16, 256});
  visitor.key("value_dim", net.valueDim, {16, 512});
  visitor.key("gate", net.gate);
  visitor.key("short_convolution", net.shortConvolution);
  visitor.key("convolution_width", net.convolutionWidth, {2, 16});
  visitor.key("output_gate", net.outputGate);
  visitor.key("output_norm", net.outputNorm);
  visitor.key("normalization", net.normalization, {"l2", "l1", "none"});
  visitor.key("feature_map", net.featureMap, {"silu", "relu", "elu1", "none"});
  visitor.key("negative_eigenvalues", net.negativeEigenvalues);
  visitor.key("chunk", net.chunk, {16, 128});

  SlidingWindowConfig &window = config.slidingWindow;
  visitor.section("sliding_window_attention");
  visitor.key("heads", window.heads, {1, 1024});
  visitor.key("window", window.window, {1, 1 << 24});
  visitor.key("rope_base", window.ropeBase, {2, 1e9});
}

void visitText(Config &config, KeyVisitor &visitor) {
  visitor.section("tokenizer");
  visitor.key("kind", config.tokenizer.kind, {"sentencepiece", "bytes"});
  visitor.key("model", config.tokenizer.model, {});
  visitor.key("vocabulary", config.tokenizer.vocabulary, {300, 65536});

  visitor.section("data");
  visitor.key("kind", config.data.kind, {"documents", "u16", "llmc"});
  visitor.key("path", config.data.path, {});
  visitor.key("held_out_path", config.data.heldOutPath, {});
  visitor.key("held_out_fraction", config.data.heldOutFraction, {0, 0.9});
}

void visitTraining(TrainingConfig &training, KeyVisitor &visitor) {
  visitor.section("training");
  visitor.key("steps", training.steps, {1, 1e12});
  visitor.key("batch", training.batch, {1, 1 << 20});
  visitor.key("sequence", training.sequence, {1, 1 << 24});
  visitor.key("learning_rate", training.learningRate, {0, 1e6});
  visitor.key("final_learning_rate", training.finalLearningRate, {0, 1});
  visitor.key("warmup_steps", training.warmupSteps, {0, 1e12});
  visitor.key("beta1", training.beta1, {0, 0.999999});
  visitor.key("beta2", training.beta2, {0, 0.999999});
  visitor.key("epsilon", training.epsilon, {0, 1});
  visitor.key("weight_decay", training.weightDecay, {0, 10});
  visitor.key("clip", training.clip, {0, 1e9});
  visitor.key("seed", training.seed, {0, 9e15});
  visitor.key("dtype", training.dtype, {"f32", "bf16"});
  visitor.key("threads", training.threads, {0, 4096});
}

// The table of presets in the design: width, layers and heads of the published models.
void gatedDeltaNet400M(Config &config) {
  config.model = {.preset = "gdn-0.4b", .layers = 11, .width = 1536, .mlpWidth = 6144};
  config.gatedDeltaNet = {.heads = 9, .keyDim = 128, .valueDim = 256};
}

void gatedDeltaNetH1400M(Config &config) {
  gatedDeltaNet400M(config);
  config.model.preset = "gdn-h1-0.4b";
  config.model.layers = 12;
  config.model.pattern = {"gated_delta_net", "sliding_window_attention"};
  config.slidingWindow = {.heads = 12, .window = 2048};
}

void gatedDeltaNet1300M(Config &config) {
  config.model = {.preset = "gdn-1.3b", .layers = 16, .width = 2400, .mlpWidth = 5888};
  config.gatedDeltaNet = {.heads = 9, .keyDim = 200, .valueDim = 400};
}

void gatedDeltaNetH11300M(Config &config) {
  config.model = {.preset = "gdn-h1-1.3b", .layers = 18, .width = 2304, .mlpWidth = 6144};
  config.model.pattern = {"gated_delta_net", "sliding_window_attention"};
  config.gatedDeltaNet = {.heads = 9, .keyDim = 192, .valueDim = 384};
  config.slidingWindow = {.heads = 18, .window = 2048};
}

void demo(Config &config) {
  config.model = {.preset = "demo", .layers = 4, .width = 256, .mlpWidth = 768};
  config.gatedDeltaNet = {.heads = 4, .keyDim = 64, .valueDim = 64};
}

const std::map<std::string, std::function<void(Config &)>> &presets() {
  static const std::map<std::string, std::function<void(Config &)>> table = {
      {"none", [](Config &) {}},        {"demo", demo},
      {"gdn-0.4b", gatedDeltaNet400M},  {"gdn-h1-0.4b", gatedDeltaNetH1400M},
      {"gdn-1.3b", gatedDeltaNet1300M}, {"gdn-h1-1.3b", gatedDeltaNetH11300M},
  };
  return table;
}

} // namespace

void visitKeys(Config &config, KeyVisitor &visitor) {
  visitModel(config.model, visitor);
  visitMixers(config, visitor);
  visitText(config, visitor);
  visitTraining(config.training, visitor);
  visitor.section("evaluation");
  visitor.key("every", config.evaluation.every, {});
  visitor.key("tokens", config.evaluation.tokens, {});
  visitor.section("logging");
  visitor.key("every", config.logging.every, {1, 1e12});
  visitor.key("tensorboard", config.logging.tensorboard);
  visitor.section("checkpoint");
  visitor.key("every", config.checkpoint.every, {});
  visitor.key("keep", config.checkpoint.keep, {});
}

std::vector<std::string> presetNames() {
  std::vector<std::string> names;
  for (const auto &[name, apply] : presets())
    names.push_back(name);
  return names;
}

void applyPreset(const std::string &name, Config &config) {
  auto found = presets().find(name);
  if (found == presets().end())
    throw UserError("expected a known preset, got '" + name + "'");
  found->second(config);
}

} // namespace sluice::models
