// The side of the GPU before the stand-in for libcuda, which runs no kernel: every part comes to its end,
// nothing counts as equal that was not computed, and what a device cannot run says so.
#include "test/cuda/FakeDriver.h"
#include "tools/gpu/Parts.h"

#include <gmock/gmock.h>

#include <cstdlib>

using namespace sluice;
using namespace sluice::gpusuite;

namespace {

const Bundle bundle{SLUICE_GPU_BUNDLE};

class HardwareTest : public ::testing::Test {
protected:
  void SetUp() override {
    setenv("SLUICE_LIBCUDA", SLUICE_FAKE_CUDA, 1);
    test::fake().reset();
  }
  void TearDown() override {
    hardware.reset();
    test::fake().reset();
    unsetenv("SLUICE_LIBCUDA");
  }
  Tasks open(const std::string &part) {
    suite = {bundle, nullptr, ""};
    hardware = Hardware::open(bundle, suite.why);
    suite.hardware = hardware.get();
    EXPECT_EQ(suite.why, "");
    for (const auto &[name, tasksOf] : parts())
      if (name == part)
        return tasksOf(suite);
    return {};
  }
  /// A row each of the tasks, but for the kernels of `source` alone if one is named.
  std::vector<Row> run(const Tasks &tasks, const std::string &source = "") {
    std::vector<Row> rows;
    std::vector<const KernelCase *> kernels;
    for (const Task &task : tasks)
      if (task.kernel && (source.empty() || task.kernel->source == source))
        kernels.push_back(task.kernel);
    if (hardware)
      hardware->compile(kernels);
    for (const Task &task : tasks)
      if (source.empty() || task.kernel->source == source)
        rows.push_back(runTask(task));
    return rows;
  }
  std::unique_ptr<Hardware> hardware;
  Suite suite;
};

TEST_F(HardwareTest, WhatWasNotComputedDiffers) {
  for (const char *part : {"primitives", "kernels"}) {
    Tasks tasks = open(part);
    // Every N takes long to compile, and is no other case.
    std::erase_if(tasks, [](const Task &task) {
      return task.kernel->source == "shared_products.cu" || task.kernel->source == "register_products.cu";
    });
    std::vector<Row> rows = run(tasks);
    EXPECT_GE(rows.size(), 10u);
    for (const Row &row : rows) {
      EXPECT_EQ(row.verdict, "differs") << row.name << ": " << row.detail;
      EXPECT_THAT(row.detail, ::testing::HasSubstr(" on Fake GPU")) << row.name;
    }
  }
}

TEST_F(HardwareTest, MapsAreShownToTheDriver) {
  for (const Row &row : run(open("maps"))) {
    bool same = row.detail == "the emulator accepts, the driver accepts";
    EXPECT_EQ(row.verdict, same ? "equal" : "differs") << row.name;
    EXPECT_TRUE(same || row.detail == "the emulator refuses, the driver accepts") << row.detail;
  }
  test::fake().fail("cuTensorMapEncodeTiled", 1, 0);
  int equal = 0;
  for (const Row &row : run(open("maps"))) {
    EXPECT_THAT(row.detail, ::testing::HasSubstr("the driver refuses: ")) << row.name;
    equal += row.verdict == "equal";
  }
  EXPECT_GT(equal, 10);
}

TEST_F(HardwareTest, LatenciesAndRatesAreMeasured) {
  for (const Row &row : run(open("latencies"))) {
    EXPECT_EQ(row.verdict, "measured") << row.name << ": " << row.detail;
    EXPECT_FALSE(row.figures.empty());
  }
  for (const Row &row : run(open("rates"), "counter_chain.cu")) {
    ASSERT_EQ(row.verdict, "measured") << row.detail;
    // The stand-in's clock says 1.5 ms for twenty launches.
    EXPECT_NEAR(row.figures.at(0).second, 0.075, 1e-6);
    EXPECT_GT(row.figures.at(1).second, 0);
  }
}

TEST_F(HardwareTest, TrafficHasTheEmulatorsFigures) {
  for (const Row &row : run(open("traffic"), "copies.cu")) {
    EXPECT_EQ(row.verdict, "not run") << row.detail;
    EXPECT_GT(row.figures.at(0).second, 0) << row.name;
  }
}

TEST_F(HardwareTest, AmpereRunsWhatItCan) {
  test::fake().set("major", 8);
  Tasks tasks = open("primitives");
  EXPECT_EQ(hardware->chip(), "ampere");
  for (const Row &row : run(tasks, "matrices.cu")) {
    EXPECT_EQ(row.verdict, "differs") << row.name;
    EXPECT_THAT(row.detail, ::testing::HasSubstr("emulator (ampere)")) << row.name;
  }
  for (const Row &row : run(tasks, "hopper.cu")) {
    EXPECT_EQ(row.verdict, "not run") << row.name;
    EXPECT_THAT(row.detail, ::testing::StartsWith("hardware: not run: ")) << row.name;
  }
  for (const Row &row : run(open("latencies"), "latencies.cu"))
    EXPECT_EQ(row.verdict, "measured") << row.name << ": " << row.detail;
  for (const Row &row : run(open("latencies"), "latencies_sm90.cu"))
    EXPECT_EQ(row.verdict, "not run") << row.name;
}

TEST_F(HardwareTest, BlocksThatWaitNeedRoom) {
  test::fake().set("multiprocessors", 2);
  for (const Row &row : run(open("primitives"), "memory.cu"))
    if (row.name == "counters") {
      EXPECT_EQ(row.verdict, "not run");
      EXPECT_EQ(row.detail, "hardware: not run: expected room for 8 blocks at once, got 2");
    } else if (row.name == "widths") {
      EXPECT_EQ(row.verdict, "differs");
    }
}

TEST_F(HardwareTest, BlocksNeedTheirSharedMemory) {
  test::fake().set("sharedOptIn", 4096);
  for (const Row &row : run(open("primitives"), "memory.cu"))
    if (row.name == "sharedWidths") {
      EXPECT_EQ(row.verdict, "not run");
      EXPECT_EQ(row.detail,
                "hardware: not run: expected room for 8192 bytes of shared memory in a block, got 4096");
    } else {
      EXPECT_EQ(row.verdict, "differs") << row.name;
    }
}

TEST_F(HardwareTest, AFaultIsADifferenceAndLosesTheDevice) {
  Tasks tasks = open("primitives");
  EXPECT_TRUE(hardware->works());
  test::fake().fail("cuStreamSynchronize", 700, 0);
  Row row = runTask(tasks[0]);
  EXPECT_EQ(row.verdict, "differs");
  EXPECT_THAT(row.detail, ::testing::HasSubstr("illegal memory access"));
  EXPECT_FALSE(hardware->works());
}

TEST_F(HardwareTest, WithoutAGpuNothingIsCompared) {
  test::fake().set("devices", 0);
  suite = {bundle, nullptr, ""};
  EXPECT_EQ(Hardware::open(bundle, suite.why), nullptr);
  EXPECT_NE(suite.why, "");
  for (const auto &[name, tasksOf] : parts())
    for (const Task &task : tasksOf(suite)) {
      Row row = runTask(task);
      EXPECT_EQ(row.verdict, "not run") << name << " " << row.name;
      EXPECT_EQ(row.detail, "hardware: not run: " + suite.why) << name << " " << row.name;
    }
}

} // namespace
