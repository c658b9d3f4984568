// Line-by-line logs of a run.

#include "models/training/Log.h"

#include "runtime/Error.h"
#include "runtime/Files.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <sstream>
#include <unistd.h>

namespace sluice::models {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char *metricsName = "/metrics.jsonl", *evaluationName = "/evaluation.jsonl";

/// The lines that are whole JSON objects; a run that was killed may leave a part of one.
void forEachLine(const std::string &path,
                 const std::function<void(const Json &, const std::string &)> &body) {
  if (!std::filesystem::exists(path))
    return;
  std::istringstream lines(readFile(path));
  for (std::string line; std::getline(lines, line);) {
    Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.contains("step"))
      body(json, line);
  }
}

void truncateAfter(const std::string &path, int64_t step) {
  std::string kept;
  forEachLine(path, [&](const Json &json, const std::string &line) {
    if (json.value("step", int64_t(0)) <= step)
      kept += line + "\n";
  });
  writeFile(path, kept);
}

double numberAt(const Json &json, const char *key) {
  return json.contains(key) && json[key].is_number() ? json[key].get<double>() : std::nan("");
}

} // namespace

Appender::Appender(const std::string &path) : path(path) {
  descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0)
    throw UserError("cannot write '" + path + "': " + std::strerror(errno));
}

Appender::~Appender() { close(descriptor); }

void Appender::append(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      throw UserError("cannot write '" + path + "': " + std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

Log::Log(const std::string &run, int64_t step, bool tensorboard) {
  truncateAfter(run + metricsName, step);
  truncateAfter(run + evaluationName, step);
  metricsFile = std::make_unique<Appender>(run + metricsName);
  evaluationFile = std::make_unique<Appender>(run + evaluationName);
  if (tensorboard)
    board = std::make_unique<TensorBoard>(run);
}

void Log::add(const StepMetrics &metrics) {
  Json json = {{"step", metrics.step},
               {"loss", metrics.loss},
               {"lr", metrics.learningRate},
               {"grad_norm", metrics.gradientNorm},
               {"tokens_per_second", std::round(metrics.tokensPerSecond)}};
  metricsFile->append(json.dump() + "\n");
  if (!board)
    return;
  board->scalar("training/loss", metrics.step, metrics.loss);
  board->scalar("training/learning_rate", metrics.step, metrics.learningRate);
  board->scalar("training/gradient_norm", metrics.step, metrics.gradientNorm);
  board->scalar("training/tokens_per_second", metrics.step, metrics.tokensPerSecond);
}

void Log::add(const HeldOutMetrics &metrics) {
  Json json = {
      {"step", metrics.step}, {"perplexity", metrics.perplexity}, {"bits_per_byte", metrics.bitsPerByte}};
  evaluationFile->append(json.dump() + "\n");
  if (!board)
    return;
  board->scalar("held_out/perplexity", metrics.step, metrics.perplexity);
  board->scalar("held_out/bits_per_byte", metrics.step, metrics.bitsPerByte);
}

std::vector<StepMetrics> readMetrics(const std::string &run) {
  std::vector<StepMetrics> all;
  forEachLine(run + metricsName, [&](const Json &json, const std::string &) {
    all.push_back({json.value("step", int64_t(0)), numberAt(json, "loss"), numberAt(json, "lr"),
                   numberAt(json, "grad_norm"), numberAt(json, "tokens_per_second")});
  });
  return all;
}

std::vector<HeldOutMetrics> readEvaluations(const std::string &run) {
  std::vector<HeldOutMetrics> all;
  forEachLine(run + evaluationName, [&](const Json &json, const std::string &) {
    all.push_back(
        {json.value("step", int64_t(0)), numberAt(json, "perplexity"), numberAt(json, "bits_per_byte")});
  });
  return all;
}

} // namespace sluice::models
