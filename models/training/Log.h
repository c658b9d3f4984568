// What a run leaves for people to look at while it trains: metrics.jsonl, evaluation.jsonl, a TensorBoard
// event file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::models {

struct StepMetrics {
  int64_t step = 0;
  double loss = 0; ///< Mean over the batch, nats per token.
  double learningRate = 0;
  double gradientNorm = 0; ///< Before clipping.
  double tokensPerSecond = 0;
};

struct HeldOutMetrics {
  int64_t step = 0;
  double perplexity = 0; ///< Per token.
  double bitsPerByte = 0;
};

/// Appends to a file; what was appended is in the file when the call returns. Throws UserError, for example
/// for a full disk.
class Appender {
public:
  explicit Appender(const std::string &path);
  ~Appender();
  Appender(const Appender &) = delete;
  Appender &operator=(const Appender &) = delete;
  void append(std::string_view bytes);

private:
  std::string path;
  int descriptor;
};

/// Scalars in TensorBoard's format: records framed as in TFRecord files, with hand-encoded Event messages.
class TensorBoard {
public:
  explicit TensorBoard(const std::string &run);
  void scalar(const std::string &tag, int64_t step, double value);

private:
  Appender file;
  void record(const std::string &event);
};

class Log {
public:
  /// Drops what was logged after `step`, from a run that is being resumed.
  Log(const std::string &run, int64_t step, bool tensorboard);
  void add(const StepMetrics &metrics);
  void add(const HeldOutMetrics &metrics);

private:
  std::unique_ptr<Appender> metricsFile, evaluationFile;
  std::unique_ptr<TensorBoard> board;
};

std::vector<StepMetrics> readMetrics(const std::string &run);
std::vector<HeldOutMetrics> readEvaluations(const std::string &run);

/// The checksum of TFRecord files: CRC-32C (Castagnoli).
uint32_t crc32c(std::string_view bytes);

} // namespace sluice::models
