// Time from a spec to the first result, time of a whole cached run, and peak memory of a long one. Times are the
// best of several, since the machine may be busy.

#include "codegen/Jit.h"
#include "runtime/Files.h"
#include "runtime/Launch.h"
#include "runtime/Safetensors.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>

namespace sluice {
namespace {

namespace fs = std::filesystem;

TensorMap inputsOf(int64_t tokens, int64_t heads, int64_t dim, bool gradients) {
  TensorMap tensors;
  auto add = [&](const char *name, Shape shape, float scale) {
    Tensor tensor = Tensor::empty(DType::f32, std::move(shape));
    for (int64_t i = 0; i < tensor.elements(); ++i)
      tensor.data<float>()[i] = scale * static_cast<float>(1 + i % 7);
    tensors[name] = tensor;
  };
  for (const char *name : {"q", "k", "v"})
    add(name, {1, tokens, heads, dim}, 0.02f);
  add("g", {1, tokens, heads}, -0.01f);
  add("beta", {1, tokens, heads}, 0.1f);
  if (gradients)
    add("do", {1, tokens, heads, dim}, 0.1f);
  return tensors;
}

double best(int repeats, const std::function<void()> &body) {
  double seconds = 1e9;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    auto begin = std::chrono::steady_clock::now();
    body();
    seconds = std::min(
        seconds, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return seconds;
}

/// A field of /proc/self/status, in bytes.
int64_t statusBytes(const std::string &field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field + ":"))
      return std::stoll(line.substr(field.size() + 1)) * 1024;
  return -1;
}

std::string freshFolder(const std::string &name) {
  fs::path folder = fs::path(SLUICE_BINARY_DIR) / "test" / "limits" / name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder.string();
}

// Cold: at most 1.5 s; from the cache: 50 ms. The process has its libraries loaded.
TEST(Limits, SpecToFirstResult) {
  std::string folder = freshFolder("first-result");
  Spec spec = loadSpec("gated_delta_rule");
  TensorMap inputs = inputsOf(64, 1, 128, false);
  CompileOptions options;
  options.keyDim = options.valueDim = 128;
  options.entries = chunkForward;
  auto first = [&] {
    LoadedPackage kernels(getPackage(spec, options));
    run(kernels, inputs, false, {});
  };
  compiler();
  int cold = 0;
  EXPECT_LE(best(3, [&] {
    setenv("SLUICE_CACHE", (folder + "/" + std::to_string(cold++)).c_str(), 1);
    first();
  }), 1.5);
  EXPECT_LE(best(3, first), 0.05);
}

TEST(Limits, WholeCachedRun) {
  std::string folder = freshFolder("cached-run");
  writeSafetensors(folder + "/in", inputsOf(64, 1, 128, false));
  std::string command = "SLUICE_CACHE='" + folder + "/cache' '" + SLUICE_BINARY_DIR +
                        "/bin/sluice' run gated_delta_rule --in '" + folder + "/in' --out '" +
                        folder + "/out'";
  auto runOnce = [&] { ASSERT_EQ(std::system(command.c_str()), 0); };
  runOnce();
  EXPECT_LE(best(3, runOnce), 0.2);
}

/// Forward and backward at T = 32768: at most three times arguments, results and gradients.
void expectPeakMemory(Form form) {
  TensorMap inputs = inputsOf(32768, 4, 128, true);
  CompileOptions options;
  options.keyDim = options.valueDim = 128;
  options.entries = form == Form::chunk ? chunkForward | chunkBackward
                                        : recurrentForward | recurrentBackward;
  LoadedPackage kernels(getPackage(loadSpec("gated_delta_rule"), options));
  int64_t bytes = 0;
  for (const auto &[name, tensor] : inputs)
    bytes += tensor.bytes();
  // Resets the peak, which is of the process's whole life.
  std::ofstream("/proc/self/clear_refs") << "5";
  int64_t before = statusBytes("VmRSS");
  TensorMap outputs = run(kernels, inputs, true, {form, 0});
  int64_t peak = statusBytes("VmHWM") - before;
  for (const auto &[name, tensor] : outputs)
    bytes += tensor.bytes();
  testing::Test::RecordProperty("peak", std::to_string(peak));
  testing::Test::RecordProperty("tensors", std::to_string(bytes));
  EXPECT_GT(peak, bytes / 3);
  EXPECT_LE(peak, 3 * bytes) << "of " << bytes << " bytes of arguments, results and gradients";
}

TEST(Limits, PeakMemoryOfTheChunkForm) { expectPeakMemory(Form::chunk); }
TEST(Limits, PeakMemoryOfTheRecurrentForm) { expectPeakMemory(Form::recurrent); }

} // namespace
} // namespace sluice
