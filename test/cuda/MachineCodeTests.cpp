// Reading the assembler's log and machine code, and each gate at its limit.
#include "codegen/cuda/DeviceCompiler.h"
#include "codegen/cuda/MachineCode.h"
#include "test/cuda/TestFolder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using test::errorOf;
using testing::HasSubstr;

constexpr const char *log =
    "ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized due to "
    "x in the "
    "function 'two'\n"
    "ptxas info    : (C7508) Potential Performance Loss: 'setmaxnreg' ignored; unable to determine register "
    "count\n"
    "ptxas info    : (C7600) something else\n"
    "ptxas info    : 0 bytes gmem\n"
    "ptxas info    : Compiling entry function 'one' for 'sm_90a'\n"
    "ptxas info    : Function properties for one\n"
    "ptxas         .     16 bytes stack frame, 4 bytes spill stores, 8 bytes spill loads\n"
    "ptxas info    : Used 24 registers, used 3 barriers, 256 bytes smem\n"
    "ptxas info    : Compiling entry function 'two' for 'sm_90a'\n"
    "ptxas info    : Function properties for two\n"
    "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
    "ptxas info    : Used 168 registers, 16 bytes cumulative stack size\n";

TEST(MachineCode, ReadsTheLog) {
  std::map<std::string, KernelResources> resources = resourcesOfLog(log);
  ASSERT_EQ(resources.size(), 2u);
  EXPECT_EQ(resources["one"].registers, 24);
  EXPECT_EQ(resources["one"].stackBytes, 16);
  EXPECT_EQ(resources["one"].spillStoreBytes, 4);
  EXPECT_EQ(resources["one"].spillLoadBytes, 8);
  EXPECT_EQ(resources["one"].sharedBytes, 256);
  EXPECT_EQ(resources["one"].barriers, 3);
  EXPECT_EQ(resources["two"].registers, 168);
  EXPECT_EQ(resources["two"].sharedBytes, 0);
}

TEST(MachineCode, MissesNoFigure) {
  std::string text = log;
  text.erase(text.find("ptxas info    : Used 168"));
  EXPECT_EQ(errorOf([&] { resourcesOfLog(text); }),
            "kernel 'two': expected registers, stack and spills in the assembler's log, got none");
}

TEST(MachineCode, WarningsBelongToTheirFunction) {
  EXPECT_THAT(lossWarnings(log, "two"),
              testing::ElementsAre(HasSubstr("C7510: Potential"), HasSubstr("C7508: ")));
  EXPECT_THAT(lossWarnings(log, "one"), testing::ElementsAre(HasSubstr("C7508: ")));
}

TEST(MachineCode, RefusesWhatIsNoCubin) {
  EXPECT_EQ(errorOf([] { figuresOfCubin(""); }), "expected a cubin, got something else");
  EXPECT_EQ(errorOf([] { figuresOfCubin(std::string(200, 'x')); }), "expected a cubin, got something else");
  std::string cubin = compileForDevice({"k.cu", "extern \"C\" __global__ void k() {}", {}}, "sm_80").cubin;
  EXPECT_EQ(figuresOfCubin(cubin).count("k"), 1u);
  // Cut anywhere, it is refused or lacks the figures; it is never read beyond its end.
  for (size_t bytes = 0; bytes < cubin.size(); bytes += 7) {
    std::string error = errorOf([&] { figuresOfCubin(cubin.substr(0, bytes)); });
    EXPECT_TRUE(error == "expected a cubin, got something else" || error == "no error") << bytes;
  }
}

LaunchRecord recordOf(int64_t threads, int64_t blocks) {
  LaunchRecord record;
  record.kernel = "k";
  record.threads = threads;
  record.blocksPerSm = blocks;
  return record;
}

TEST(Gates, RegistersWithinTheLaunchBounds) {
  EXPECT_EQ(registerBound(128, 1), 255);
  EXPECT_EQ(registerBound(256, 1), 255);
  EXPECT_EQ(registerBound(384, 1), 168);
  EXPECT_EQ(registerBound(1024, 1), 64);
  EXPECT_EQ(registerBound(1024, 2), 32);
  KernelResources resources;
  resources.registers = 168;
  EXPECT_EQ(errorOf([&] { checkResources("k", resources, recordOf(384, 1)); }), "no error");
  resources.registers = 169;
  EXPECT_EQ(
      errorOf([&] { checkResources("k", resources, recordOf(384, 1)); }),
      "kernel 'k': expected at most 168 registers for 1 blocks of 384 threads on a multiprocessor, got 169");
}

TEST(Gates, RolesShareTheRegistersOfTheLaunch) {
  KernelResources resources;
  resources.registers = 168;
  LaunchRecord record = recordOf(384, 1);
  record.roles = {{"load", 128, 24}, {"multiply", 256, 240}};
  EXPECT_EQ(errorOf([&] { checkResources("k", resources, record); }), "no error");
  record.roles[0].registers = 32;
  EXPECT_EQ(errorOf([&] { checkResources("k", resources, record); }),
            "kernel 'k': expected roles of at most 64512 registers together, what 384 threads get at launch, "
            "got 65536");
  record.roles[0].registers = 0;
  EXPECT_THAT(errorOf([&] { checkResources("k", resources, record); }), HasSubstr("got 82944"))
      << "a role without setmaxnreg keeps its registers";
}

TEST(Gates, SpillsAndStack) {
  KernelResources resources;
  resources.spillStoreBytes = 4;
  EXPECT_EQ(errorOf([&] { checkResources("k", resources); }),
            "kernel 'k': expected no spills, got 4 bytes stored and 0 loaded");
  resources = {};
  resources.spillLoadBytes = 8;
  EXPECT_EQ(errorOf([&] { checkResources("k", resources); }),
            "kernel 'k': expected no spills, got 0 bytes stored and 8 loaded");
  resources = {};
  resources.stackBytes = 16;
  EXPECT_EQ(errorOf([&] { checkResources("k", resources); }),
            "kernel 'k': expected no stack frame, got 16 bytes");
}

} // namespace
} // namespace sluice
