// Every golden case in the recurrent form and at three chunk sizes: values to 1e-5, gradients to 1e-4.
// Without the folder of golden cases there is nothing to run.

#include "codegen/Jit.h"
#include "runtime/Launch.h"
#include "runtime/Safetensors.h"

#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>

namespace sluice {
namespace {

namespace fs = std::filesystem;

const fs::path folder = fs::path(SLUICE_SOURCE_DIR) / ".." / "shared" / "golden";

struct GoldenCase {
  std::string name;  // RECURRENCE.CASE
  int64_t chunk;     // 0: the recurrent form.

  std::string recurrence() const { return name.substr(0, name.find('.')); }
};

void PrintTo(const GoldenCase &golden, std::ostream *out) {
  *out << golden.name << " at chunk " << golden.chunk;
}

std::vector<GoldenCase> findCases() {
  const std::string ending = ".in.safetensors";
  std::vector<GoldenCase> cases;
  std::error_code none;
  for (const fs::directory_entry &file : fs::directory_iterator(folder, none)) {
    std::string name = file.path().filename().string();
    if (!name.ends_with(ending))
      continue;
    for (int64_t chunk : {0, 16, 64, 128})
      cases.push_back({name.substr(0, name.size() - ending.size()), chunk});
  }
  std::sort(cases.begin(), cases.end(), [](const GoldenCase &a, const GoldenCase &b) {
    return std::tie(a.name, a.chunk) < std::tie(b.name, b.chunk);
  });
  return cases;
}

std::string nameOf(const testing::TestParamInfo<GoldenCase> &info) {
  std::string name = info.param.name;
  for (char &letter : name)
    if (!std::isalnum(static_cast<unsigned char>(letter)))
      letter = '_';
  return name + (info.param.chunk ? "_chunk" + std::to_string(info.param.chunk) : "_recurrent");
}

/// The ratio of norms, or the largest element where the exact tensor is zero; NaN stays NaN.
double errorOf(const Tensor &computed, const Tensor &exact) {
  double difference = 0, norm = 0, largest = 0;
  for (int64_t i = 0; i < exact.elements(); ++i) {
    double got = computed.data<float>()[i], expected = exact.data<float>()[i];
    difference += (got - expected) * (got - expected);
    norm += expected * expected;
    largest = std::isnan(got) ? got : std::max(largest, std::fabs(got));
  }
  return norm > 0 ? std::sqrt(difference / norm) : largest;
}

class Golden : public testing::TestWithParam<GoldenCase> {};

TEST_P(Golden, MatchesFloat64) {
  const GoldenCase &golden = GetParam();
  std::string path = (folder / golden.name).string();
  TensorMap inputs = readSafetensors(path + ".in.safetensors").tensors;
  TensorMap exact = readSafetensors(path + ".out.safetensors").tensors;
  Spec spec = loadSpec(golden.recurrence());
  RecurrenceInfo info = getDescription(spec);
  if (golden.chunk && !info.chunkable)
    GTEST_SKIP() << info.notChunkable;

  Sizes sizes = checkTensors({info.arguments, info.results}, viewsOf(inputs), true);
  CompileOptions options;
  options.keyDim = sizes.keyDim;
  options.valueDim = sizes.valueDim;
  options.chunk = golden.chunk ? golden.chunk : 64;
  options.entries = golden.chunk ? chunkForward | chunkBackward
                                 : recurrentForward | recurrentBackward;
  LoadedPackage kernels(getPackage(spec, options));
  Form form = golden.chunk ? Form::chunk : Form::recurrent;
  TensorMap computed = run(kernels, inputs, true, {form, 0});

  for (const auto &[name, tensor] : exact) {
    ASSERT_TRUE(computed.count(name)) << name;
    ASSERT_EQ(computed[name].shape, tensor.shape) << name;
    bool gradient = inputs.count(name.substr(1)) && name[0] == 'd';
    EXPECT_LE(errorOf(computed[name], tensor), gradient ? 1e-4 : 1e-5) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::ValuesIn(findCases()), nameOf);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Golden);

} // namespace
} // namespace sluice
