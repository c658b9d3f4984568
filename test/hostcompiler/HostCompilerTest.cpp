// The host compiler of the emulated backend: which one is found, what its flags mean, the cache, and its errors.
#include "codegen/cuda/CompilerLog.h"
#include "codegen/cuda/HostCompiler.h"

#include "codegen/cuda/Process.h"
#include "runtime/Error.h"
#include "runtime/Files.h"

#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace sluice;
using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace fs = std::filesystem;

namespace {

std::string messageOf(const std::function<void()> &action) {
  try {
    action();
  } catch (const UserError &error) {
    return error.what();
  }
  return "";
}

/// Calls `answer`, an extern "C" function without arguments.
template <class T> T callAnswer(const std::string &object) {
  void *library = dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    throw std::runtime_error(dlerror());
  auto *answer = reinterpret_cast<T (*)()>(dlsym(library, "answer"));
  T value = answer();
  dlclose(library);
  return value;
}

KernelSource answering(const std::string &body, const std::string &type = "int") {
  return {"answer.cu",
          "#define EXPORT extern \"C\" __attribute__((visibility(\"default\")))\nEXPORT " + type +
              " answer() {\n" + body + "\n}\n",
          {}};
}

/// Every test has a cache and an environment of its own.
class HostCompilerTest : public ::testing::Test {
protected:
  void SetUp() override {
    for (const char *name : {"PATH", "SLUICE_CACHE", "SLUICE_HOST_CXX", "TMPDIR"})
      if (const char *value = std::getenv(name))
        saved[name] = value;
    unsetenv("SLUICE_HOST_CXX");
    std::string pattern = fs::temp_directory_path() / "host-compiler-XXXXXX";
    folder = mkdtemp(pattern.data());
    setenv("SLUICE_CACHE", (folder + "/cache").c_str(), 1);
  }
  void TearDown() override {
    for (const char *name : {"PATH", "SLUICE_CACHE", "SLUICE_HOST_CXX", "TMPDIR"})
      saved.count(name) ? setenv(name, saved[name].c_str(), 1) : unsetenv(name);
    fs::remove_all(folder);
  }
  /// A program that passes its arguments on to the compiler, and can be told from it.
  std::string wrapCompiler(const std::string &name) {
    std::string path = folder + "/" + name;
    std::ofstream(path) << "#!/bin/sh\nexec " << findHostCompiler().path << " \"$@\"\n";
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }
  std::map<std::string, std::string> saved;
  std::string folder;
};

TEST_F(HostCompilerTest, WithoutAnyCompilerOneLineSaysSo) {
  setenv("PATH", folder.c_str(), 1);
  EXPECT_EQ(messageOf([] { findHostCompiler(); }),
            "expected a C++ compiler for the emulated backend (clang++-22, clang++ or g++ on PATH, or "
            "SLUICE_HOST_CXX), got none");
  EXPECT_NE(messageOf([] { compileForEmulator(answering("return 1;")); }), "");
}

TEST_F(HostCompilerTest, TheEnvironmentChoosesFirst) {
  std::string path = wrapCompiler("own-compiler");
  setenv("SLUICE_HOST_CXX", path.c_str(), 1);
  HostCompiler found = findHostCompiler();
  EXPECT_EQ(found.path, path);
  EXPECT_THAT(found.text(), StartsWith(path + " ("));
  EXPECT_EQ(callAnswer<int>(compileForEmulator(answering("return 7;")).path), 7);
}

TEST_F(HostCompilerTest, ANameInTheEnvironmentIsSearchedOnThePath) {
  std::string path = wrapCompiler("own-compiler");
  setenv("PATH", (folder + ":" + saved["PATH"]).c_str(), 1);
  setenv("SLUICE_HOST_CXX", "own-compiler", 1);
  EXPECT_EQ(findHostCompiler().path, path);
}

TEST_F(HostCompilerTest, AWrongChoiceInTheEnvironmentIsNamed) {
  setenv("SLUICE_HOST_CXX", "/nowhere/cxx", 1);
  EXPECT_EQ(messageOf([] { findHostCompiler(); }),
            "SLUICE_HOST_CXX: expected a C++ compiler, got '/nowhere/cxx', which is not there");
  setenv("SLUICE_HOST_CXX", "/bin", 1);
  EXPECT_EQ(messageOf([] { findHostCompiler(); }),
            "SLUICE_HOST_CXX: expected a C++ compiler, got '/bin', which is a folder");
  setenv("SLUICE_HOST_CXX", "/dev/null", 1);
  EXPECT_EQ(messageOf([] { findHostCompiler(); }),
            "SLUICE_HOST_CXX: expected a C++ compiler, got '/dev/null', which is not executable");
  setenv("SLUICE_HOST_CXX", "/bin/false", 1);
  EXPECT_EQ(messageOf([] { findHostCompiler(); }),
            "expected a C++ compiler, got '/bin/false', which does not answer to --version");
}

TEST_F(HostCompilerTest, AProgramThatCompilesNothingIsNamed) {
  std::string path = folder + "/silent";
  for (const auto &[end, reason] : {std::pair("exit 0", "wrote no object"),
                                    std::pair("exit 3", "ended with status 3 and said nothing"),
                                    std::pair("kill -TERM $$", "ended with status 143 and said nothing")}) {
    std::ofstream(path) << "#!/bin/sh\ncase \"$*\" in --version) echo silent; exit 0;; esac\n" << end << "\n";
    fs::permissions(path, fs::perms::owner_all);
    setenv("SLUICE_HOST_CXX", path.c_str(), 1);
    setenv("TMPDIR", folder.c_str(), 1);
    EXPECT_EQ(messageOf([] { compileForEmulator(answering("return 1;")); }),
              "expected a C++ compiler, got '" + path + "', which " + reason);
    for (const auto &entry : fs::directory_iterator(folder))
      EXPECT_FALSE(entry.path().filename().string().starts_with("sluice-")) << "a folder was left";
  }
}

TEST_F(HostCompilerTest, OrderOfTheCandidates) {
  for (const char *name : {"g++", "clang++", "clang++-22"}) {
    std::string path = wrapCompiler(name);
    setenv("PATH", (folder + ":" + saved["PATH"]).c_str(), 1);
    EXPECT_EQ(fs::path(findHostCompiler().path).filename(), "clang++-22");
    setenv("PATH", (folder + ":/nowhere").c_str(), 1);
    EXPECT_EQ(findHostCompiler().path, path) << "the first candidate of those that are there";
    setenv("PATH", saved["PATH"].c_str(), 1);
  }
}

TEST_F(HostCompilerTest, ASecondCompilationIsFound) {
  EmulatedObject first = compileForEmulator(answering("return 42;"));
  EmulatedObject second = compileForEmulator(answering("return 42;"));
  EXPECT_FALSE(first.cached);
  EXPECT_TRUE(second.cached);
  EXPECT_EQ(first.path, second.path);
  EXPECT_THAT(first.path, StartsWith(folder + "/cache/"));
  EXPECT_EQ(callAnswer<int>(second.path), 42);
}

TEST_F(HostCompilerTest, WhatTheObjectDependsOnIsInTheKey) {
  KernelSource source = answering("return VALUE;");
  source.defines = {"VALUE=1"};
  EmulatedObject one = compileForEmulator(source);
  source.defines = {"VALUE=2"};
  EmulatedObject two = compileForEmulator(source);
  EXPECT_FALSE(two.cached);
  EXPECT_EQ(callAnswer<int>(one.path), 1);
  EXPECT_EQ(callAnswer<int>(two.path), 2);
  source.name = "other.cu";
  EXPECT_FALSE(compileForEmulator(source).cached);
  source.text += "\n";
  EXPECT_FALSE(compileForEmulator(source).cached);
  setenv("SLUICE_HOST_CXX", wrapCompiler("another").c_str(), 1);
  EXPECT_FALSE(compileForEmulator(source).cached);
  EXPECT_TRUE(compileForEmulator(source).cached);
}

TEST_F(HostCompilerTest, ADamagedObjectIsMadeAnew) {
  EmulatedObject first = compileForEmulator(answering("return 5;"));
  fs::resize_file(first.path, fs::file_size(first.path) / 2);
  EmulatedObject second = compileForEmulator(answering("return 5;"));
  EXPECT_FALSE(second.cached);
  EXPECT_EQ(callAnswer<int>(second.path), 5);
}

TEST_F(HostCompilerTest, DamagedHeadersAreWrittenAnew) {
  fs::path header = fs::path(deviceHeaderFolder()) / "codegen/cuda/device/Types.h";
  ASSERT_TRUE(fs::exists(header));
  std::ofstream(header) << "#error damaged\n";
  KernelSource source = answering("return sizeof(sluice::device::u64);");
  source.text = "#include \"Types.h\"\n" + source.text;
  EXPECT_EQ(callAnswer<int>(compileForEmulator(source).path), 8);
}

TEST_F(HostCompilerTest, ACacheThatCannotBeWrittenIsDoneWithout) {
  setenv("SLUICE_CACHE", "/dev/null/cache", 1);
  testing::internal::CaptureStderr();
  EmulatedObject object = compileForEmulator(answering("return 3;"));
  std::string warning = testing::internal::GetCapturedStderr();
  EXPECT_EQ(callAnswer<int>(object.path), 3);
  EXPECT_THAT(warning, HasSubstr("the cache '/dev/null/cache' is not used"));
}

TEST_F(HostCompilerTest, WithoutTemporaryFoldersOneLineSaysSo) {
  setenv("TMPDIR", "/nowhere", 1);
  EXPECT_EQ(messageOf([] { compileForEmulator(answering("return 1;")); }),
            "cannot create a folder in '/nowhere': No such file or directory");
}

TEST_F(HostCompilerTest, ProcessesThatCompileAtOnceDoNotDisturbEachOther) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    pid_t child = fork();
    if (child == 0) {
      int status = 1;
      try {
        status = callAnswer<int>(compileForEmulator(answering("return 11;")).path) == 11 ? 0 : 2;
      } catch (const std::exception &) {
      }
      _exit(status);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_TRUE(compileForEmulator(answering("return 11;")).cached);
  for (const auto &entry : fs::directory_iterator(folder + "/cache"))
    if (entry.is_regular_file())
      EXPECT_THAT(entry.path().extension().string(), ::testing::AnyOf(".so", ".json")) << entry.path();
}

TEST_F(HostCompilerTest, InterruptedCompilationsLeaveNothingInTheCache) {
  auto source = [](int i) { return answering("return " + std::to_string(i) + ";"); };
  bool interrupted = false;
  for (int milliseconds : {10, 40, 80, 160}) {
    pid_t child = fork();
    if (child == 0) {
      // What it leaves there goes with the test.
      setenv("TMPDIR", folder.c_str(), 1);
      _exit(messageOf([&] {
              for (int i = 0; i < 20; ++i)
                compileForEmulator(source(i));
            }).empty()
                ? 0
                : 1);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    interrupted |= WIFSIGNALED(status);
    if (fs::exists(folder + "/cache"))
      for (const auto &entry : fs::directory_iterator(folder + "/cache"))
        if (entry.is_regular_file())
          EXPECT_THAT(entry.path().extension().string(), ::testing::AnyOf(".so", ".json")) << entry.path();
  }
  EXPECT_TRUE(interrupted);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(callAnswer<int>(compileForEmulator(source(i)).path), i);
}

TEST_F(HostCompilerTest, AnErrorNamesFileLineAndLog) {
  std::string message = messageOf([] { compileForEmulator(answering("return missing;")); });
  EXPECT_THAT(message, StartsWith("answer.cu:3: "));
  EXPECT_THAT(message, HasSubstr("missing"));
  EXPECT_EQ(message.find('\n'), std::string::npos);
  size_t at = message.find(", log in ");
  ASSERT_NE(at, std::string::npos);
  std::string log = readFile(message.substr(at + 9));
  EXPECT_THAT(log, StartsWith("# " + findHostCompiler().text()));
  EXPECT_THAT(log, HasSubstr("answer.cu:3:"));
}

TEST_F(HostCompilerTest, FirstErrorWithoutALocation) {
  EXPECT_EQ(firstHostError("ld: cannot find -lxyz\nmore\n", "a.cu"),
            "the host compiler failed: ld: cannot find -lxyz");
  EXPECT_EQ(firstHostError("a.cu:1:2: warning: w\na.cu:3:4: fatal error: e\na.cu:5:6: error: f\n", "a.cu"),
            "a.cu:3: e");
  EXPECT_EQ(firstHostError("H.h:3:4: error: e\na.cu:5:6: error: f\na.cu:7:8: note: n\n", "a.cu"), "H.h:3: e")
      << "another error's lines";
  EXPECT_EQ(firstHostError("a.cu:1:2:   required from\nH.h:1:1: warning: w\nH.h:3:4: error: e\n", "a.cu"),
            "H.h:3: e")
      << "a warning's context";
}

TEST_F(HostCompilerTest, AssertionsWithoutWordsKeepTheCompilers) {
  EXPECT_EQ(firstHostError("a.cu:3:4: error: static assertion failed due to requirement 'N == 3'\n", "a.cu"),
            "a.cu:3: static assertion failed due to requirement 'N == 3'");
  EXPECT_EQ(firstHostError("a.cu:3:4: error: static assertion failed\n", "a.cu"),
            "a.cu:3: static assertion failed");
  EXPECT_EQ(firstDeviceError("a.cu(3): error: static assertion failed\n", "a.cu"),
            "a.cu:3: static assertion failed");
}

/// The flags' meaning, with each compiler that is there.
class FlagsTest : public HostCompilerTest, public ::testing::WithParamInterface<const char *> {
protected:
  void SetUp() override {
    HostCompilerTest::SetUp();
    setenv("SLUICE_HOST_CXX", GetParam(), 1);
    if (!messageOf([] { findHostCompiler(); }).empty())
      GTEST_SKIP() << GetParam() << " is not installed";
  }
};

TEST_P(FlagsTest, LocalsArePoisoned) {
  EmulatedObject object = compileForEmulator(
      answering("unsigned array[4]; asm volatile(\"\" : : \"r\"(array) : \"memory\"); return array[2];", "unsigned"));
  EXPECT_NE(callAnswer<unsigned>(object.path), 0u);
  EXPECT_THAT(callAnswer<unsigned>(object.path), ::testing::AnyOf(0xAAAAAAAAu, 0xFEFEFEFEu));
}

TEST_P(FlagsTest, WhatAHeaderRefusesIsToldWithTheKernelsLine) {
  auto errorOf = [](const std::string &statement) {
    KernelSource source{"t.cu",
                        "#include \"Device.h\"\nSLUICE_KERNEL(t, 128)(Global<const f32> c, Global<f32> g) {\n"
                        "  MmaAccumulator d;\n  d.fill(0);\n  " +
                            statement + "\n}\nSLUICE_EXPORT(t)\n",
                        {}};
    std::string message = messageOf([&] { compileForEmulator(source); });
    return message.substr(0, message.find(", log in "));
  };
  EXPECT_EQ(errorOf("cpAsync<12>(sharedMemory<f32>(0), c);"), "t.cu:5: expected 4, 8 or 16 bytes");
  EXPECT_EQ(errorOf("storeGlobal(c, 1.0f);"), "t.cu:5: expected a destination that is not const");
  EXPECT_EQ(errorOf("storeGlobal(g, d.r(7));"), "t.cu:5: expected an index below the number of registers");
  EXPECT_EQ(errorOf("unrolled<5>([&](auto i) {\n  storeGlobal(g, d.r(i)); });"),
            "t.cu:6: expected an index below the number of registers");
  EXPECT_EQ(errorOf("const Vec<f32, 3> v{1, 2, 3};"), "t.cu:5: expected a vector of 2, 4, 8 or 16 bytes");
  EXPECT_EQ(errorOf("WgmmaAccumulator<8> a;\nauto w = wgmmaDescriptor(sharedMemory<bf16>(0), Swizzle::none, 0, 0);"
                    "\nwgmma(a, w, w, true);"),
            "t.cu:7: expected #include \"wgmma/n<N>.h\"");
  EXPECT_EQ(errorOf("static_assert(sizeof(f32) == 8, \"own: words\");"), "t.cu:5: own: words");
}

TEST_P(FlagsTest, LocalsWithAConstructorArePoisoned) {
  KernelSource source =
      answering("Fragment f; asm volatile(\"\" : : \"r\"(&f) : \"memory\"); return f.data[2];", "unsigned");
  source.text = "struct Fragment {\n__attribute__((always_inline)) Fragment() { state = 1; }\n"
                "int state;\nunsigned data[4];\n};\n" +
                source.text;
  EXPECT_THAT(callAnswer<unsigned>(compileForEmulator(source).path), ::testing::AnyOf(0xAAAAAAAAu, 0xFEFEFEFEu));
}

TEST_P(FlagsTest, ProductsAndSumsAreNotContracted) {
  // The rounded product equals c; a fused one leaves the rounding error, 2^-46.
  EmulatedObject object =
      compileForEmulator(answering("volatile float a = 1.0000001f, b = 1.0000001f, c = 1.00000024f;\n"
                                   "return a * b - c;",
                                   "__attribute__((target(\"fma\"))) float"));
  EXPECT_EQ(callAnswer<float>(object.path), 0.0f);
}

TEST_P(FlagsTest, LoopsAreNotVectorised) {
  KernelSource source{"loop.cu",
                      "extern \"C\" __attribute__((visibility(\"default\"))) void answer(float *a, const float *b) {\n"
                      "  for (int i = 0; i < 4096; ++i) a[i] = a[i] * b[i] + 1.0f;\n}\n",
                      {}};
  std::string object = compileForEmulator(source).path;
  std::string disassembler = "/usr/lib/llvm-22/bin/llvm-objdump";
  ProcessResult result = runProcess({disassembler, "-d", "--disassemble-symbols=answer", object});
  ASSERT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("mulss"));
  EXPECT_EQ(result.output.find("mulps"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Compilers, FlagsTest, ::testing::Values("clang++-22", "g++"),
                         [](const auto &info) { return info.index == 0 ? "Clang" : "Gcc"; });

} // namespace
