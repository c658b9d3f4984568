// Checkpoint folders.

#include "models/training/Checkpoint.h"

#include "models/training/RunFolder.h"
#include "runtime/Error.h"
#include "runtime/Safetensors.h"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace sluice::models {

namespace fs = std::filesystem;

namespace {

/// Makes the renaming of entries in the folder survive a power failure.
void syncFolder(const std::string &folder) {
  int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    return;
  fsync(descriptor);
  close(descriptor);
}

void writeFiles(const std::string &folder, const TrainingState &state, const Model &model,
                const Optimizer &optimizer) {
  writeSafetensors(folder + "/model.safetensors", weightsOf(model), {{"format", "pt"}}, Durability::synced);
  writeSafetensors(folder + "/optimizer.safetensors", optimizer.state(), {}, Durability::synced);
  nlohmann::ordered_json json = {
      {"step", state.step}, {"loader", {{"epoch", state.loader.epoch}, {"position", state.loader.position}}}};
  AtomicFile file(folder + "/state.json");
  file.write(json.dump(2) + "\n");
  file.commit(Durability::synced);
}

} // namespace

void saveCheckpoint(const std::string &run, const TrainingState &state, const Model &model,
                    const Optimizer &optimizer) {
  std::string target = checkpointFolder(run, state.step);
  std::string temporary = run + "/checkpoints/.step-" + std::to_string(state.step) + ".tmp";
  std::error_code error;
  if (fs::exists(target, error))
    return;
  try {
    fs::remove_all(temporary, error);
    fs::create_directories(temporary, error);
    if (error)
      throw UserError("cannot create '" + temporary + "': " + error.message());
    writeFiles(temporary, state, model, optimizer);
    fs::rename(temporary, target, error);
    if (error)
      throw UserError("cannot rename '" + temporary + "': " + error.message());
    syncFolder(run + "/checkpoints");
  } catch (const UserError &failure) {
    fs::remove_all(temporary, error);
    CheckpointPath last = newestCheckpoint(run);
    throw UserError(
        "checkpoint of step " + std::to_string(state.step) + " not saved: " + failure.what() +
        (last.path.empty() ? "; there is no earlier one" : "; the last good one is " + last.path));
  }
}

TrainingState loadCheckpoint(const std::string &folder, Model &model, Optimizer *optimizer) {
  std::string weights = folder + "/model.safetensors", moments = folder + "/optimizer.safetensors";
  setWeights(model, readSafetensors(weights).tensors, weights);
  if (optimizer)
    optimizer->restore(readSafetensors(moments).tensors, moments);
  std::string name = folder + "/state.json";
  TrainingState state;
  try {
    nlohmann::json json = nlohmann::json::parse(readFile(name));
    state.step = json.at("step").get<int64_t>();
    state.loader.epoch = json.at("loader").at("epoch").get<int64_t>();
    state.loader.position = json.at("loader").at("position").get<int64_t>();
  } catch (const nlohmann::json::exception &) {
    throw UserError(name + ": expected a checkpoint's state, got something else");
  }
  return state;
}

} // namespace sluice::models
