// What the tests of the models share: folders that vanish, small texts, the configuration of a tiny run.
#pragma once

#include "models/Config.h"
#include "runtime/Error.h"
#include "runtime/Files.h"

#include <filesystem>
#include <functional>
#include <string>
#include <unistd.h>

namespace sluice::models::test {

/// A fresh folder, removed with all that is in it.
class Folder {
public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sluice-test-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;

  std::string operator/(const std::string &name) const { return path + "/" + name; }
  std::string write(const std::string &name, const std::string &text) const {
    std::filesystem::create_directories(std::filesystem::path(*this / name).parent_path());
    writeFile(*this / name, text);
    return *this / name;
  }

  std::string path;
};

/// What the call says to the user; empty if it does not fail.
inline std::string errorOf(const std::function<void()> &call) {
  try {
    call();
  } catch (const UserError &error) {
    return error.what();
  }
  return "";
}

/// Twenty documents of words that a small model can learn.
inline void writeDocuments(const Folder &folder) {
  const char *words[] = {"the ", "people ", "of ", "these ", "states ", "and ", "their ", "union ", ".\n"};
  unsigned random = 1;
  for (int document = 0; document < 20; ++document) {
    std::string text;
    for (int word = 0; word < 150; ++word) {
      random = random * 1103515245u + 12345u;
      text += words[(random >> 16) % 9];
    }
    folder.write("text/" + std::to_string(document) + ".txt", text);
  }
}

/// One layer, bytes as tokens, four steps of two short sequences.
inline Config tinyConfig(const Folder &folder) {
  Config config;
  config.model.layers = 1;
  config.model.width = 32;
  config.model.mlpWidth = 48;
  config.gatedDeltaNet.heads = 2;
  config.gatedDeltaNet.keyDim = 16;
  config.gatedDeltaNet.valueDim = 16;
  config.gatedDeltaNet.chunk = 16;
  config.tokenizer.kind = "bytes";
  config.data.path = folder / "text";
  config.data.heldOutFraction = 0.2;
  config.training.steps = 4;
  config.training.batch = 2;
  config.training.sequence = 24;
  config.training.warmupSteps = 1;
  config.training.threads = 1;
  config.evaluation.tokens = 200;
  config.logging.tensorboard = false;
  config.checkpoint.every = 0;
  config.checkpoint.keep = 0;
  return config;
}

} // namespace sluice::models::test
