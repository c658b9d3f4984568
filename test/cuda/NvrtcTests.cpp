// Finding NVRTC: a toolkit, Python packages, neither.
#include "codegen/cuda/Nvrtc.h"
#include "test/cuda/TestFolder.h"

#include <algorithm>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using test::emptyFolder;
using test::Environment;
using test::errorOf;
using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char *kernel = "extern \"C\" __global__ void k(float *p) { p[threadIdx.x] = 1; }";

TEST(Nvrtc, CompilesFromWhereverItIsFound) {
  std::shared_ptr<const Nvrtc> nvrtc = Nvrtc::find();
  EXPECT_EQ(Nvrtc::find(), nvrtc) << "kept for the process";
  EXPECT_GE(nvrtc->version(), "12.0");
  EXPECT_TRUE(nvrtc->supports("sm_80"));
  EXPECT_TRUE(nvrtc->supports("sm_90"));
  EXPECT_TRUE(nvrtc->supports("sm_90a"));
  EXPECT_FALSE(nvrtc->supports("sm_80a"));
  EXPECT_FALSE(nvrtc->supports("sm_9"));
  NvrtcOutput output = nvrtc->compile(kernel, "k.cu", {}, {"--gpu-architecture=sm_80"});
  EXPECT_TRUE(output.succeeded);
  EXPECT_EQ(output.cubin.substr(1, 3), "ELF");
  EXPECT_THAT(output.ptx, HasSubstr(".visible .entry k("));
}

TEST(Nvrtc, EveryPlaceThatHasOneWorks) {
  int usable = 0;
  for (const std::string &candidate : Nvrtc::candidates())
    if (candidate.find('/') != std::string::npos) {
      EXPECT_TRUE(
          Nvrtc::load(candidate)->compile(kernel, "k.cu", {}, {"--gpu-architecture=sm_90a"}).succeeded)
          << candidate;
      ++usable;
    }
  EXPECT_GE(usable, 1) << "the set-up installs one";
}

TEST(Nvrtc, PythonPackagesOfTheBuildAreFound) {
  EXPECT_THAT(Nvrtc::candidates(), Contains(HasSubstr("/gpu-venv/lib/python3")));
}

TEST(Nvrtc, AChosenFolderIsTheOnlyOne) {
  std::string folder = emptyFolder("chosen");
  fs::path real;
  for (const std::string &candidate : Nvrtc::candidates())
    if (real.empty() && candidate.find('/') != std::string::npos)
      real = candidate;
  {
    Environment none("SLUICE_CUDA", folder);
    EXPECT_TRUE(Nvrtc::candidates().empty());
  }
  fs::create_directories(folder + "/lib64");
  std::string name = real.filename().string().substr(0, std::string("libnvrtc.so.13").size());
  fs::create_symlink(real, folder + "/lib64/" + name);
  Environment toolkit("SLUICE_CUDA", folder);
  ASSERT_EQ(Nvrtc::candidates().size(), 1u);
  EXPECT_EQ(Nvrtc::candidates()[0], fs::canonical(real));
  Environment libraries("SLUICE_CUDA", folder + "/lib64");
  EXPECT_EQ(Nvrtc::candidates().size(), 1u);
  Environment itself("SLUICE_CUDA", real);
  EXPECT_EQ(Nvrtc::candidates()[0], fs::canonical(real));
}

TEST(Nvrtc, EnvironmentsAreSearched) {
  std::string folder = emptyFolder("environments");
  for (const char *path : {"/toolkit/lib64", "/venv/lib/python3.12/site-packages/nvidia/cuda_nvrtc/lib"}) {
    fs::create_directories(folder + path);
    fs::copy_file("/proc/self/cmdline", folder + path + "/libnvrtc.so.12");
  }
  Environment toolkit("CUDA_HOME", folder + "/toolkit"), venv("VIRTUAL_ENV", folder + "/venv");
  std::vector<std::string> candidates = Nvrtc::candidates();
  EXPECT_THAT(candidates[0], EndsWith("/toolkit/lib64/libnvrtc.so.12"));
  EXPECT_THAT(candidates,
              Contains(EndsWith("python3.12/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12")));
  EXPECT_THAT(candidates, Contains("libnvrtc.so.13")) << "the loader's path";
}

TEST(Nvrtc, ThePythonOnThePathIsSearched) {
  std::string folder = emptyFolder("python");
  fs::create_directories(folder + "/real/bin");
  fs::create_directories(folder + "/linked/bin");
  fs::copy_file("/proc/self/cmdline", folder + "/real/bin/python3");
  fs::create_symlink(folder + "/real/bin/python3", folder + "/linked/bin/python3");
  for (const char *path : {"/real/lib/python3.12/dist-packages", "/linked/lib/python3.11/site-packages"}) {
    fs::create_directories(folder + path + "/nvidia/cu13/lib");
    fs::copy_file("/proc/self/cmdline", folder + path + "/nvidia/cu13/lib/libnvrtc.so.13");
  }
  Environment path("PATH", folder + "/none::" + folder + "/linked/bin");
  std::vector<std::string> candidates = Nvrtc::candidates();
  EXPECT_THAT(candidates, Contains(HasSubstr("/linked/lib/python3.11/site-packages/nvidia")));
  EXPECT_THAT(candidates, Contains(HasSubstr("/real/lib/python3.12/dist-packages/nvidia")));
}

TEST(Nvrtc, RefusesWhatIsNone) {
  EXPECT_THAT(errorOf([] { Nvrtc::load("/nowhere/libnvrtc.so.13"); }), HasSubstr("NVRTC cannot be loaded: "));
  EXPECT_THAT(errorOf([] { Nvrtc::load("libz.so.1"); }),
              HasSubstr("expected NVRTC, got a library without nvrtcGetErrorString: libz.so.1"));
}

// In a process of its own: what was found before is kept.
TEST(NvrtcDeathTest, SaysWhereItLooked) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto tryIt = [] {
    std::fputs(errorOf([] { Nvrtc::find(); }).c_str(), stderr);
    std::_Exit(7);
  };
  Environment chosen("SLUICE_CUDA", emptyFolder("nothing"));
  EXPECT_EXIT(tryIt(), testing::ExitedWithCode(7),
              "NVRTC not found: expected libnvrtc.so.13 or .12 in SLUICE_CUDA, got .*/nothing$");
}

} // namespace
} // namespace sluice
