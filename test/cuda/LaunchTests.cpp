// What a launch hands to the driver, what is refused before, graphs, faults.
#include "test/cuda/FakeDriver.h"
#include "test/cuda/TestFolder.h"

#include <algorithm>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <thread>

namespace sluice {
namespace {

using test::Environment;
using test::errorOf;
using test::fake;
using test::plainLaunch;
using testing::HasSubstr;
using Kind = ParameterRecord::Kind;

class CudaLaunch : public testing::Test {
protected:
  std::shared_ptr<cuda::Device> device = test::fakeDevice();
  cuda::Stream stream{device};
  std::shared_ptr<const cuda::Kernel> kernel = cuda::Kernel::load(device, "machine code", "scan");

  std::string launchError(const BoundLaunch &launch) {
    return errorOf([&] { cuda::launch(*kernel, launch, stream); });
  }
};

BoundParameter parameter(const std::string &name, Kind kind) {
  BoundParameter bound;
  bound.name = name;
  bound.kind = kind;
  return bound;
}

TEST_F(CudaLaunch, GeometryAndAttributes) {
  BoundLaunch launch = plainLaunch();
  launch.grid = {8, 4, 2};
  cuda::launch(*kernel, launch, stream);
  EXPECT_EQ(fake().calls("cuLaunchKernelEx"), "cuLaunchKernelEx 8 4 2 128 1 1 0 \n");
  EXPECT_EQ(fake().calls("cuModuleLoadData"), "cuModuleLoadData machine code\n");
  EXPECT_EQ(fake().calls("cuModuleGetFunction"), "cuModuleGetFunction scan\n");
  EXPECT_EQ(fake().calls("cuFuncSetAttribute"), "");
  fake().reset();
  launch.cluster = {2, 4, 1};
  launch.residency = Residency::cooperative;
  launch.threads = 384;
  launch.sharedBytes = 200000;
  cuda::launch(*kernel, launch, stream);
  EXPECT_EQ(fake().calls("cuLaunchKernelEx"),
            "cuLaunchKernelEx 8 4 2 384 1 1 200000  cluster 2 4 1 cooperative 1\n");
  EXPECT_EQ(fake().calls("cuFuncSetAttribute"), "cuFuncSetAttribute 8 200000\n");
  // What the device was asked once, it is not asked again.
  fake().reset();
  cuda::launch(*kernel, launch, stream);
  EXPECT_EQ(fake().calls("cuFuncSetAttribute"), "");
  EXPECT_EQ(fake().calls("cuOccupancyMaxActiveClusters"), "");
}

TEST_F(CudaLaunch, WithoutBlocksNothingIsLaunched) {
  for (int axis = 0; axis < 3; ++axis) {
    BoundLaunch launch = plainLaunch();
    launch.grid[axis] = 0;
    cuda::launch(*kernel, launch, stream);
  }
  EXPECT_EQ(fake().calls("cuLaunchKernelEx"), "");
}

TEST_F(CudaLaunch, Parameters) {
  LaunchRecord record;
  record.kernel = "scan";
  record.sizes = {"T"};
  record.grid[0] = "T";
  ParameterRecord x{.name = "x", .kind = Kind::tensor, .dtype = DType::bf16, .shape = {"T", 64}};
  ParameterRecord map{.name = "xMap", .kind = Kind::tensorMap};
  map.map = {"x", {64, "T"}, {64}, {64, 16}, {}, TileSwizzle::bytes64, true};
  ParameterRecord tokens{.name = "tokens", .kind = Kind::size, .dtype = DType::i64, .value = "T"};
  ParameterRecord scale{.name = "scale", .kind = Kind::value, .dtype = DType::f32};
  ParameterRecord counters{.name = "counters", .kind = Kind::workspace, .bytes = "T * 4"};
  counters.initial = "9";
  ParameterRecord scratch{.name = "scratch", .kind = Kind::workspace, .bytes = 100};
  ParameterRecord nothing{.name = "nothing", .kind = Kind::workspace, .bytes = 0};
  record.parameters = {x, map, tokens, scale, counters, scratch, nothing};
  cuda::Memory memory(device, 8 * 64 * 2);
  fake().reset();
  fake().set("parameters", 7);
  fake().set("map", 1);
  fake().set("wide", 0b1110101);
  cuda::launch(*kernel, bindLaunch(record, {{{"T", 8}}, {{"x", memory.tensor()}}, {{"scale", 0.25}}}),
               stream);
  auto word = [](int index) { return *static_cast<const uint64_t *>(fake().parameter(index, 8)); };
  EXPECT_EQ(word(0), reinterpret_cast<uint64_t>(memory.data()));
  EXPECT_EQ(*static_cast<const unsigned char *>(fake().parameter(1, 128)), 0x5a);
  EXPECT_EQ(word(2), 8u);
  EXPECT_EQ(*static_cast<const float *>(fake().parameter(3, 4)), 0.25f);
  EXPECT_NE(word(4), 0u);
  EXPECT_NE(word(5), word(4));
  EXPECT_EQ(word(6), 0u);
  // bf16, dims 64 and 8 with a stride of 128 bytes, box 64 x 16, 64-byte swizzle, L2 promotion, NaN.
  EXPECT_EQ(fake().calls("cuTensorMapEncodeTiled"),
            "cuTensorMapEncodeTiled 9 2 64//64/1 8/128/16/1 0 2 2 1\n");
  EXPECT_EQ(fake().calls("cuMemAllocFromPoolAsync"),
            "cuMemAllocFromPoolAsync 32\ncuMemAllocFromPoolAsync 100\n");
  EXPECT_EQ(fake().calls("cuMemsetD32Async"), "cuMemsetD32Async 9 8\n");
  std::string order = fake().log();
  EXPECT_LT(order.find("cuMemsetD32Async"), order.find("cuLaunchKernelEx"));
  EXPECT_LT(order.find("cuLaunchKernelEx"), order.find("cuMemFreeAsync"));
  EXPECT_EQ(fake().calls("cuMemFreeAsync"), "cuMemFreeAsync\ncuMemFreeAsync\n");
  EXPECT_EQ(fake().calls("cuMemPoolCreate"), "cuMemPoolCreate 1 1 0\n");
}

TEST_F(CudaLaunch, SharedMemoryMustFit) {
  fake().set("staticShared", 1024);
  kernel = cuda::Kernel::load(device, "code", "scan");
  BoundLaunch launch = plainLaunch();
  launch.sharedBytes = 232448 - 1024;
  EXPECT_EQ(launchError(launch), "no error");
  launch.sharedBytes += 1;
  EXPECT_EQ(launchError(launch),
            "kernel 'scan': expected at most 232448 bytes of shared memory in a block of Fake "
            "GPU, got 231425 and 1024 static");
}

TEST_F(CudaLaunch, ThreadsMustFit) {
  fake().set("maxThreads", 256);
  kernel = cuda::Kernel::load(device, "code", "scan");
  BoundLaunch launch = plainLaunch();
  launch.threads = 288;
  EXPECT_EQ(launchError(launch),
            "kernel 'scan': expected at most 256 threads, for which it was compiled, got 288");
  launch.kernel = "other";
  EXPECT_EQ(launchError(launch), "kernel 'scan': expected a launch of this kernel, got one of 'other'");
  EXPECT_EQ(fake().calls("cuLaunchKernelEx"), "");
}

TEST_F(CudaLaunch, BlocksThatWaitMustBeResident) {
  BoundLaunch launch = plainLaunch();
  launch.residency = Residency::cooperative;
  launch.grid = {132, 1, 1};
  EXPECT_EQ(kernel->residentBlocks(launch), 132);
  EXPECT_EQ(launchError(launch), "no error");
  launch.grid = {133, 1, 1};
  EXPECT_EQ(launchError(launch),
            "kernel 'scan': expected at most 132 blocks that wait for each other, what Fake GPU "
            "holds at once, got 133");
  launch.grid = {130, 1, 1};
  launch.residentBlocks = 140;
  EXPECT_THAT(launchError(launch), HasSubstr("got 140"));
  launch.grid = {1000, 1, 1};
  launch.residentBlocks = 132;
  fake().reset();
  EXPECT_EQ(launchError(launch), "no error") << "the others follow";
  EXPECT_EQ(fake().calls("cuLaunchKernelEx").find("cooperative"), std::string::npos);
  launch.residentBlocks = 0;
  launch.cluster = {2, 1, 1};
  launch.grid = {132, 1, 1};
  EXPECT_EQ(launchError(launch), "no error") << "66 clusters of 2";
  launch.grid = {134, 1, 1};
  EXPECT_THAT(launchError(launch), HasSubstr("got 134"));
  launch.residency = Residency::independent;
  EXPECT_EQ(launchError(launch), "no error") << "others come later";
}

TEST_F(CudaLaunch, SharedMemoryIsGrantedBeforeBlocksAreCounted) {
  BoundLaunch launch = plainLaunch();
  launch.residency = Residency::cooperative;
  launch.sharedBytes = 100000;
  fake().reset();
  EXPECT_EQ(kernel->residentBlocks(launch), 132);
  std::string asked = fake().log();
  EXPECT_LT(asked.find("cuCtxPushCurrent"), asked.find("cuFuncSetAttribute 8 100000"));
  EXPECT_LT(asked.find("cuFuncSetAttribute 8 100000"),
            asked.find("cuOccupancyMaxActiveBlocksPerMultiprocessor"));
  EXPECT_LT(asked.find("cuOccupancyMaxActiveBlocksPerMultiprocessor"), asked.find("cuCtxPopCurrent"));
}

TEST_F(CudaLaunch, SomeBlockMustFit) {
  fake().set("blocksPerMultiprocessor", 0);
  EXPECT_EQ(launchError(plainLaunch()),
            "kernel 'scan': expected a block of 128 threads, 64 registers and 0 bytes of "
            "shared memory to fit on Fake GPU, got none resident");
}

TEST_F(CudaLaunch, OldDevices) {
  for (const char *missing : {"cooperative", "clusters", "memoryPools"}) {
    fake().reset();
    fake().set(missing, 0);
    fake().set("major", 8);
    std::shared_ptr<cuda::Device> old = cuda::Device::open(test::fakeDriver(), 0);
    cuda::Stream queue(old);
    auto code = cuda::Kernel::load(old, "code", "scan");
    BoundLaunch launch = plainLaunch();
    std::string expected;
    if (missing == std::string("cooperative")) {
      launch.residency = Residency::cooperative;
      expected = "kernel 'scan': expected a device with cooperative launches, got Fake GPU";
    } else if (missing == std::string("clusters")) {
      launch.cluster = {2, 1, 1};
      expected = "kernel 'scan': expected a device with clusters of blocks, got Fake GPU of sm_80";
    } else {
      launch.parameters = {parameter("work", Kind::workspace)};
      launch.parameters[0].workspaceBytes = 4;
      expected = "expected a device with stream-ordered memory, got Fake GPU";
    }
    EXPECT_EQ(errorOf([&] { cuda::launch(*code, launch, queue); }), expected);
  }
}

TEST_F(CudaLaunch, RefusedTensorMapsAreNamed) {
  fake().fail("cuTensorMapEncodeTiled", 1, 0);
  BoundLaunch launch = plainLaunch();
  launch.parameters = {parameter("xMap", Kind::tensorMap)};
  launch.parameters[0].map.argument = "x";
  EXPECT_THAT(launchError(launch), HasSubstr("tensor map of 'x': CUDA: cuTensorMapEncodeTiled: CUDA_ERROR_"));
}

TEST_F(CudaLaunch, GraphsRecordOnceAndReplay) {
  BoundLaunch launch = plainLaunch();
  launch.parameters = {parameter("work", Kind::workspace)};
  launch.parameters[0].workspaceBytes = 4;
  Environment wait("SLUICE_CUDA_SYNC", "1");
  fake().reset();
  cuda::Graph graph(stream, [&] {
    cuda::launch(*kernel, launch, stream);
    cuda::launch(*kernel, launch, stream);
  });
  std::string recorded = fake().log();
  EXPECT_LT(recorded.find("cuStreamBeginCapture 1"), recorded.find("cuLaunchKernelEx"));
  EXPECT_LT(recorded.rfind("cuLaunchKernelEx"), recorded.find("cuStreamEndCapture"));
  EXPECT_EQ(fake().calls("cuStreamSynchronize"), "") << "a recording must not wait";
  fake().reset();
  graph.launch(stream);
  graph.launch(stream);
  EXPECT_EQ(fake().calls("cuGraphLaunch"), "cuGraphLaunch\ncuGraphLaunch\n");
  EXPECT_EQ(fake().calls("cuLaunchKernelEx"), "");
}

TEST_F(CudaLaunch, WorkspacesOfARecordingHaveTheirPoolBefore) {
  BoundLaunch launch = plainLaunch();
  launch.parameters = {parameter("work", Kind::workspace)};
  launch.parameters[0].workspaceBytes = 4;
  cuda::Graph graph(stream, [&] { cuda::launch(*kernel, launch, stream); });
  std::string log = fake().log();
  EXPECT_LT(log.find("cuMemPoolCreate"), log.find("cuStreamBeginCapture"));
  EXPECT_LT(log.find("cuStreamBeginCapture"), log.find("cuMemAllocFromPoolAsync"));
  EXPECT_LT(log.find("cuMemFreeAsync"), log.find("cuStreamEndCapture"));
}

TEST_F(CudaLaunch, ClustersAreAskedForWithoutOtherAttributes) {
  BoundLaunch launch = plainLaunch();
  launch.cluster = {2, 1, 1};
  launch.residency = Residency::cooperative;
  cuda::launch(*kernel, launch, stream);
  EXPECT_EQ(fake().calls("cuOccupancyMaxActiveClusters"), "cuOccupancyMaxActiveClusters 1\n");
}

TEST_F(CudaLaunch, AFailedRecordingEndsTheCapture) {
  BoundLaunch launch = plainLaunch();
  launch.threads = 2048;
  fake().reset();
  EXPECT_THAT(errorOf([&] { cuda::Graph(stream, [&] { cuda::launch(*kernel, launch, stream); }); }),
              HasSubstr("expected at most 1024 threads"));
  EXPECT_EQ(fake().calls("cuStreamEndCapture"), "cuStreamEndCapture\n");
  EXPECT_EQ(fake().calls("cuGraphDestroy"), "cuGraphDestroy\n");
}

/// A launch with the shapes that messages show.
BoundLaunch shapedLaunch(const std::string &tensor, std::vector<int64_t> shape) {
  BoundLaunch launch = plainLaunch();
  launch.parameters = {parameter(tensor, Kind::tensor), parameter("tokens", Kind::size)};
  launch.parameters[0].shape = std::move(shape);
  return launch;
}

TEST_F(CudaLaunch, FaultsNameTheKernelAndItsShapes) {
  cuda::launch(*kernel, shapedLaunch("x", {2, 70, 4}), stream);
  fake().fail("cuStreamSynchronize", 700, 0);
  EXPECT_EQ(errorOf([&] { stream.synchronize(); }),
            "kernel 'scan' with x [2, 70, 4] faulted: CUDA: cuStreamSynchronize: CUDA_ERROR_ILLEGAL_ADDRESS "
            "(an illegal "
            "memory access was encountered)");
  // Any later call may be the one that answers the fault.
  fake().fail("cuMemAlloc", 719, 0);
  EXPECT_THAT(errorOf([&] { cuda::Memory memory(device, 16); }),
              HasSubstr("kernel 'scan' with x [2, 70, 4] faulted: "));
  fake().fail("cuStreamQuery", 716, 0);
  EXPECT_THAT(errorOf([&] { stream.finished(); }), HasSubstr("kernel 'scan' with x [2, 70, 4] faulted: "));
  // Other errors are nobody's fault.
  fake().fail("cuMemAlloc", 2, 0);
  EXPECT_EQ(errorOf([&] { cuda::Memory memory(device, 16); }),
            "CUDA: cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY (some error)");
}

TEST_F(CudaLaunch, OnlyLaunchesNotWaitedForAreSuspects) {
  cuda::launch(*kernel, shapedLaunch("x", {1}), stream);
  stream.synchronize();
  cuda::launch(*kernel, shapedLaunch("x", {2}), stream);
  EXPECT_TRUE(stream.finished());
  cuda::launch(*kernel, shapedLaunch("x", {3}), stream);
  cuda::launch(*kernel, shapedLaunch("x", {3}), stream);
  fake().fail("cuStreamQuery", 600, 0);
  EXPECT_FALSE(stream.finished());
  fake().fail("cuStreamSynchronize", 700, 0);
  EXPECT_THAT(errorOf([&] { stream.synchronize(); }), HasSubstr("kernel 'scan' with x [3] faulted: CUDA: "));
}

TEST_F(CudaLaunch, SeveralSuspectsAreListed) {
  for (int64_t i = 1; i <= 6; ++i)
    cuda::launch(*kernel, shapedLaunch("x", {i}), stream);
  fake().fail("cuStreamSynchronize", 700, 0);
  EXPECT_THAT(
      errorOf([&] { stream.synchronize(); }),
      HasSubstr(
          "one of these faulted, SLUICE_CUDA_SYNC=1 tells which: kernel 'scan' with x [6]; kernel 'scan' "
          "with x [5]; kernel 'scan' with x [4]; kernel 'scan' with x [3]; 2 more: CUDA: "));
  Environment wait("SLUICE_CUDA_SYNC", "1");
  fake().reset();
  auto other = test::fakeDevice();
  cuda::Stream queue(other);
  auto code = cuda::Kernel::load(other, "code", "scan");
  cuda::launch(*code, shapedLaunch("x", {1}), queue);
  fake().fail("cuStreamSynchronize", 700, 1);
  EXPECT_EQ(errorOf([&] { cuda::launch(*code, shapedLaunch("x", {2}), queue); }),
            "kernel 'scan' with x [2] faulted: CUDA: cuStreamSynchronize: CUDA_ERROR_ILLEGAL_ADDRESS (an "
            "illegal memory access was encountered)");
}

TEST_F(CudaLaunch, WaitingForAGraphBlamesNoneOfItsKernelsAlone) {
  cuda::Graph graph(stream, [&] {
    cuda::launch(*kernel, shapedLaunch("x", {1}), stream);
    cuda::launch(*kernel, shapedLaunch("x", {2}), stream);
  });
  Environment wait("SLUICE_CUDA_SYNC", "1");
  fake().fail("cuStreamSynchronize", 700, 0);
  EXPECT_THAT(errorOf([&] { graph.launch(stream); }),
              HasSubstr("kernel 'scan' with x [2]; kernel 'scan' with x [1]: CUDA: "));
}

TEST_F(CudaLaunch, FaultsInGraphsNameTheirKernels) {
  cuda::Graph graph(stream, [&] { cuda::launch(*kernel, shapedLaunch("x", {5}), stream); });
  fake().fail("cuStreamSynchronize", 700, 0);
  EXPECT_EQ(errorOf([&] { stream.synchronize(); }).find("kernel"), std::string::npos) << "recorded, not run";
  graph.launch(stream);
  EXPECT_THAT(errorOf([&] { stream.synchronize(); }), HasSubstr("kernel 'scan' with x [5] faulted: "));
}

TEST_F(CudaLaunch, ManyThreadsShareAKernel) {
  constexpr int threads = 8, launches = 50;
  int64_t before = fake().live();
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t)
    workers.emplace_back([&, t] {
      cuda::Stream own(device);
      BoundLaunch launch = shapedLaunch("x", {t});
      launch.parameters.push_back(parameter("work", Kind::workspace));
      launch.parameters.back().workspaceBytes = 64;
      for (int i = 0; i < launches; ++i) {
        launch.sharedBytes = static_cast<uint64_t>(50000 + 100 * i + t);
        cuda::launch(*kernel, launch, own);
        if (i % 7 == t % 7)
          own.synchronize();
      }
      own.synchronize();
    });
  for (std::thread &worker : workers)
    worker.join();
  std::string calls = fake().calls("cuLaunchKernelEx");
  EXPECT_EQ(std::count(calls.begin(), calls.end(), '\n'), threads * launches);
  EXPECT_EQ(fake().live(), before + 1) << "the device's pool stays";
  // What the kernel was granted only grew.
  std::istringstream granted(fake().calls("cuFuncSetAttribute"));
  int last = 0, attribute = 0, bytes = 0;
  for (std::string name; granted >> name >> attribute >> bytes; last = bytes)
    EXPECT_GT(bytes, last);
  EXPECT_EQ(last, 50000 + 100 * (launches - 1) + threads - 1);
}

TEST_F(CudaLaunch, MemoryCopiesAndFills) {
  cuda::Memory memory(device, 16);
  uint32_t words[4] = {1, 2, 3, 4}, back[4];
  memory.write(words, 16, stream);
  memory.read(back, 16, stream);
  EXPECT_EQ(std::memcmp(words, back, 16), 0);
  memory.fill(9, stream);
  memory.read(back, 8, stream);
  EXPECT_EQ(back[1], 9u);
  EXPECT_EQ(errorOf([&] { memory.write(words, 17, stream); }),
            "expected at most 16 bytes, what the device memory holds, got 17");
  EXPECT_EQ(errorOf([&] { cuda::Memory(device, 6).fill(1, stream); }),
            "expected device memory of whole 32-bit words, got 6 bytes");
  cuda::Memory nothing(device, 0);
  EXPECT_EQ(nothing.data(), nullptr);
  nothing.read(back, 0, stream);
}

TEST_F(CudaLaunch, PackagesChooseTheBinary) {
  DeviceKernel kernel{"forward", "sm_80", {}, "", {}};
  kernel.record.kernel = "scan";
  kernel.binaries["sm_80"] = {"for 80", {}};
  auto load = [&](const cuda::CompileKernel &compile = {}) {
    fake().reset();
    std::string error = errorOf([&] { cuda::Kernel::load(device, kernel, compile); });
    return error == "no error" ? fake().calls("cuModuleLoadData") : error;
  };
  EXPECT_EQ(
      load(),
      "kernel 'forward': expected code for sm_90 in the package, or its source and a compiler, got code "
      "for sm_80");
  kernel.source = "text";
  auto compile = [](const DeviceKernel &compiled, const std::string &architecture) {
    return DeviceBinary{compiled.source + " for " + architecture, {}};
  };
  EXPECT_EQ(load(compile), "cuModuleLoadData text for sm_90\n");
  kernel.binaries["sm_90"] = {"for 90", {}};
  EXPECT_EQ(load(compile), "cuModuleLoadData for 90\n");
  kernel.target = "sm_90a";
  EXPECT_EQ(load(compile), "cuModuleLoadData text for sm_90a\n");
  kernel.target = "sm_100";
  EXPECT_EQ(load(compile), "kernel 'forward': expected a device of sm_100 or newer, got Fake GPU of sm_90");
  fake().set("major", 8);
  fake().set("minor", 9);
  device = cuda::Device::open(test::fakeDriver(), 0);
  kernel.target = "sm_80";
  kernel.binaries["sm_86"] = {"for 86", {}};
  EXPECT_EQ(load(), "cuModuleLoadData for 86\n") << "runs on its whole generation";
}

} // namespace
} // namespace sluice
