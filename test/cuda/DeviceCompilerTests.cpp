// Kernels through NVRTC: figures, the disk cache, errors with their line, and kernels that violate each gate.
#include "codegen/cuda/DeviceCompiler.h"
#include "codegen/cuda/MachineCode.h"
#include "test/cuda/TestFolder.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace sluice {
namespace {

using test::emptyFolder;
using test::Environment;
using test::errorOf;
using testing::HasSubstr;
using testing::MatchesRegex;
namespace fs = std::filesystem;

constexpr const char *copyKernel = R"(#include "Device.h"
SLUICE_KERNEL(copy, 128)(Global<const f32> from, Global<f32> to, i64 count) {
  i64 i = i64(blockIndex()) * 128 + threadIndex();
  storeGlobal(to + i, loadGlobal(from + i, i < count, 0.0f), i < count);
}
SLUICE_EXPORT(copy)
)";

LaunchRecord recordOf(const std::string &kernel, int64_t threads) {
  LaunchRecord record;
  record.kernel = kernel;
  record.threads = threads;
  return record;
}

class DeviceCompiler : public testing::Test {
protected:
  std::string folder =
      emptyFolder(std::string("compile-") + testing::UnitTest::GetInstance()->current_test_info()->name());
  Environment cache{"SLUICE_CACHE", folder};
};

TEST_F(DeviceCompiler, EveryArchitecture) {
  for (const char *architecture : {"sm_80", "sm_90", "sm_90a"}) {
    DeviceCode code = compileForDevice({"copy.cu", copyKernel, {}}, architecture);
    EXPECT_EQ(code.architecture, architecture);
    EXPECT_THAT(code.ptx, HasSubstr(std::string(".target ") + architecture));
    EXPECT_THAT(code.ptx, HasSubstr("copy.cu")) << "lines for the profiler";
    ASSERT_EQ(code.kernels.count("copy"), 1u) << code.log;
    EXPECT_GT(code.kernels["copy"].registers, 4);
    EXPECT_LT(code.kernels["copy"].registers, 64);
    EXPECT_EQ(figuresOfCubin(code.cubin).at("copy").registers, code.kernels["copy"].registers);
    EXPECT_EQ(errorOf([&] { checkGates(code, recordOf("copy", 128)); }), "no error");
  }
}

TEST_F(DeviceCompiler, CachesByAllThatMatters) {
  KernelSource source{"copy.cu", copyKernel, {}};
  DeviceCode first = compileForDevice(source, "sm_80");
  EXPECT_FALSE(first.cached);
  DeviceCode second = compileForDevice(source, "sm_80");
  EXPECT_TRUE(second.cached);
  EXPECT_EQ(second.cubin, first.cubin);
  EXPECT_EQ(second.ptx, first.ptx);
  EXPECT_EQ(second.log, first.log);
  EXPECT_EQ(second.architecture, "sm_80");
  EXPECT_EQ(second.kernels["copy"].registers, first.kernels["copy"].registers);
  EXPECT_FALSE(compileForDevice(source, "sm_90").cached);
  EXPECT_FALSE(compileForDevice({"copy.cu", copyKernel + std::string("\n"), {}}, "sm_80").cached);
  EXPECT_FALSE(compileForDevice({"other.cu", copyKernel, {}}, "sm_80").cached);
  EXPECT_FALSE(compileForDevice({"copy.cu", copyKernel, {"LENGTH=1"}}, "sm_80").cached);
}

TEST_F(DeviceCompiler, DamagedEntriesAreCompiledAgain) {
  KernelSource source{"copy.cu", copyKernel, {}};
  std::string cubin = compileForDevice(source, "sm_80").cubin;
  for (const fs::directory_entry &entry : fs::directory_iterator(folder))
    fs::resize_file(entry.path(), fs::file_size(entry.path()) / 2);
  DeviceCode code = compileForDevice(source, "sm_80");
  EXPECT_FALSE(code.cached);
  EXPECT_EQ(code.cubin, cubin);
}

TEST_F(DeviceCompiler, ErrorsNameTheLineOfTheKernel) {
  std::string error = errorOf([] {
    compileForDevice({"broken.cu", "#include \"Device.h\"\n\nint x = unknown;\n", {}}, "sm_80");
  });
  EXPECT_THAT(error, MatchesRegex("broken.cu:3: identifier \"unknown\" is undefined, log in .*\\.log"));
  std::ifstream file(error.substr(error.find("log in ") + 7));
  std::stringstream log;
  log << file.rdbuf();
  EXPECT_THAT(log.str(), HasSubstr("1 error detected in the compilation of \"broken.cu\""));
}

TEST_F(DeviceCompiler, UnknownArchitecturesAreNamed) {
  EXPECT_THAT(errorOf([] {
                compileForDevice({"copy.cu", copyKernel, {}}, "sm_20");
              }),
              MatchesRegex("expected an architecture that NVRTC [0-9.]+ knows, got sm_20"));
}

TEST_F(DeviceCompiler, ManyAtOnce) {
  std::vector<DeviceJob> jobs;
  for (int i = 0; i < 6; ++i)
    jobs.push_back({{"copy.cu", copyKernel, {"LENGTH=" + std::to_string(i)}}, i % 2 ? "sm_80" : "sm_90a"});
  std::vector<DeviceCode> codes = compileForDevice(jobs);
  ASSERT_EQ(codes.size(), 6u);
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(codes[i].architecture, jobs[i].architecture);
  jobs[3].source.text = "broken";
  jobs[4].source.text = "also broken";
  jobs[3].source.name = "third.cu";
  EXPECT_THAT(errorOf([&] { compileForDevice(jobs); }), HasSubstr("third.cu:1: ")) << "the first one's error";
}

TEST_F(DeviceCompiler, PackagesGetBinaries) {
  std::vector<DeviceKernel> kernels = {{"copy", "sm_80", recordOf("copy", 128), copyKernel, {}},
                                       {"again", "sm_80", recordOf("copy", 128), copyKernel, {}}};
  addBinaries(kernels, "sm_80");
  addBinaries(kernels, "sm_90");
  ASSERT_EQ(kernels[1].binaries.size(), 2u);
  EXPECT_EQ(kernels[1].binaries["sm_90"].cubin.substr(1, 3), "ELF");
  EXPECT_EQ(kernels[0].record.registersAtLaunch, kernels[0].binaries["sm_80"].resources.registers);
  kernels[0].record.kernel = "missing";
  EXPECT_EQ(errorOf([&] { addBinaries(kernels, "sm_80"); }),
            "expected an entry point 'missing' in the source, got none");
}

/// What the gates say of the one kernel `k` of a source.
std::string gateOf(const std::string &source, const std::string &architecture, int64_t threads) {
  DeviceCode code = compileForDevice({"gate.cu", source, {}}, architecture);
  std::string withRecord = errorOf([&] { checkGates(code, recordOf("k", threads)); });
  EXPECT_EQ(errorOf([&] { checkGates(code); }), withRecord);
  return withRecord;
}

// Below the device layer on purpose: its rules exist so that kernels cannot do these things.
TEST_F(DeviceCompiler, GateAgainstSpills) {
  std::string source = R"(
extern "C" __global__ void __launch_bounds__(1024, 2) k(float *p, int n) {
  float a[64];
  for (int i = 0; i < 64; ++i) a[i] = p[i * n];
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < 64; ++i) a[i] = a[i] * a[(i + 7) % 64] + p[i + j];
  for (int i = 0; i < 64; ++i) p[i * n] = a[i];
})";
  for (const char *architecture : {"sm_80", "sm_90", "sm_90a"})
    EXPECT_THAT(
        gateOf(source, architecture, 1024),
        MatchesRegex("kernel 'k': expected no spills, got [1-9][0-9]* bytes stored and [1-9][0-9]* loaded"));
}

TEST_F(DeviceCompiler, GateAgainstStackFrames) {
  std::string source = R"(
extern "C" __global__ void __launch_bounds__(128, 1) k(float *p, const int *where, int n) {
  float a[64];
  for (int i = 0; i < 64; ++i) a[i] = p[i];
  for (int i = 0; i < n; ++i) a[where[i] & 63] += a[where[i + 1] & 63];
  for (int i = 0; i < 64; ++i) p[i] = a[i];
})";
  for (const char *architecture : {"sm_80", "sm_90", "sm_90a"})
    EXPECT_THAT(gateOf(source, architecture, 128), "kernel 'k': expected no stack frame, got 256 bytes");
}

TEST_F(DeviceCompiler, GateAgainstRegistersBeyondTheRecord) {
  // Compiled for one block of 128 threads, launched with 1024.
  std::string source = R"(
extern "C" __global__ void __launch_bounds__(128, 1) k(float *p, int n) {
  float a[96];
  for (int i = 0; i < 96; ++i) a[i] = p[i * n];
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < 96; ++i) a[i] = a[i] * a[(i + 7) % 96] + p[j];
  for (int i = 0; i < 96; ++i) p[i * n] = a[i];
})";
  DeviceCode code = compileForDevice({"gate.cu", source, {}}, "sm_80");
  EXPECT_EQ(errorOf([&] { checkGates(code, recordOf("k", 128)); }), "no error");
  EXPECT_THAT(errorOf([&] { checkGates(code, recordOf("k", 1024)); }),
              MatchesRegex("kernel 'k': expected at most 64 registers for 1 blocks of 1024 threads on a "
                           "multiprocessor, got [12][0-9][0-9]"));
}

constexpr const char *wgmmaPreamble = R"(
#define MULTIPLY(d, a, b) asm volatile("{ .reg .pred p; setp.ne.b32 p, 1, 0; " \
  "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%0, %1, %2, %3}, %4, %5, p, 1, 1, 0, 0; }" \
  : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "l"(a), "l"(b))
#define FENCE() asm volatile("wgmma.fence.sync.aligned;" ::: "memory")
#define COMMIT() asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory")
#define WAIT() asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory")
)";

TEST_F(DeviceCompiler, GateAgainstSerialisedProducts) {
  // Accumulators in flight are touched.
  std::string touched = std::string(wgmmaPreamble) + R"(
extern "C" __global__ void __launch_bounds__(128, 1) k(float *p, unsigned long long a, unsigned long long b, int n) {
  float d[4] = {0, 0, 0, 0};
  FENCE();
  for (int i = 0; i < n; ++i) { MULTIPLY(d, a + i, b); COMMIT(); d[0] += 1; }
  WAIT();
  for (int i = 0; i < 4; ++i) p[threadIdx.x * 4 + i] = d[i];
})";
  EXPECT_THAT(
      gateOf(touched, "sm_90a", 128),
      MatchesRegex("kernel 'k': expected no performance lost in the assembler, got C75(1[0-9]|20): .*"));
  std::string correct = std::string(wgmmaPreamble) + R"(
extern "C" __global__ void __launch_bounds__(128, 1) k(float *p, unsigned long long a, unsigned long long b) {
  float d[4] = {0, 0, 0, 0};
  FENCE();
  MULTIPLY(d, a, b);
  COMMIT();
  WAIT();
  for (int i = 0; i < 4; ++i) p[threadIdx.x * 4 + i] = d[i];
})";
  EXPECT_EQ(gateOf(correct, "sm_90a", 128), "no error");
}

TEST_F(DeviceCompiler, GateAgainstIgnoredRegisterRequests) {
  std::string body = R"( k(float *p) {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
  p[threadIdx.x] = 1;
})";
  EXPECT_THAT(gateOf("extern \"C\" __global__ void" + body, "sm_90a", 128),
              HasSubstr("expected no performance lost in the assembler, got C7508: "));
  EXPECT_EQ(gateOf("extern \"C\" __global__ void __launch_bounds__(128, 1)" + body, "sm_90a", 128),
            "no error");
}

} // namespace
} // namespace sluice
