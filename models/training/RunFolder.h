// The folder of a run: one writer at a time, never over somebody else's files.
//
//   config.toml  tokenizer.model  data/{training,held_out}.u16  metrics.jsonl  evaluation.jsonl  report.html
//   events.out.tfevents.*  checkpoints/step-N/{model.safetensors,optimizer.safetensors,state.json}
#pragma once

#include <cstdint>
#include <string>

namespace sluice::models {

class RunFolder {
public:
  /// Creates the folder, or with `resume` takes one that holds a run, and locks it. Throws UserError if it is
  /// not empty, holds no run to resume, or is locked by another process.
  RunFolder(const std::string &path, bool resume);
  /// Takes back what a new run wrote so far, unless keep() was called.
  ~RunFolder();
  RunFolder(const RunFolder &) = delete;
  RunFolder &operator=(const RunFolder &) = delete;

  std::string file(const std::string &name) const { return path + "/" + name; }
  const std::string &folder() const { return path; }
  void keep() { kept = true; }

private:
  std::string path;
  int lock = -1;
  bool created = false, kept = false;

  void requireEmpty() const;
  void takeLock();
};

/// The folder of the newest checkpoint and its step.
struct CheckpointPath {
  std::string path; ///< Empty if there is none.
  int64_t step = -1;
};
CheckpointPath newestCheckpoint(const std::string &run);
std::string checkpointFolder(const std::string &run, int64_t step);
/// Removes all but the newest `keep` checkpoints; 0 keeps all.
void removeOldCheckpoints(const std::string &run, int64_t keep);

} // namespace sluice::models
