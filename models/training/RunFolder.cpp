// Locks a run's folder and finds its checkpoints.

#include "models/training/RunFolder.h"

#include "runtime/Error.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <unistd.h>
#include <vector>

namespace sluice::models {

namespace fs = std::filesystem;

namespace {

constexpr const char *lockName = ".lock";

std::vector<int64_t> checkpointSteps(const std::string &run) {
  std::vector<int64_t> steps;
  std::error_code missing;
  for (const fs::directory_entry &entry : fs::directory_iterator(run + "/checkpoints", missing)) {
    std::string name = entry.path().filename().string();
    int64_t step = 0;
    if (name.rfind("step-", 0) != 0)
      continue;
    auto [end, error] = std::from_chars(name.data() + 5, name.data() + name.size(), step);
    if (error == std::errc() && end == name.data() + name.size())
      steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

} // namespace

RunFolder::RunFolder(const std::string &path, bool resume) : path(path) {
  std::error_code error;
  if (resume && !fs::exists(file("config.toml"), error))
    throw UserError("expected a run to resume in '" + path + "', found none");
  if (fs::exists(path, error) && !fs::is_directory(path, error))
    throw UserError("expected --out to be a folder, '" + path + "' is a file");
  // Before the lock's file is made: it would be one more file in a folder that is not ours.
  if (!resume && fs::exists(path, error))
    requireEmpty();
  created = fs::create_directories(path, error);
  if (error)
    throw UserError("cannot create the folder '" + path + "': " + error.message());
  takeLock();
  kept = resume;
}

void RunFolder::requireEmpty() const {
  for (const fs::directory_entry &entry : fs::directory_iterator(path))
    if (entry.path().filename() != lockName)
      throw UserError("expected an empty folder for --out (or --resume), '" + path + "' has files");
}

void RunFolder::takeLock() {
  lock = open(file(lockName).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock < 0)
    throw UserError("cannot write '" + file(lockName) + "': " + std::strerror(errno));
  if (flock(lock, LOCK_EX | LOCK_NB) == 0)
    return;
  close(lock);
  throw UserError("expected to be the only writer of '" + path + "', another process is training there");
}

RunFolder::~RunFolder() {
  if (!kept) {
    std::error_code ignored;
    for (const fs::directory_entry &entry : fs::directory_iterator(path, ignored))
      fs::remove_all(entry.path(), ignored);
    if (created)
      fs::remove(path, ignored);
  }
  close(lock);
}

std::string checkpointFolder(const std::string &run, int64_t step) {
  return run + "/checkpoints/step-" + std::to_string(step);
}

CheckpointPath newestCheckpoint(const std::string &run) {
  std::vector<int64_t> steps = checkpointSteps(run);
  if (steps.empty())
    return {};
  return {checkpointFolder(run, steps.back()), steps.back()};
}

void removeOldCheckpoints(const std::string &run, int64_t keep) {
  std::vector<int64_t> steps = checkpointSteps(run);
  std::error_code ignored;
  for (int64_t index = 0; keep > 0 && index + keep < static_cast<int64_t>(steps.size()); ++index)
    fs::remove_all(checkpointFolder(run, steps[index]), ignored);
}

} // namespace sluice::models
