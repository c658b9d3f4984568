// The subcommands train, eval and generate of the driver, which loads this library when one of them is asked
// for.

#include "models/Config.h"
#include "models/Model.h"
#include "models/data/Corpus.h"
#include "models/evaluation/Evaluate.h"
#include "models/evaluation/Generate.h"
#include "models/training/Checkpoint.h"
#include "models/training/RunFolder.h"
#include "models/training/Trainer.h"
#include "runtime/Error.h"
#include "runtime/Files.h"

#include <ATen/Parallel.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <iostream>
#include <malloc.h>
#include <string>

namespace sluice::models {
namespace {

/// A run with its newest weights.
struct TrainedModel {
  Config config;
  Corpus corpus;
  std::unique_ptr<Model> model;
  int64_t step = 0;
};

TrainedModel openRun(const std::string &run) {
  TrainedModel opened;
  CheckpointPath checkpoint = newestCheckpoint(run);
  if (checkpoint.path.empty())
    throw UserError("expected a run with a checkpoint in '" + run + "', found none");
  opened.config = loadConfig(run + "/config.toml");
  if (opened.config.training.threads > 0)
    at::set_num_threads(static_cast<int>(opened.config.training.threads));
  opened.corpus = openCorpus(opened.config, run);
  opened.model = std::make_unique<Model>(opened.config, opened.corpus.tokenizer->vocabulary());
  opened.step = loadCheckpoint(checkpoint.path, *opened.model, nullptr).step;
  return opened;
}

nlohmann::ordered_json toJson(const TrainedModel &trained, const Evaluation &result) {
  nlohmann::ordered_json json = {
      {"step", trained.step},  {"documents", result.documents},     {"tokens", result.tokens},
      {"bytes", result.bytes}, {"perplexity", result.perplexity()}, {"bits_per_byte", result.bitsPerByte()}};
  json["by_position"] = nlohmann::ordered_json::array();
  for (const PositionBucket &bucket : result.byPosition)
    if (bucket.tokens > 0)
      json["by_position"].push_back(
          {{"from", bucket.begin},
           {"tokens", bucket.tokens},
           {"perplexity", std::exp(bucket.nats / static_cast<double>(bucket.tokens))}});
  return json;
}

int runEvaluation(const std::string &run, int64_t tokens, const std::string &jsonFile) {
  TrainedModel trained = openRun(run);
  EvaluationOptions options;
  options.tokens = tokens;
  options.trainingLength = trained.config.training.sequence;
  Evaluation result = evaluate(*trained.model, trained.corpus, options);
  if (result.tokens == 0)
    throw UserError("expected held-out documents in '" + run + "', found none");
  std::printf("step %lld, %lld held-out documents, %lld tokens, %lld bytes\n"
              "perplexity     %.3f per token\nbits per byte  %.4f\n",
              static_cast<long long>(trained.step), static_cast<long long>(result.documents),
              static_cast<long long>(result.tokens), static_cast<long long>(result.bytes),
              result.perplexity(), result.bitsPerByte());
  std::printf("by position in the document (training length %lld):\n",
              static_cast<long long>(options.trainingLength));
  for (const PositionBucket &bucket : result.byPosition)
    if (bucket.tokens > 0)
      std::printf("  from %7lld  perplexity %.3f over %lld tokens\n", static_cast<long long>(bucket.begin),
                  std::exp(bucket.nats / static_cast<double>(bucket.tokens)),
                  static_cast<long long>(bucket.tokens));
  if (!jsonFile.empty())
    writeFile(jsonFile, toJson(trained, result).dump(2) + "\n");
  return 0;
}

int runGeneration(const std::string &run, const std::string &prompt, const GenerateOptions &options) {
  TrainedModel trained = openRun(run);
  std::cout << prompt << std::flush;
  generate(*trained.model, *trained.corpus.tokenizer, prompt, options,
           [](const std::string &text) { std::cout << text << std::flush; });
  std::cout << std::endl;
  return 0;
}

int dispatch(int argc, char **argv) {
  CLI::App app{"sluice train, eval and generate: models with compiled recurrences", "sluice"};
  app.require_subcommand(1);
  std::string config, run, prompt, jsonFile;
  std::vector<std::string> settings;
  bool resume = false;
  int64_t evaluationTokens = 0;
  GenerateOptions generation;

  CLI::App *training = app.add_subcommand("train", "train a model");
  training->add_option("CONFIG", config, "TOML file; models/configs/demo.toml documents every key")
      ->required();
  training->add_option("--out", run, "folder of the run")->required();
  training->add_flag("--resume", resume, "continue the run in --out from its newest checkpoint");
  training->add_option("--set", settings, "section.key=value, wins over the file; may be repeated")
      ->take_all()
      ->expected(1);

  CLI::App *evaluation = app.add_subcommand("eval", "perplexity and bits per byte on held-out documents");
  evaluation->add_option("RUN", run, "folder of a run")->required();
  evaluation->add_option("--tokens", evaluationTokens, "about so many tokens; 0: all")
      ->check(CLI::NonNegativeNumber);
  evaluation->add_option("--json", jsonFile, "also write the numbers to this file");

  CLI::App *generator = app.add_subcommand("generate", "continue a text");
  generator->add_option("RUN", run, "folder of a run")->required();
  generator->add_option("--prompt", prompt, "the text to continue")->required();
  generator->add_option("--tokens", generation.tokens, "at most so many tokens")
      ->check(CLI::NonNegativeNumber);
  generator->add_option("--temperature", generation.temperature, "0: always the most probable token")
      ->check(CLI::NonNegativeNumber);
  generator->add_option("--seed", generation.seed, "of the draws");

  // The driver's own name stands before the subcommand.
  std::vector<std::string> arguments(argv, argv + argc);
  std::reverse(arguments.begin(), arguments.end());
  try {
    app.parse(arguments);
  } catch (const CLI::Success &help) {
    return app.exit(help);
  } catch (const CLI::ParseError &error) {
    throw UserError(error.what());
  }
  if (training->parsed())
    return train(loadConfig(config, settings), run, resume);
  if (evaluation->parsed())
    return runEvaluation(run, evaluationTokens, jsonFile);
  return runGeneration(run, prompt, generation);
}

/// The first line, without what PyTorch adds about its own source.
std::string oneLine(const std::string &text) { return text.substr(0, text.find('\n')); }

} // namespace
} // namespace sluice::models

/// argv[0] is train, eval or generate. Returns the exit code.
extern "C" int sluiceModelsMain(int argc, char **argv) {
  using namespace sluice;
  // Activations of tens of megabytes come and go in every step: kept in the heap, they do not have to be
  // mapped and cleared anew each time.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  try {
    return models::dispatch(argc, argv);
  } catch (const models::NonFinite &error) {
    std::cerr << "sluice: " << error.what() << std::endl;
    return 1;
  } catch (const std::exception &error) {
    std::cerr << "sluice: " << models::oneLine(error.what()) << std::endl;
    return 2;
  }
}
