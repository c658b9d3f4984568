// What `sluice train` is told: every section and key of a configuration file, and how one is read.
// A key is declared once, in visitKeys; reading, checking, writing and the tests all go through it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::models {

/// [model]: the Llama macro-architecture around the mixers.
struct ModelConfig {
  std::string preset = "none"; ///< Start values of this section and the mixers'.
  int64_t layers = 4;
  int64_t width = 256;
  int64_t mlpWidth = 768;
  std::vector<std::string> pattern{"gated_delta_net"}; ///< Mixers of the layers, repeated.
  bool tieEmbeddings = true;
  double normEpsilon = 1e-6;
  double initializerStd = 0.02;
};

/// [gated_delta_net]: the mixer of Gated Delta Networks (paper, section 3.4) and the switches of its
/// ablation.
struct GatedDeltaNetConfig {
  int64_t heads = 4;
  int64_t valueHeads = 0; ///< 0: as heads; else a multiple of heads.
  int64_t keyDim = 64;
  int64_t valueDim = 64;
  bool gate = true; ///< Without it the recurrence is the plain delta rule (g = 0).
  bool shortConvolution = true;
  int64_t convolutionWidth = 4;
  bool outputGate = true;
  bool outputNorm = true;
  std::string normalization = "l2"; ///< Of queries and keys: l2, l1, none.
  std::string featureMap = "silu";  ///< Of queries and keys: silu, relu, elu1 (1 + ELU), none.
  bool negativeEigenvalues = false; ///< Doubles beta.
  int64_t chunk = 64;
};

/// [sliding_window_attention]: softmax attention with RoPE over the last `window` tokens.
struct SlidingWindowConfig {
  int64_t heads = 4;
  int64_t window = 2048;
  double ropeBase = 10000;
};

/// [tokenizer]
struct TokenizerConfig {
  std::string kind = "sentencepiece"; ///< sentencepiece or bytes.
  std::string model;                  ///< A SentencePiece model; empty: trained on the training documents.
  int64_t vocabulary = 4096;          ///< Of the one to train.
};

/// [data]
struct DataConfig {
  std::string kind = "documents"; ///< documents, u16 (raw shards) or llmc (shards with llm.c's header).
  std::string path = "sotu";      ///< A folder of .txt files or of shards.
  std::string heldOutPath;        ///< Shards only.
  double heldOutFraction = 0.05;  ///< Documents only; by hash of the file name.
};

/// [training]
struct TrainingConfig {
  int64_t steps = 600;
  int64_t batch = 8;
  int64_t sequence = 256;
  double learningRate = 3e-3;
  double finalLearningRate = 0.1; ///< As a share of learningRate.
  int64_t warmupSteps = 40;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weightDecay = 0.1;
  double clip = 1.0; ///< Of the gradient's norm; 0: none.
  int64_t seed = 1;
  std::string dtype = "f32"; ///< f32 or bf16; weights are kept in float32.
  int64_t threads = 0;       ///< 0: all processors.
};

/// [evaluation]
struct EvaluationConfig {
  int64_t every = 0;  ///< Steps between held-out evaluations; 0: only before and after training.
  int64_t tokens = 0; ///< Held-out tokens to use; 0: all.
};

/// [logging]
struct LoggingConfig {
  int64_t every = 10; ///< Steps between plain progress lines.
  bool tensorboard = true;
};

/// [checkpoint]
struct CheckpointConfig {
  int64_t every = 200; ///< Steps; 0: only at the end.
  int64_t keep = 2;    ///< The newest so many; 0: all.
};

struct Config {
  ModelConfig model;
  GatedDeltaNetConfig gatedDeltaNet;
  SlidingWindowConfig slidingWindow;
  TokenizerConfig tokenizer;
  DataConfig data;
  TrainingConfig training;
  EvaluationConfig evaluation;
  LoggingConfig logging;
  CheckpointConfig checkpoint;
};

/// Bounds of a number, both included.
struct Limits {
  double lowest = 0;
  double highest = 1e15;
};

/// Called for each section and key in the order in which they are documented.
class KeyVisitor {
public:
  virtual ~KeyVisitor() = default;
  virtual void section(const std::string &name) = 0;
  virtual void key(const std::string &name, int64_t &value, Limits limits) = 0;
  virtual void key(const std::string &name, double &value, Limits limits) = 0;
  virtual void key(const std::string &name, bool &value) = 0;
  /// `choices` empty: any text.
  virtual void key(const std::string &name, std::string &value, std::vector<std::string> choices) = 0;
  virtual void key(const std::string &name, std::vector<std::string> &value,
                   std::vector<std::string> choices) = 0;
};
void visitKeys(Config &config, KeyVisitor &visitor);

/// The mixers that [model] pattern may name; models/mixers registers them.
std::vector<std::string> mixerNames();

/// The names that [model] preset takes, and what they stand for.
std::vector<std::string> presetNames();
void applyPreset(const std::string &name, Config &config);

/// Reads a TOML file; `settings` are "section.key=value" and win over the file. Paths in the file are
/// relative to its folder, those in settings to the working folder. Throws UserError with file and line.
Config loadConfig(const std::string &path, const std::vector<std::string> &settings = {});
/// The whole configuration as TOML; loadConfig of it gives the same configuration.
std::string writeConfig(const Config &config);
/// The first key in which the two differ, as "section.key = A, got B", outside of the sections that may
/// change when a run is resumed (logging, checkpoint, evaluation); empty if there is none.
std::string differenceForResume(const Config &saved, const Config &given);

} // namespace sluice::models
