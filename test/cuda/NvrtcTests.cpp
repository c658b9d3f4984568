// Finding NVRTC: a toolkit, Python packages, neither.
#include "codegen/cuda/Nvrtc.h"
#include "test/cuda/TestFolder.h"

#include <algorithm>
#include <cstddef>
#include <elf.h>
#include <filesystem>
#include <fstream>
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
  EXPECT_GE(nvrtc->version(), "12.4");
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
  Environment unset("SLUICE_CUDA", "");
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
  Environment unset("SLUICE_CUDA", "");
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
  Environment unset("SLUICE_CUDA", "");
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

/// The message of find() with $SLUICE_CUDA set, from a process of its own: what was found before is kept.
void expectFindFails(const std::string &chosen, const std::string &message) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Environment variable("SLUICE_CUDA", chosen);
  auto tryIt = [] {
    std::fputs(errorOf([] { Nvrtc::find(); }).c_str(), stderr);
    std::_Exit(7);
  };
  EXPECT_EXIT(tryIt(), testing::ExitedWithCode(7), message) << chosen;
}

TEST(NvrtcDeathTest, WhatIsNoPathIsNotFound) {
  expectFindFails("/nowhere/cuda", "^NVRTC not found: .* in SLUICE_CUDA, got /nowhere/cuda$");
  expectFindFails("/dev/null", "^NVRTC not found: .* got /dev/null$");
  expectFindFails("/dev/null/lib", "^NVRTC not found: .* got /dev/null/lib$");
  // The system refuses to look at it, as at a folder of somebody else.
  expectFindFails("/" + std::string(300, 'x'), "^NVRTC not found: .* got /x+$");
}

TEST(NvrtcDeathTest, FilesThatAreNoLibraryAreNamed) {
  std::string folder = emptyFolder("broken"), file = folder + "/libnvrtc.so.13";
  std::ofstream(file) << "text";
  expectFindFails(folder, "^NVRTC cannot be loaded: .*/broken/libnvrtc.so.13: .*$");
  // An ELF file, of which the loader would die.
  fs::copy_file("/proc/self/exe", file, fs::copy_options::overwrite_existing);
  fs::resize_file(file, 100000);
  expectFindFails(folder,
                  "^NVRTC cannot be loaded: expected a whole library, got one cut to 100000 bytes: .*13$");
  fs::resize_file(file, 70);
  expectFindFails(file, "^NVRTC cannot be loaded: expected a whole library, got one cut to 70 bytes: .*13$");
}

TEST(NvrtcDeathTest, LibrariesForOtherProcessorsAreNamed) {
  std::string folder = emptyFolder("foreign"), file = folder + "/libnvrtc.so.13";
  fs::copy_file("/proc/self/exe", file);
  std::fstream machine(file, std::ios::in | std::ios::out | std::ios::binary);
  machine.seekp(offsetof(Elf64_Ehdr, e_machine));
  uint16_t other = EM_S390;
  machine.write(reinterpret_cast<const char *>(&other), sizeof other);
  machine.close();
  expectFindFails(folder, "^NVRTC cannot be loaded: expected a library for this processor, got .*13$");
}

TEST(NvrtcDeathTest, OldOnesArePassedOver) {
  expectFindFails(SLUICE_OLD_NVRTC, "^expected NVRTC 12.4 or newer, got 12.3: .*/OldNvrtc.so$");
  std::string folder = emptyFolder("old");
  fs::create_directories(folder + "/lib64");
  fs::create_symlink(SLUICE_OLD_NVRTC, folder + "/lib64/libnvrtc.so.12");
  Environment toolkit("CUDA_HOME", folder), unset("SLUICE_CUDA", "");
  EXPECT_THAT(Nvrtc::candidates()[0], EndsWith("/OldNvrtc.so"));
  auto tryIt = [] {
    std::string path = Nvrtc::find()->path();
    std::_Exit(path.ends_with("/OldNvrtc.so") ? 1 : 0);
  };
  EXPECT_EXIT(tryIt(), testing::ExitedWithCode(0), "");
}

TEST(NvrtcDeathTest, SaysWhereItLooked) {
  expectFindFails(emptyFolder("nothing"),
                  "^NVRTC not found: expected libnvrtc.so.13 or .12 in SLUICE_CUDA, got .*/nothing$");
}

} // namespace
} // namespace sluice
