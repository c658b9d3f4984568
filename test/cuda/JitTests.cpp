// From a package's source to a launch: compiled for the device that is there, loaded, saved with its binary.
#include "codegen/cuda/DeviceCompiler.h"
#include "runtime/KernelPackage.h"
#include "test/cuda/FakeDriver.h"
#include "test/cuda/TestFolder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using test::Environment;
using test::errorOf;
using test::fake;
using testing::HasSubstr;

DeviceKernel fillKernel() {
  DeviceKernel kernel{"fill", "sm_80", {}, "", {}};
  kernel.record.kernel = "fill";
  kernel.record.sizes = {"T"};
  kernel.record.grid[0] = "ceildiv(T, 128)";
  kernel.record.parameters = {{.name = "x", .direction = Direction::write, .shape = {"T"}},
                              {.name = "count", .kind = ParameterRecord::Kind::size, .value = "T"}};
  kernel.source = R"(#include "Device.h"
SLUICE_KERNEL(fill, 128)(Global<f32> x, i64 count) {
  i64 i = i64(blockIndex()) * 128 + threadIndex();
  storeGlobal(x + i, 1.0f, i < count);
}
SLUICE_EXPORT(fill)
)";
  return kernel;
}

TEST(Jit, SourceToLaunch) {
  Environment cache("SLUICE_CACHE", test::emptyFolder("jit"));
  std::shared_ptr<cuda::Device> device = test::fakeDevice();
  DeviceKernel kernel = fillKernel();
  auto loaded = cuda::Kernel::load(device, kernel, compileBinary);
  EXPECT_THAT(fake().calls("cuModuleLoadData"), HasSubstr("\x7f"
                                                          "ELF"));
  cuda::Stream stream(device);
  cuda::Memory memory(device, 300 * 4);
  cuda::launch(*loaded, bindLaunch(kernel.record, {{{"T", 300}}, {{"x", memory.tensor()}}, {}}), stream);
  EXPECT_EQ(fake().calls("cuLaunchKernelEx"), "cuLaunchKernelEx 3 1 1 128 1 1 0 \n");
}

TEST(Jit, PackagesThatHoldTheBinaryNeedNoCompiler) {
  std::string folder = test::emptyFolder("jit-package");
  Environment cache("SLUICE_CACHE", folder);
  KernelPackage package;
  package.kernels = {fillKernel()};
  addBinaries(package.kernels, "sm_90");
  savePackage(package, folder + "/fill.sluice");
  DeviceKernel kernel = *loadPackage(folder + "/fill.sluice").findKernel("fill");
  EXPECT_GT(kernel.record.registersAtLaunch, 0u);
  EXPECT_EQ(kernel.binaries.at("sm_90").resources.spillStoreBytes, 0);
  EXPECT_EQ(errorOf([&] { cuda::Kernel::load(test::fakeDevice(), kernel); }), "no error");
}

TEST(Jit, MistakesOfTheSourceAreTheUsersErrors) {
  Environment cache("SLUICE_CACHE", test::emptyFolder("jit-broken"));
  DeviceKernel kernel = fillKernel();
  kernel.source.replace(kernel.source.find("1.0f"), 4, "one");
  EXPECT_THAT(errorOf([&] { cuda::Kernel::load(test::fakeDevice(), kernel, compileBinary); }),
              HasSubstr("fill.cu:4: identifier \"one\" is undefined"));
}

} // namespace
} // namespace sluice
