// Runs: what lies in their folder, resuming bit for bit, signals, non-finite values, full disks, second
// writers.

#include "TestFiles.h"

#include "models/training/Log.h"
#include "models/training/RunFolder.h"
#include "models/training/Trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <sys/resource.h>
#include <thread>

using namespace sluice;
using namespace sluice::models;
using namespace sluice::models::test;
using testing::HasSubstr;
using testing::MatchesRegex;
namespace fs = std::filesystem;

namespace {

class Run : public testing::Test {
public:
  Run() {
    writeDocuments(folder);
    config = tinyConfig(folder);
  }

  Folder folder;
  Config config;

  std::string checkpoint(const std::string &run, int64_t step, const std::string &file) const {
    return readFile(checkpointFolder(folder / run, step) + "/" + file);
  }

  /// Weights, moments, data position, and the metrics but for the speed.
  void expectSameRuns(const std::string &first, const std::string &second, int64_t step) const {
    for (const char *file : {"model.safetensors", "optimizer.safetensors", "state.json"})
      EXPECT_EQ(checkpoint(first, step, file), checkpoint(second, step, file)) << file;
    std::vector<StepMetrics> a = readMetrics(folder / first), b = readMetrics(folder / second);
    ASSERT_EQ(a.size(), b.size());
    for (size_t index = 0; index < a.size(); ++index) {
      EXPECT_EQ(a[index].step, b[index].step);
      EXPECT_EQ(a[index].loss, b[index].loss);
      EXPECT_EQ(a[index].gradientNorm, b[index].gradientNorm);
    }
  }

  /// Trains, and sends this process a signal as soon as two steps are logged.
  int trainUntilSignal(const std::string &run, int signal) {
    std::thread sender([&] {
      while (readMetrics(folder / run).size() < 2)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      kill(getpid(), signal);
    });
    int code = train(config, folder / run, false);
    sender.join();
    return code;
  }
};

TEST_F(Run, FolderHoldsTheRecord) {
  config.logging.tensorboard = true;
  EXPECT_EQ(train(config, folder / "run", false), 0);
  EXPECT_EQ(writeConfig(loadConfig(folder / "run/config.toml")), writeConfig(config));
  EXPECT_EQ(readMetrics(folder / "run").size(), 4u);
  std::vector<HeldOutMetrics> heldOut = readEvaluations(folder / "run");
  ASSERT_EQ(heldOut.size(), 2u);
  EXPECT_NEAR(heldOut[0].bitsPerByte, 8, 0.5);
  EXPECT_LT(heldOut[1].bitsPerByte, heldOut[0].bitsPerByte);
  EXPECT_EQ(newestCheckpoint(folder / "run").step, 4);
  EXPECT_THAT(readFile(folder / "run/report.html"), HasSubstr("<svg"));
}

TEST_F(Run, LossFallsOnTextThatCanBeLearnt) {
  config.training.steps = 60;
  config.training.learningRate = 1e-2;
  train(config, folder / "run", false);
  std::vector<StepMetrics> metrics = readMetrics(folder / "run");
  EXPECT_LT(metrics.back().loss, 0.6 * metrics.front().loss);
}

TEST_F(Run, ResumesBitForBit) {
  config.training.steps = 6;
  config.checkpoint.every = 3;
  train(config, folder / "whole", false);
  fs::copy(folder / "whole", folder / "parts", fs::copy_options::recursive);
  fs::remove_all(checkpointFolder(folder / "parts", 6));
  train(config, folder / "parts", true);
  expectSameRuns("whole", "parts", 6);
}

TEST_F(Run, ResumesBitForBitAfterSigterm) {
  config.training.steps = 1000000; // the signal comes long before
  EXPECT_EQ(trainUntilSignal("parts", SIGTERM), 0);
  int64_t stopped = newestCheckpoint(folder / "parts").step;
  ASSERT_GE(stopped, 2);
  // Both go on to the same step; the whole run never stops before it.
  config.checkpoint.every = stopped + 3;
  auto trainPast = [&](const std::string &run, bool resume) {
    std::thread sender([&] {
      while (newestCheckpoint(folder / run).step < stopped + 3)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      kill(getpid(), SIGTERM);
    });
    EXPECT_EQ(train(config, folder / run, resume), 0);
    sender.join();
  };
  trainPast("parts", true);
  trainPast("whole", false);
  for (const char *file : {"model.safetensors", "optimizer.safetensors", "state.json"})
    EXPECT_EQ(checkpoint("whole", stopped + 3, file), checkpoint("parts", stopped + 3, file)) << file;
}

TEST_F(Run, SigintSavesAndExits130) {
  config.training.steps = 1000000; // the signal comes long before
  EXPECT_EQ(trainUntilSignal("run", SIGINT), 130);
  EXPECT_GE(newestCheckpoint(folder / "run").step, 2);
}

TEST_F(Run, KeepsTheNewestCheckpoints) {
  config.training.steps = 5;
  config.checkpoint = {.every = 1, .keep = 2};
  train(config, folder / "run", false);
  std::vector<std::string> names;
  for (const auto &entry : fs::directory_iterator(folder / "run/checkpoints"))
    names.push_back(entry.path().filename().string());
  EXPECT_THAT(names, testing::UnorderedElementsAre("step-4", "step-5"));
}

TEST_F(Run, NonFiniteValuesStopItAndNameTheLastCheckpoint) {
  // Without epsilon, AdamW divides zero by zero for the rows of tokens that did not occur yet.
  config.model.tieEmbeddings = false;
  config.training.epsilon = 0;
  config.training.steps = 50;
  config.checkpoint.every = 1;
  try {
    train(config, folder / "run", false);
    FAIL() << "expected training to stop";
  } catch (const NonFinite &error) {
    EXPECT_THAT(error.what(), MatchesRegex("(loss|gradient) is not finite at step [0-9]+; the last good "
                                           "checkpoint is .*/run/checkpoints/step-[0-9]+"));
  }
}

TEST_F(Run, NonEmptyFolderNeedsResume) {
  folder.write("run/notes.txt", "mine");
  EXPECT_THAT(errorOf([&] { train(config, folder / "run", false); }), HasSubstr("expected an empty folder"));
  EXPECT_EQ(readFile(folder / "run/notes.txt"), "mine");
  EXPECT_THAT(errorOf([&] { train(config, folder / "run", true); }), HasSubstr("expected a run to resume"));
}

TEST_F(Run, MistakesLeaveNothingBehind) {
  config.data.path = folder / "nothing";
  EXPECT_THAT(errorOf([&] { train(config, folder / "run", false); }), HasSubstr("expected data.path"));
  EXPECT_FALSE(fs::exists(folder / "run"));
  config = tinyConfig(folder);
  config.training.sequence = 1 << 20;
  EXPECT_THAT(errorOf([&] { train(config, folder / "run", false); }), HasSubstr("tokens to train on"));
  EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST_F(Run, SecondWriterIsRefused) {
  train(config, folder / "run", false);
  RunFolder first(folder / "run", true);
  EXPECT_THAT(errorOf([&] { train(config, folder / "run", true); }),
              HasSubstr("expected to be the only writer"));
}

TEST_F(Run, ResumeWithAnotherConfigurationIsRefused) {
  train(config, folder / "run", false);
  config.training.batch = 3;
  EXPECT_THAT(errorOf([&] { train(config, folder / "run", true); }), HasSubstr("training.batch = 2, got 3"));
}

// A limit on the size of files stands in for a full disk: writing fails in the same place.
TEST_F(Run, CheckpointThatCannotBeWrittenLeavesTheOthers) {
  train(config, folder / "run", false);
  std::string before = checkpoint("run", 4, "model.safetensors");
  fs::rename(checkpointFolder(folder / "run", 4), checkpointFolder(folder / "run", 3));
  writeFile(checkpointFolder(folder / "run", 3) + "/state.json",
            "{\"step\": 3, \"loader\": {\"epoch\": 0, \"position\": 6}}\n");
  rlimit old;
  getrlimit(RLIMIT_FSIZE, &old);
  rlimit small = {static_cast<rlim_t>(before.size() / 2), old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  std::string error = errorOf([&] { train(config, folder / "run", true); });
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_THAT(error, HasSubstr("checkpoint of step 4 not saved: cannot write"));
  EXPECT_THAT(error, HasSubstr("the last good one is " + checkpointFolder(folder / "run", 3)));
  EXPECT_EQ(checkpoint("run", 3, "model.safetensors"), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "run/checkpoints"), fs::directory_iterator()), 1);
  EXPECT_EQ(train(config, folder / "run", true), 0);
}

} // namespace
