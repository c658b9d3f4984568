// The interpreter against exact results of every built-in recurrence. Skipped where they are not at hand.

#include "test/interpreter/Programs.h"

#include "runtime/Safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace sluice;
namespace fs = std::filesystem;

namespace {

const fs::path source = SLUICE_SOURCE_DIR;
const fs::path golden = source / ".." / "shared" / "golden";

/// norm(x - exact) / norm(exact), or norm(x) where exact is zero.
double errorRatio(const Tensor &x, const Tensor &exact) {
  double difference = 0, norm = 0;
  const auto *got = x.data<double>();
  const auto *expected = exact.data<float>();
  for (int64_t i = 0; i < exact.elements(); ++i) {
    difference += (got[i] - expected[i]) * (got[i] - expected[i]);
    norm += double(expected[i]) * expected[i];
  }
  return std::sqrt(norm > 0 ? difference / norm : difference);
}

std::vector<std::string> goldenCases() {
  std::vector<std::string> cases;
  std::string suffix = ".in.safetensors";
  if (fs::is_directory(golden))
    for (const auto &entry : fs::directory_iterator(golden))
      if (std::string name = entry.path().filename(); name.ends_with(suffix))
        cases.push_back(name.substr(0, name.size() - suffix.size()));
  std::sort(cases.begin(), cases.end());
  return cases;
}

std::string readText(const fs::path &path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

} // namespace

TEST(Golden, EveryCase) {
  std::vector<std::string> cases = goldenCases();
  if (cases.empty())
    GTEST_SKIP() << "no golden cases beside the checkout";
  for (const std::string &name : cases) {
    SCOPED_TRACE(name);
    std::string recurrence = name.substr(0, name.find('.'));
    test::ParsedProgram program(readText(source / "models" / "recurrences" / (recurrence + ".mlir")));
    ASSERT_TRUE(program);
    TensorMap inputs = readSafetensors(golden / (name + ".in.safetensors")).tensors;
    TensorMap expected = readSafetensors(golden / (name + ".out.safetensors")).tensors;
    TensorMap outputs = recur::interpret(program.get(), inputs, true);
    for (const auto &[tensor, exact] : expected) {
      ASSERT_TRUE(outputs.count(tensor)) << tensor;
      EXPECT_EQ(outputs[tensor].shape, exact.shape) << tensor;
      EXPECT_LT(errorRatio(outputs[tensor], exact), 1e-6) << tensor;
    }
    EXPECT_EQ(outputs.size(), expected.size());
  }
}

TEST(Golden, EveryBuiltinParses) {
  int64_t count = 0;
  for (const auto &entry : fs::directory_iterator(source / "models" / "recurrences")) {
    if (entry.path().extension() != ".mlir")
      continue;
    SCOPED_TRACE(entry.path());
    test::ParsedProgram program(readText(entry.path()));
    ASSERT_TRUE(program);
    EXPECT_EQ(program.get().getSymName(), entry.path().stem().string());
    ++count;
  }
  EXPECT_EQ(count, 15);
}
