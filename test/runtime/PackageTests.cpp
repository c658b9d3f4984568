// Package files and the disk cache: round trip, damage, other CPUs, several processes, folders that cannot be used.

#include "runtime/Error.h"
#include "runtime/Files.h"
#include "runtime/Launch.h"
#include "runtime/PackageCache.h"
#include "test/runtime/TestPackage.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class Package : public testing::Test {
protected:
  std::string folder = test::freshFolder(
      std::string("package-") + testing::UnitTest::GetInstance()->current_test_info()->name());
  std::string path = folder + "/test.sluice";

  std::string errorOfLoading() {
    try {
      loadPackage(path);
    } catch (const UserError &error) {
      return error.what();
    }
    return "no error";
  }

  std::vector<fs::path> files() {
    return {fs::directory_iterator(folder), fs::directory_iterator()};
  }

  void overwrite(const fs::path &file, std::streamoff offset) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(offset);
    stream.put('#');
  }
};

TEST_F(Package, RoundTrip) {
  KernelPackage package = test::testPackage(40);
  package.specText = "text with \"quotes\"\n";
  savePackage(package, path);
  EXPECT_TRUE(isPackageFile(path));
  KernelPackage loaded = loadPackage(path);
  EXPECT_EQ(loaded.code, package.code);
  EXPECT_EQ(loaded.specText, package.specText);
  EXPECT_EQ(loaded.valueBlock, package.valueBlock);
  EXPECT_EQ(loaded.notChunkable, package.notChunkable);
  ASSERT_EQ(loaded.arguments.size(), 5u);
  EXPECT_TRUE(loaded.arguments[4].gate);
  ASSERT_EQ(loaded.entries.size(), 2u);
  ASSERT_EQ(loaded.entries[1].ports.size(), package.entries[1].ports.size());
  for (size_t i = 0; i < loaded.entries[1].ports.size(); ++i) {
    EXPECT_EQ(loaded.entries[1].ports[i].role, package.entries[1].ports[i].role);
    EXPECT_EQ(loaded.entries[1].ports[i].every, package.entries[1].ports[i].every);
  }
  TensorMap inputs = test::testInputs({1, 3, 1, 1, 40, {}});
  EXPECT_TRUE(run(LoadedPackage(loaded), inputs, true, {Form::recurrent, 1}).count("dq"));
}

KernelPackage devicePackage() {
  KernelPackage package = test::testPackage(16);
  package.target = "sm_90a";
  LaunchRecord record;
  record.kernel = "scan_entry";
  record.grid[0] = "4 * 2";
  package.kernels.push_back({"scan", "sm_80", record, "source with \"quotes\"", {}});
  package.kernels[0].binaries["sm_90"] = {"later", {32, 0, 0, 0, 16, 2}};
  package.kernels[0].binaries["sm_80"] = {std::string("first\0one", 9), {40, 4, 8, 12, 0, 1}};
  package.kernels.push_back({"reduce", "sm_90a", record, "", {}});
  package.kernels[1].binaries["sm_90a"] = {"", {}};
  package.entries[0].launches = {"scan", "reduce"};
  return package;
}

TEST_F(Package, DeviceKernels) {
  KernelPackage package = devicePackage();
  savePackage(package, path);
  KernelPackage loaded = loadPackage(path);
  EXPECT_EQ(loaded.code, package.code);
  EXPECT_EQ(loaded.entries[0].launches, package.entries[0].launches);
  EXPECT_TRUE(loaded.entries[1].launches.empty());
  ASSERT_NE(loaded.findKernel("reduce"), nullptr);
  EXPECT_EQ(loaded.findKernel("reduce")->target, "sm_90a");
  EXPECT_EQ(loaded.findKernel("other"), nullptr);
  const DeviceKernel &scan = *loaded.findKernel("scan");
  EXPECT_EQ(scan.source, package.kernels[0].source);
  EXPECT_EQ(toJson(scan.record), toJson(package.kernels[0].record));
  ASSERT_EQ(scan.binaries.size(), 2u);
  EXPECT_EQ(scan.binaries.at("sm_80").cubin, std::string("first\0one", 9));
  EXPECT_EQ(scan.binaries.at("sm_90").cubin, "later");
  auto figures = [&](const char *architecture) {
    const KernelResources &of = scan.binaries.at(architecture).resources;
    return std::vector{of.registers,  of.spillStoreBytes, of.spillLoadBytes,
                       of.stackBytes, of.sharedBytes,     of.barriers};
  };
  EXPECT_EQ(figures("sm_80"), (std::vector<int64_t>{40, 4, 8, 12, 0, 1}));
  EXPECT_EQ(figures("sm_90"), (std::vector<int64_t>{32, 0, 0, 0, 16, 2}));
}

TEST_F(Package, WithoutDeviceKernelsIsTheFileOfBefore) {
  savePackage(test::testPackage(16), path);
  std::string bytes = readFile(path);
  std::string header = bytes.substr(0, bytes.find(test::testPackage(16).code));
  EXPECT_EQ(header.find("\"kernels\""), std::string::npos);
  EXPECT_EQ(header.find("\"launches\""), std::string::npos);
}

TEST_F(Package, AnyDamageIsFound) {
  savePackage(test::testPackage(16), path);
  std::string whole = readFile(path);
  for (size_t offset : {size_t(20), size_t(30), size_t(60), whole.size() / 2, whole.size() - 1}) {
    writeFile(path, whole);
    overwrite(path, static_cast<std::streamoff>(offset));
    EXPECT_THAT(errorOfLoading(), HasSubstr("the package is damaged")) << offset;
  }
  writeFile(path, whole.substr(0, whole.size() - 1));
  EXPECT_THAT(errorOfLoading(), HasSubstr("the package is damaged"));
  writeFile(path, whole.substr(0, 10));
  EXPECT_THAT(errorOfLoading(), HasSubstr("expected a sluice package, got something else"));
  EXPECT_FALSE(isPackageFile(path));
}

TEST_F(Package, RefusesAnotherCpu) {
  KernelPackage package = test::testPackage(16);
  package.cpuFeatures += " avx9999";
  savePackage(package, path);
  EXPECT_THAT(errorOfLoading(), HasSubstr("made for another CPU: this one lacks avx9999"));
}

TEST_F(Package, CacheKeepsWhatItIsGiven) {
  PackageCache cache(folder + "/deep/er");
  EXPECT_FALSE(cache.find("a"));
  cache.store("a", test::testPackage(16));
  cache.store("b", test::testPackage(40));
  EXPECT_EQ(cache.find("a")->valueDim, 16);
  EXPECT_EQ(cache.find("b")->valueDim, 40);
  EXPECT_FALSE(cache.findText("a"));
  cache.storeText("a", "some\ntext");
  EXPECT_EQ(cache.findText("a"), "some\ntext");
}

TEST_F(Package, CacheReplacesDamagedEntries) {
  PackageCache cache(folder);
  cache.store("a", test::testPackage(16));
  cache.storeText("a", "text");
  for (const fs::path &file : files())
    overwrite(file, static_cast<std::streamoff>(fs::file_size(file)) - 1);
  EXPECT_FALSE(cache.find("a"));
  EXPECT_FALSE(cache.findText("a"));
  cache.store("a", test::testPackage(16));
  cache.storeText("a", "text");
  EXPECT_TRUE(cache.find("a"));
  EXPECT_EQ(cache.findText("a"), "text");
  for (const fs::path &file : files())
    fs::resize_file(file, 0);
  EXPECT_FALSE(cache.find("a"));
  EXPECT_FALSE(cache.findText("a"));
}

// A reader never sees half a package, however many processes write the same one.
TEST_F(Package, CacheServesSeveralProcesses) {
  PackageCache cache(folder);
  KernelPackage package = test::testPackage(16);
  cache.store("a", package);
  std::vector<pid_t> children;
  for (int child = 0; child < 3; ++child) {
    pid_t id = fork();
    if (id == 0) {
      bool intact = true;
      for (int repeat = 0; repeat < 50; ++repeat) {
        cache.store("a", package);
        intact &= cache.find("a").has_value();
      }
      _exit(intact ? 0 : 1);
    }
    children.push_back(id);
  }
  for (pid_t id : children) {
    int status = 1;
    waitpid(id, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(files().size(), 1u);
}

TEST_F(Package, UnusableCacheWarnsOnceAndGoesOn) {
  std::ofstream(folder + "/file") << "not a folder";
  PackageCache cache(folder + "/file");
  testing::internal::CaptureStderr();
  cache.store("a", test::testPackage(16));
  cache.storeText("a", "text");
  EXPECT_FALSE(cache.find("a"));
  std::string warning = testing::internal::GetCapturedStderr();
  EXPECT_THAT(warning, HasSubstr("warning: the cache"));
  EXPECT_EQ(std::count(warning.begin(), warning.end(), '\n'), 1);
}

TEST_F(Package, CacheFolderOfTheEnvironment) {
  auto kept = [&](const char *name) { return fs::exists(folder + "/" + name); };
  setenv("HOME", (folder + "/home").c_str(), 1);
  unsetenv("SLUICE_CACHE");
  unsetenv("XDG_CACHE_HOME");
  PackageCache::standard().storeText("a", "text");
  EXPECT_TRUE(kept("home/.cache/sluice"));
  setenv("XDG_CACHE_HOME", (folder + "/xdg").c_str(), 1);
  PackageCache::standard().storeText("a", "text");
  EXPECT_TRUE(kept("xdg/sluice"));
  setenv("SLUICE_CACHE", (folder + "/own").c_str(), 1);
  PackageCache::standard().storeText("a", "text");
  EXPECT_TRUE(kept("own"));
}

} // namespace
} // namespace sluice
