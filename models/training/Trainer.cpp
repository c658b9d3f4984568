// Batches, steps, logs and checkpoints in their order.

#include "models/training/Trainer.h"

#include "models/Model.h"
#include "models/data/Corpus.h"
#include "models/data/Documents.h"
#include "models/evaluation/Evaluate.h"
#include "models/training/Checkpoint.h"
#include "models/training/Log.h"
#include "models/training/Progress.h"
#include "models/training/Report.h"
#include "models/training/RunFolder.h"
#include "models/training/Signals.h"
#include "runtime/Error.h"
#include "runtime/Files.h"

#include <ATen/Parallel.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>

namespace sluice::models {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class Trainer {
public:
  Trainer(const Config &config, const std::string &run, const std::string &checkpoint);
  int run();

private:
  Config config;
  std::string folder;
  Corpus corpus;
  Model model;
  Optimizer optimizer;
  Loader loader;
  TrainingState state;
  std::unique_ptr<Log> log;
  Progress progress;
  double started = 0;
  int64_t firstStep = 0, lastEvaluated = -1;

  void describe();
  StepMetrics step();
  void evaluateHeldOut();
  void save();
  int finish();
  bool due(int64_t every) const { return every > 0 && state.step % every == 0; }
};

Trainer::Trainer(const Config &config, const std::string &run, const std::string &checkpoint)
    : config(config), folder(run), corpus(openCorpus(config, run)),
      model(config, corpus.tokenizer->vocabulary()), optimizer(model.parameters(), config.training),
      loader(*corpus.training, config.training.sequence, static_cast<uint64_t>(config.training.seed)),
      progress(config.training.steps, config.logging.every) {
  if (!checkpoint.empty()) {
    state = loadCheckpoint(checkpoint, model, &optimizer);
    loader.restore(state.loader);
  }
  firstStep = state.step;
  log = std::make_unique<Log>(run, state.step, config.logging.tensorboard);
  std::vector<HeldOutMetrics> evaluations = readEvaluations(run);
  if (!evaluations.empty())
    lastEvaluated = evaluations.back().step;
}

void Trainer::describe() {
  char text[200];
  std::snprintf(text, sizeof text, "model: %lld layers, %.2f million parameters, %lld tokens per step",
                static_cast<long long>(config.model.layers),
                static_cast<double>(model.parameters().count()) * 1e-6,
                static_cast<long long>(config.training.batch * config.training.sequence));
  progress.say(text);
  if (state.step > 0)
    progress.say("resuming after step " + std::to_string(state.step));
}

/// One optimizer step on the next batch.
StepMetrics Trainer::step() {
  double begin = now();
  int64_t batch = config.training.batch, length = config.training.sequence;
  std::vector<int64_t> tokens = loader.next(batch);
  at::Tensor window = at::tensor(tokens, at::kLong).view({batch, length + 1});
  at::Tensor loss = model.loss(window.narrow(1, 0, length), window.narrow(1, 1, length));
  loss.backward();
  StepMetrics metrics;
  metrics.step = state.step + 1;
  metrics.loss = loss.item<double>();
  metrics.learningRate = learningRate(config.training, metrics.step);
  metrics.gradientNorm = optimizer.clipGradients();
  if (!std::isfinite(metrics.loss) || !std::isfinite(metrics.gradientNorm)) {
    CheckpointPath last = newestCheckpoint(folder);
    throw NonFinite((std::isfinite(metrics.loss) ? "gradient" : "loss") +
                    std::string(" is not finite at step ") + std::to_string(metrics.step) +
                    (last.path.empty() ? "; no checkpoint was saved before"
                                       : "; the last good checkpoint is " + last.path));
  }
  optimizer.step(metrics.step);
  state.step = metrics.step;
  state.loader = loader.state();
  metrics.tokensPerSecond = static_cast<double>(batch * length) / (now() - begin);
  return metrics;
}

void Trainer::evaluateHeldOut() {
  if (corpus.heldOut->size() == 0 || lastEvaluated == state.step)
    return;
  EvaluationOptions options;
  options.tokens = config.evaluation.tokens;
  options.trainingLength = config.training.sequence;
  options.interrupted = [] { return Signals::received() != 0; };
  double begin = now();
  Evaluation result = evaluate(model, corpus, options);
  // Left out of the time per step, from which the time left is estimated.
  started += now() - begin;
  if (options.interrupted())
    return;
  lastEvaluated = state.step;
  log->add({.step = state.step, .perplexity = result.perplexity(), .bitsPerByte = result.bitsPerByte()});
  char text[160];
  std::snprintf(text, sizeof text, "held out at step %lld: %.4f bits per byte, perplexity %.2f",
                static_cast<long long>(state.step), result.bitsPerByte(), result.perplexity());
  progress.say(text);
}

void Trainer::save() {
  saveCheckpoint(folder, state, model, optimizer);
  removeOldCheckpoints(folder, config.checkpoint.keep);
  writeReport(folder);
}

int Trainer::finish() {
  save();
  int signal = Signals::received();
  if (signal)
    progress.say("stopped by " + std::string(signal == SIGINT ? "SIGINT" : "SIGTERM") + " after step " +
                 std::to_string(state.step) + ", saved " + checkpointFolder(folder, state.step));
  else
    progress.say("trained in " + duration(now() - started) + ", saved " +
                 checkpointFolder(folder, state.step) + ", report in " + folder + "/report.html");
  return signal == SIGINT ? 130 : 0;
}

int Trainer::run() {
  describe();
  started = now();
  if (state.step == 0)
    evaluateHeldOut();
  while (state.step < config.training.steps && !Signals::received()) {
    StepMetrics metrics = step();
    log->add(metrics);
    double perStep = (now() - started) / static_cast<double>(state.step - firstStep);
    progress.show(metrics, perStep * static_cast<double>(config.training.steps - state.step));
    if (due(config.evaluation.every))
      evaluateHeldOut();
    if (due(config.checkpoint.every))
      save();
  }
  if (!Signals::received())
    evaluateHeldOut();
  return finish();
}

/// What a new run needs before its first step; config.toml comes last and says that the rest is there.
void prepare(const Config &config, RunFolder &run) {
  prepareCorpus(config, run.folder());
  // A model or data that cannot work is found before anything of the run is kept.
  Corpus corpus = openCorpus(config, run.folder());
  Loader(*corpus.training, config.training.sequence, 0);
  writeFile(run.file("config.toml"), writeConfig(config));
  run.keep();
}

} // namespace

int train(const Config &config, const std::string &folder, bool resume) {
  Signals signals;
  at::set_num_threads(config.training.threads > 0 ? static_cast<int>(config.training.threads)
                                                  : at::get_num_threads());
  RunFolder run(folder, resume);
  if (resume) {
    std::string difference = differenceForResume(loadConfig(run.file("config.toml")), config);
    if (!difference.empty())
      throw UserError("expected the configuration of " + run.file("config.toml") + ", which has " +
                      difference);
    writeFile(run.file("config.toml"), writeConfig(config));
  } else {
    prepare(config, run);
  }
  Trainer trainer(config, folder, resume ? newestCheckpoint(folder).path : "");
  return trainer.run();
}

} // namespace sluice::models
