// Loading the driver, devices, and every error of every call.
#include "test/cuda/FakeDriver.h"
#include "test/cuda/TestFolder.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using test::Environment;
using test::errorOf;
using test::fake;
using test::fakeDevice;
using test::fakeDriver;
using testing::HasSubstr;
using testing::MatchesRegex;

TEST(Driver, SaysWhatIsMissing) {
  EXPECT_THAT(errorOf([] { cuda::Driver::load("/nowhere/libcuda.so.1"); }),
              HasSubstr("CUDA driver not found: /nowhere/libcuda.so.1: "));
  EXPECT_EQ(errorOf([] { cuda::Driver::load("libz.so.1"); }),
            "expected a CUDA driver, got a library without cuInit: libz.so.1");
}

TEST(DriverDeathTest, TheEnvironmentChoosesTheLibrary) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto tryIt = [] {
    std::string error = errorOf([] { std::fputs(cuda::Driver::find()->version().c_str(), stderr); });
    std::fputs(error.c_str(), stderr);
    std::_Exit(7);
  };
  {
    Environment chosen("SLUICE_LIBCUDA", SLUICE_FAKE_CUDA);
    EXPECT_EXIT(tryIt(), testing::ExitedWithCode(7), "12.8no error");
  }
  Environment chosen("SLUICE_LIBCUDA", "/nowhere/libcuda.so.1");
  EXPECT_EXIT(tryIt(), testing::ExitedWithCode(7), "CUDA driver not found: /nowhere/libcuda.so.1: ");
}

TEST(Driver, AsksTheDriverForWhatItDoesNotExport) {
  std::shared_ptr<const cuda::Driver> driver = cuda::Driver::load(SLUICE_HIDDEN_CUDA);
  std::shared_ptr<cuda::Device> device = cuda::Device::open(driver, 0);
  EXPECT_EQ(device->properties().name, "Fake GPU");
  cuda::Stream stream(device);
  stream.synchronize();
  EXPECT_EQ(errorOf([&] { cuda::Event event(device); }),
            "CUDA: expected a driver with cuEventCreate, got one of version 12.8 without it");
}

TEST(Driver, Devices) {
  std::shared_ptr<cuda::Device> device = fakeDevice();
  const cuda::DeviceProperties &properties = device->properties();
  EXPECT_EQ(properties.name, "Fake GPU");
  EXPECT_EQ(properties.architecture(), "sm_90");
  EXPECT_EQ(properties.multiprocessors, 132);
  EXPECT_EQ(properties.threadsPerMultiprocessor, 2048);
  EXPECT_EQ(properties.registersPerMultiprocessor, 65536);
  EXPECT_EQ(properties.sharedPerBlock, 232448);
  EXPECT_EQ(properties.sharedPerMultiprocessor, 233472);
  EXPECT_EQ(properties.level2Bytes, 50 << 20);
  EXPECT_TRUE(properties.cooperative && properties.clusters && properties.memoryPools);
  EXPECT_EQ(errorOf([] { cuda::Device::open(fakeDriver(), 1); }),
            "expected a CUDA device from 0 to 0, got 1");
  EXPECT_EQ(errorOf([] { cuda::Device::open(fakeDriver(), -1); }),
            "expected a CUDA device from 0 to 0, got -1");
  fake().set("devices", 0);
  EXPECT_EQ(errorOf([] { cuda::Device::open(fakeDriver(), 0); }),
            "expected a CUDA device, the driver finds none");
}

TEST(Driver, ArchitecturesOfADevice) {
  cuda::DeviceProperties ampere{"A", 8, 6}, hopper{"H", 9, 0}, blackwell{"B", 10, 0};
  EXPECT_EQ(architectureFor("sm_80", ampere), "sm_86");
  EXPECT_EQ(architectureFor("sm_80", hopper), "sm_90");
  EXPECT_EQ(architectureFor("sm_90", blackwell), "sm_100");
  EXPECT_EQ(architectureFor("sm_90a", hopper), "sm_90a");
  EXPECT_EQ(errorOf([&] { architectureFor("sm_90", ampere); }),
            "expected a device of sm_90 or newer, got A of sm_86");
  EXPECT_EQ(errorOf([&] { architectureFor("sm_90a", blackwell); }),
            "expected a device of sm_90a, got B of sm_100");
  for (const char *target : {"", "sm_", "cpu", "sm_90b", "sm_90aa", "90"})
    EXPECT_THAT(errorOf([&] { architectureFor(target, hopper); }),
                HasSubstr("expected a target such as sm_80"));
}

TensorMapSpec exampleMap(void *base) {
  return {"x", DType::bf16, base, {64, 100}, {128}, {64, 16}, {1, 1}, TileSwizzle::bytes128, false};
}

/// Calls everything that the runtime ever calls.
void everything() {
  std::shared_ptr<cuda::Device> device = cuda::Device::open(cuda::Driver::load(SLUICE_FAKE_CUDA), 0);
  cuda::Stream stream(device);
  cuda::Memory memory(device, 1024);
  memory.fill(7, stream);
  char bytes[1024];
  memory.write(bytes, sizeof bytes, stream);
  cuda::Event start(device), end(device);
  auto kernel = cuda::Kernel::load(device, "code", "scan");
  BoundLaunch launch = test::plainLaunch();
  launch.sharedBytes = 1 << 16;
  BoundParameter first, second, map;
  first.kind = second.kind = ParameterRecord::Kind::workspace;
  first.workspaceBytes = second.workspaceBytes = 64;
  second.initial = 3;
  map.kind = ParameterRecord::Kind::tensorMap;
  map.map = exampleMap(memory.data());
  launch.parameters = {first, second, map};
  start.record(stream);
  cuda::launch(*kernel, launch, stream);
  end.record(stream);
  end.since(start);
  launch.cluster = {2, 1, 1};
  launch.residency = Residency::cooperative;
  cuda::Graph graph(stream, [&] { cuda::launch(*kernel, launch, stream); });
  graph.launch(stream);
  stream.finished();
  stream.synchronize();
  memory.read(bytes, sizeof bytes, stream);
}

const std::vector<std::string> &allCalls() {
#define NAME_OF(name, symbol, parameters) #name,
  static const std::vector<std::string> names = {SLUICE_CUDA_FUNCTIONS(NAME_OF)};
#undef NAME_OF
  return names;
}

/// What only tidies up: its failure must not hide what went wrong before, and nobody can help it.
bool tidies(const std::string &call) {
  for (const char *name : {"cuCtxPopCurrent", "cuDevicePrimaryCtxRelease", "cuEventDestroy", "cuGraphDestroy",
                           "cuGraphExecDestroy", "cuMemFree", "cuMemPoolDestroy", "cuModuleUnload",
                           "cuStreamDestroy", "cuGetErrorName", "cuGetErrorString"})
    if (call == name)
      return true;
  return false;
}

/// All of CUresult.
constexpr int results[] = {
    1,   2,   3,   4,   5,   6,   7,   8,   34,  36,  46,  100, 101, 102, 200, 201, 202, 205, 206, 207,
    208, 209, 210, 211, 212, 213, 214, 215, 216, 217, 218, 219, 220, 221, 222, 223, 224, 225, 226, 300,
    301, 302, 303, 304, 400, 401, 402, 500, 600, 700, 701, 702, 703, 704, 705, 708, 709, 710, 711, 712,
    713, 714, 715, 716, 717, 718, 719, 720, 721, 800, 801, 802, 803, 804, 805, 806, 807, 808, 809, 810,
    811, 812, 900, 901, 902, 903, 904, 905, 906, 907, 908, 909, 910, 911, 912, 913, 914, 915, 916, 999};

TEST(Driver, TheScenarioCallsEverything) {
  fake().reset();
  EXPECT_EQ(errorOf(everything), "no error");
  for (const std::string &call : allCalls())
    if (!call.starts_with("cuGetError"))
      EXPECT_NE(fake().calls(call), "") << call;
  EXPECT_EQ(fake().live(), 0);
}

TEST(Driver, EveryErrorOfEveryCallIsOneLine) {
  for (const std::string &call : allCalls())
    for (int result : results) {
      fake().reset();
      fake().fail(call.c_str(), result, 0);
      std::string error = errorOf(everything);
      // Not being ready is an answer of this one.
      bool fine = tidies(call) || (call == "cuStreamQuery" && result == 600);
      if (fine)
        EXPECT_EQ(error, "no error") << call << " " << result;
      else
        EXPECT_THAT(error, HasSubstr("CUDA: " + call + ": CUDA_ERROR_")) << call << " " << result;
      ASSERT_EQ(fake().live(), 0) << call << " " << result;
    }
}

TEST(Driver, LaterErrorsLeakNothingEither) {
  for (const std::string &call : allCalls()) {
    fake().reset();
    everything();
    std::string calls = fake().calls(call);
    int executions = static_cast<int>(std::count(calls.begin(), calls.end(), '\n'));
    for (int from = 1; from < executions; ++from)
      for (int result : {2, 700}) {
        fake().reset();
        fake().fail(call.c_str(), result, from);
        std::string error = errorOf(everything);
        // Contexts are pushed for tidying too.
        if (!tidies(call) && call != "cuCtxPushCurrent")
          EXPECT_THAT(error, HasSubstr("CUDA: " + call + ": CUDA_ERROR_")) << call << " " << from;
        ASSERT_EQ(fake().live(), 0) << call << " " << from << " " << result;
      }
  }
}

TEST(Driver, ErrorsWithoutTextAreNumbers) {
  fake().reset();
  fake().fail("cuStreamCreate", 42, 0);
  fake().fail("cuGetErrorName", 1, 0);
  fake().fail("cuGetErrorString", 1, 0);
  EXPECT_EQ(errorOf(everything), "CUDA: cuStreamCreate: error 42");
}

} // namespace
} // namespace sluice
