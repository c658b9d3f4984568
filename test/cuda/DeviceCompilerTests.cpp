// Kernels through NVRTC: figures, the disk cache, errors with their line, and kernels that violate each gate.
#include "codegen/cuda/DeviceCompiler.h"
#include "codegen/cuda/MachineCode.h"
#include "test/cuda/TestFolder.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

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

/// With a parameter of so many bytes for each digit.
LaunchRecord recordOf(const std::string &kernel, int64_t threads, const std::string &parameters) {
  LaunchRecord record;
  record.kernel = kernel;
  record.threads = threads;
  for (char bytes : parameters)
    record.parameters.push_back(
        {.name = "p" + std::to_string(record.parameters.size()),
         .kind = bytes == '8' ? ParameterRecord::Kind::tensor : ParameterRecord::Kind::value});
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
    EXPECT_EQ(errorOf([&] { checkGates(code, recordOf("copy", 128, "888")); }), "no error");
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

/// Runs the action in a process of its own, which ends with what it returns.
pid_t startProcess(const std::function<int()> &action) {
  pid_t child = fork();
  if (child != 0)
    return child;
  try {
    _exit(action());
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    _exit(100);
  }
}

int statusOf(pid_t child) {
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

/// Of files that are no entries of the cache.
std::string leftIn(const std::string &folder) {
  std::string names;
  for (const fs::directory_entry &entry : fs::directory_iterator(folder))
    if (entry.path().extension() != ".json")
      names += entry.path().filename().string() + " ";
  return names;
}

TEST_F(DeviceCompiler, ProcessesThatCompileAtOnceDoNotDisturbEachOther) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i)
    children.push_back(startProcess([] {
      return compileForDevice({"copy.cu", copyKernel, {}}, "sm_80").kernels.count("copy") == 1 ? 0 : 1;
    }));
  for (pid_t child : children)
    EXPECT_EQ(statusOf(child), 0);
  EXPECT_TRUE(compileForDevice({"copy.cu", copyKernel, {}}, "sm_80").cached);
  EXPECT_EQ(leftIn(folder), "");
}

TEST_F(DeviceCompiler, InterruptedCompilationsLeaveNothing) {
  auto source = [](int i) { return KernelSource{"copy.cu", copyKernel, {"LENGTH=" + std::to_string(i)}}; };
  constexpr int sources = 20;
  bool interrupted = false;
  for (int milliseconds : {20, 60, 100, 140, 180}) {
    pid_t child = startProcess([&] {
      for (int i = 0; i < sources; ++i)
        compileForDevice(source(i), "sm_80");
      return 0;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    kill(child, SIGKILL);
    interrupted |= WIFSIGNALED(statusOf(child));
    EXPECT_EQ(leftIn(folder), "");
  }
  EXPECT_TRUE(interrupted);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(figuresOfCubin(compileForDevice(source(i), "sm_80").cubin).count("copy"), 1u) << i;
}

TEST_F(DeviceCompiler, AFullCacheIsDoneWithout) {
  testing::internal::CaptureStderr();
  pid_t child = startProcess([] {
    // What a full disk answers: some bytes are taken, the rest is not.
    rlimit limit = {1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
    for (int i = 0; i < 2; ++i)
      if (compileForDevice({"copy.cu", copyKernel, {}}, i ? "sm_90" : "sm_80").cached)
        return 1;
    return 0;
  });
  EXPECT_EQ(statusOf(child), 0);
  std::string warning = testing::internal::GetCapturedStderr();
  EXPECT_THAT(warning, MatchesRegex("warning: the cache '.*' is not used: cannot write '.*': File too large\n"))
      << "once";
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST_F(DeviceCompiler, ACacheThatCannotBeWrittenIsDoneWithout) {
  Environment nowhere("SLUICE_CACHE", "/dev/null/cache");
  testing::internal::CaptureStderr();
  EXPECT_EQ(statusOf(startProcess([] {
              for (const char *architecture : {"sm_80", "sm_90"})
                if (compileForDevice({"copy.cu", copyKernel, {}}, architecture).cubin.empty())
                  return 1;
              return 0;
            })),
            0);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              MatchesRegex("warning: the cache '/dev/null/cache' is not used: [^\n]*\n"));
  EXPECT_THAT(errorOf([] { compileForDevice({"broken.cu", "int x = unknown;", {}}, "sm_80"); }),
              MatchesRegex("broken.cu:1: identifier \"unknown\" is undefined"))
      << "no log to look into";
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

TEST_F(DeviceCompiler, WhatAHeaderRefusesIsToldWithTheKernelsLine) {
  auto errorIn = [](const std::string &statement) {
    KernelSource source{"dir/t.cu",
                        "#include \"Device.h\"\nSLUICE_KERNEL(t, 128)(Global<const f32> c, Global<f32> g) {\n"
                        "  MmaAccumulator d;\n  d.fill(0);\n  " +
                            statement + "\n}\nSLUICE_EXPORT(t)\n",
                        {}};
    std::string message = errorOf([&] { compileForDevice(source, "sm_90a"); });
    return message.substr(0, message.find(", log in "));
  };
  EXPECT_EQ(errorIn("cpAsync<12>(sharedMemory<f32>(0), c);"), "dir/t.cu:5: expected 4, 8 or 16 bytes");
  EXPECT_EQ(errorIn("storeGlobal(c, 1.0f);"), "dir/t.cu:5: expected a destination that is not const");
  EXPECT_EQ(errorIn("unrolled<5>([&](auto i) {\n  storeGlobal(g, d.r(i)); });"),
            "dir/t.cu:6: expected an index below the number of registers");
  EXPECT_EQ(errorIn("WgmmaAccumulator<8> a;\nauto w = wgmmaDescriptor(sharedMemory<bf16>(0), Swizzle::none, 0, 0);"
                    "\nwgmma(a, w, w, true);"),
            "dir/t.cu:7: expected #include \"wgmma/n<N>.h\"");
  EXPECT_EQ(errorIn("static_assert(sizeof(f32) == 8, \"own: words\");"), "dir/t.cu:5: own: words");
}

TEST_F(DeviceCompiler, ErrorsOfTheAssemblerAreTheUsersToo) {
  std::string source = R"(
extern "C" __global__ void k(float *p) {
  __shared__ float a[100000];
  a[threadIdx.x] = p[0];
  __syncthreads();
  p[threadIdx.x] = a[31 - threadIdx.x];
})";
  EXPECT_THAT(errorOf([&] { compileForDevice({"large.cu", source, {}}, "sm_80"); }),
              MatchesRegex("large.cu: ptxas error.*Entry function 'k' uses too much shared data.*, log in .*"));
  EXPECT_THAT(errorOf([&] { compileForDevice({"open.cu", "extern \"C\" __global__ void k() {", {}}, "sm_80"); }),
              HasSubstr("open.cu: At end of source: error: expected a \"}\""));
}

constexpr const char *twoKernels = R"(#include "Device.h"
SLUICE_KERNEL(first, 128)(Global<f32> to) { storeGlobal(to + threadIndex(), 1.0f); }
SLUICE_EXPORT(first)
SLUICE_KERNEL(second, 128)(Global<f32> to) { storeGlobal(to + threadIndex(), 2.0f); }
SLUICE_EXPORT(second)
)";

TEST_F(DeviceCompiler, EntryPointsByThemselves) {
  KernelSource source{"two.cu", twoKernels, {}};
  EXPECT_EQ(compileForDevice(source, "sm_80").kernels.size(), 2u);
  DeviceCode second = compileForDevice(DeviceJob{source, "sm_80", "second"});
  EXPECT_FALSE(second.cached);
  ASSERT_EQ(second.kernels.size(), 1u);
  EXPECT_EQ(second.kernels.count("second"), 1u);
  EXPECT_EQ(figuresOfCubin(second.cubin).count("first"), 0u);
  EXPECT_TRUE(compileForDevice(DeviceJob{source, "sm_80", "second"}).cached);
  EXPECT_FALSE(compileForDevice(DeviceJob{source, "sm_80", "first"}).cached);
  EXPECT_EQ(errorOf([&] { compileForDevice(DeviceJob{source, "sm_80", "third"}); }),
            "expected an entry point 'third' in the source, got none");
}

TEST_F(DeviceCompiler, KernelsOfOneSourceGetTheirOwnCode) {
  std::vector<DeviceKernel> kernels = {{"a", "sm_80", recordOf("first", 128, "8"), twoKernels, {}},
                                       {"b", "sm_80", recordOf("second", 128, "8"), twoKernels, {}}};
  addBinaries(kernels, "sm_90");
  for (const DeviceKernel &kernel : kernels) {
    auto figures = figuresOfCubin(kernel.binaries.at("sm_90").cubin);
    ASSERT_EQ(figures.size(), 1u);
    EXPECT_EQ(figures.begin()->first, kernel.record.kernel);
  }
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
  std::vector<DeviceKernel> kernels = {{"copy", "sm_80", recordOf("copy", 128, "888"), copyKernel, {}},
                                       {"again", "sm_80", recordOf("copy", 128, "888"), copyKernel, {}}};
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
std::string gateOf(const std::string &source, const std::string &architecture, int64_t threads,
                   const std::string &parameters = "") {
  DeviceCode code = compileForDevice({"gate.cu", source, {}}, architecture);
  std::string withRecord = errorOf([&] { checkGates(code, recordOf("k", threads, parameters)); });
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

TEST_F(DeviceCompiler, GatesLookIntoFunctionsThatAreNotInlined) {
  std::string spills = R"(
__device__ __noinline__ float helper(float *p, int n) {
  float a[64], sum = 0;
  for (int i = 0; i < 64; ++i) a[i] = p[i * n];
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < 64; ++i) a[i] = a[i] * a[(i + 7) % 64] + p[i + j];
  for (int i = 0; i < 64; ++i) sum += a[i] * p[i * n + 5];
  return sum;
}
extern "C" __global__ void __launch_bounds__(1024, 2) k(float *p, int n) { p[n] = helper(p, n); })";
  std::string recursive = R"(
__device__ __noinline__ int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
extern "C" __global__ void __launch_bounds__(128, 1) k(int *p, int n) { p[n] = fibonacci(n); })";
  for (const char *architecture : {"sm_80", "sm_90", "sm_90a"}) {
    EXPECT_THAT(gateOf(spills, architecture, 1024), HasSubstr("kernel 'k': expected no spills, got "));
    EXPECT_THAT(gateOf(recursive, architecture, 128), HasSubstr("kernel 'k': expected no s"));
  }
}

TEST_F(DeviceCompiler, GateAgainstRegistersBeyondTheRecord) {
  // Compiled for one block of 128 threads, launched with 1024.
  std::string source = R"(
extern "C" __global__ void __launch_bounds__(128, 1) k(float *p, int n) {
  float a[80];
  for (int i = 0; i < 80; ++i) a[i] = p[i * n];
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < 80; ++i) a[i] = a[i] * a[(i + 7) % 80] + p[j];
  for (int i = 0; i < 80; ++i) p[i * n] = a[i];
})";
  DeviceCode code = compileForDevice({"gate.cu", source, {}}, "sm_80");
  EXPECT_EQ(errorOf([&] { checkGates(code, recordOf("k", 128, "84")); }), "no error");
  EXPECT_THAT(errorOf([&] { checkGates(code, recordOf("k", 1024, "84")); }),
              MatchesRegex("kernel 'k': expected at most 64 registers for 1 blocks of 1024 threads on a "
                           "multiprocessor, got [0-9]+"));
}

TEST_F(DeviceCompiler, GateAgainstOtherParametersThanTheRecords) {
  std::string source = R"(
struct alignas(64) Map { unsigned long long words[16]; };
extern "C" __global__ void __launch_bounds__(64, 1) k(float *p, const __grid_constant__ Map map, int n) {
  p[n] = map.words[n];
})";
  for (const char *architecture : {"sm_80", "sm_90a"}) {
    DeviceCode code = compileForDevice({"gate.cu", source, {}}, architecture);
    LaunchRecord record = recordOf("k", 64, "884");
    EXPECT_EQ(errorOf([&] { checkGates(code, record); }),
              "kernel 'k': expected a parameter 'p1' of 8 bytes, as the record states, got 128");
    record.parameters[1].kind = ParameterRecord::Kind::tensorMap;
    EXPECT_EQ(errorOf([&] { checkGates(code, record); }), "no error");
    record.parameters[2].kind = ParameterRecord::Kind::size;
    EXPECT_EQ(errorOf([&] { checkGates(code, record); }),
              "kernel 'k': expected a parameter 'p2' of 8 bytes, as the record states, got 4");
    record.parameters[2].dtype = DType::u32;
    EXPECT_EQ(errorOf([&] { checkGates(code, record); }), "no error");
    record.parameters.pop_back();
    EXPECT_EQ(errorOf([&] { checkGates(code, record); }),
              "kernel 'k': expected the record's 2 parameters, got 3");
    EXPECT_EQ(errorOf([&] { checkGates(code, recordOf("k", 128, "884")); }),
              "kernel 'k': expected launch bounds of 128 threads, as the record states, got 64");
  }
  DeviceCode unbound = compileForDevice({"gate.cu", "extern \"C\" __global__ void k() {}", {}}, "sm_80");
  EXPECT_EQ(errorOf([&] { checkGates(unbound, recordOf("k", 128, "")); }),
            "kernel 'k': expected launch bounds of 128 threads, as the record states, got none");
}

TEST_F(DeviceCompiler, IndicesOfRegistersThatVaryAreNamedWithTheirLine) {
  for (const char *index : {"int(n)", "4"}) {
    KernelSource source{"index.cu",
                        "#include \"Device.h\"\nSLUICE_KERNEL(k, 32)(Global<f32> p, u32 n) {\n  MmaAccumulator d;\n"
                        "  d.fill(1.0f);\n  storeGlobal(p, d.r(" +
                            std::string(index) + "));\n}\nSLUICE_EXPORT(k)\n",
                        {}};
    std::string reason = index[0] == '4' ? "expected an index below" : "call to consteval function";
    EXPECT_THAT(errorOf([&] { compileForDevice(source, "sm_80"); }), HasSubstr("index.cu:5: " + reason));
    Environment none{"SLUICE_HOST_CXX", "/nowhere/c++"};
    EXPECT_EQ(errorOf([&] { compileForDevice(source, "sm_80"); }),
              "index.cu: expected constants below their number as indices of registers, got others");
  }
}

TEST_F(DeviceCompiler, GateAgainstOtherBlocksPerMultiprocessorThanTheRecords) {
  for (const char *architecture : {"sm_80", "sm_90a"}) {
    DeviceCode code = compileForDevice({"gate.cu", R"(#include "Device.h"
SLUICE_KERNEL_RESIDENT(two, 64, 2)(Global<f32> p) { storeGlobal(p, 1.0f); }
SLUICE_KERNEL(one, 64)(Global<f32> p) { storeGlobal(p, 1.0f); }
)", {}}, architecture);
    LaunchRecord record = recordOf("two", 64, "8");
    EXPECT_EQ(errorOf([&] { checkGates(code, record); }),
              "kernel 'two': expected launch bounds of 1 blocks per multiprocessor, as the record states, got 2");
    record.blocksPerSm = 2;
    EXPECT_EQ(errorOf([&] { checkGates(code, record); }), "no error");
    EXPECT_EQ(errorOf([&] { checkGates(code, recordOf("one", 64, "8")); }), "no error");
  }
}

TEST_F(DeviceCompiler, GateWithThreadsThatDependOnSizes) {
  DeviceCode code = compileForDevice({"copy.cu", copyKernel, {}}, "sm_80");
  LaunchRecord record = recordOf("copy", 128, "888");
  record.threads = "min(T, 128)";
  EXPECT_EQ(errorOf([&] { checkGates(code, record); }), "no error");
  DeviceCode unbound = compileForDevice({"gate.cu", "extern \"C\" __global__ void k() {}", {}}, "sm_80");
  LaunchRecord other = recordOf("k", 128, "");
  other.threads = "T";
  EXPECT_EQ(errorOf([&] { checkGates(unbound, other); }),
            "kernel 'k': expected launch bounds of T threads, as the record states, got none");
}

constexpr const char *wgmmaPreamble = R"(
#include "Device.h"
#include "wgmma/n8.h"
)";

TEST_F(DeviceCompiler, GateAgainstSerialisedProducts) {
  // Accumulators in flight are touched.
  std::string touched = std::string(wgmmaPreamble) + R"(
SLUICE_KERNEL(k, 128)(Global<f32> p, i64 n) {
  WgmmaDescriptor<bf16> a = wgmmaDescriptor(sharedMemory<bf16>(0), Swizzle::none, 128, 256);
  WgmmaAccumulator<8> d;
  d.fill(0);
  pin(d);
  wgmmaFence();
  for (i64 i = 0; i < n; ++i) { wgmma(d, a.advance(u32(i) * 32), a, true); wgmmaCommit(); d.r(0) += 1; }
  wgmmaWait<0>(d);
  unrolled<4>([&](auto i) { storeGlobal(p + 4 * threadIndex() + i, d.r(i)); });
})";
  EXPECT_THAT(
      gateOf(touched, "sm_90a", 128),
      MatchesRegex("kernel 'k': expected no performance lost in the assembler, got C75(1[0-9]|20): .*"
                   "(\\(gate.cu:11\\)|in the function 'k')"))
      << "the line of the loop, if ptxas says one";
  std::string correct = std::string(wgmmaPreamble) + R"(
SLUICE_KERNEL(k, 128)(Global<f32> p) {
  WgmmaDescriptor<bf16> a = wgmmaDescriptor(sharedMemory<bf16>(0), Swizzle::none, 128, 256);
  WgmmaAccumulator<8> d;
  d.fill(0);
  pin(d);
  wgmmaFence();
  wgmma(d, a, a, true);
  wgmmaCommit();
  wgmmaWait<0>(d);
  unrolled<4>([&](auto i) { storeGlobal(p + 4 * threadIndex() + i, d.r(i)); });
})";
  EXPECT_EQ(gateOf(correct, "sm_90a", 128, "8"), "no error");
}

TEST_F(DeviceCompiler, GateAgainstIgnoredRegisterRequests) {
  std::string head = std::string(wgmmaPreamble) + "extern \"C\" __global__ void ";
  std::string body = R"( k(Global<f32> p) {
  increaseRegisters<232>();
  storeGlobal(p + threadIndex(), 1);
})";
  EXPECT_THAT(gateOf(head + body, "sm_90a", 128),
              HasSubstr("expected no performance lost in the assembler, got C7508: "));
  EXPECT_EQ(gateOf(head + "__launch_bounds__(128, 1)" + body, "sm_90a", 128, "8"), "no error");
}

} // namespace
} // namespace sluice
