// Two hundred random programs, each compiled and run in both forms: values and gradients against the
// interpreter. SLUICE_RANDOM_SEED=N tests program N alone and prints it; SLUICE_RANDOM_FIRST=N starts at N.

#include "test/random/ProgramGenerator.h"

#include "codegen/Jit.h"
#include "runtime/Error.h"
#include "runtime/Launch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <random>

using namespace sluice;

namespace {

constexpr uint64_t programs = 200, blocks = 20;
constexpr double valueTolerance = 1e-5, gradientTolerance = 1e-4;
/// Tensors whose root mean square is below this are compared absolutely: they are what cancellation left.
constexpr double smallestScale = 1e-2;

/// How the tensors of one program are laid out; varies with the seed.
struct Layout {
  int64_t batch = 1, tokens = 40, chunk = 16, keyHeads = 1, valueHeads = 1, keyDim = 16, valueDim = 16;
  bool packed = false, initialState = false, strongGates = false;

  explicit Layout(uint64_t seed) {
    packed = seed % 3 == 0;
    batch = packed || seed % 3 == 1 ? 1 : 2;
    valueHeads = seed % 4 == 0 ? 2 : 1;
    initialState = seed % 2 == 0;
    strongGates = seed % 5 == 0;
    if (seed % 7 == 0)
      keyDim = 20, valueDim = 17;
    // Beyond 16 tokens, channel gates are anchored in sub-blocks and the inverse is merged of blocks.
    if (seed % 4 == 1)
      chunk = 32, tokens = 70;
    if (seed % 8 == 3)
      chunk = 64, tokens = 100;
  }
  int64_t sequences() const { return packed ? 4 : batch; }
};

class Drawer {
public:
  Drawer(const Layout &layout, uint64_t seed) : layout(layout), random(seed) {}

  TensorMap draw(const RecurrenceInfo &info) {
    TensorMap inputs;
    for (const TensorSpec &spec : info.arguments)
      inputs[spec.name] = drawArgument(spec);
    for (const TensorSpec &spec : info.results)
      inputs["d" + spec.name] = fill(shapeOf(spec, layout.valueHeads), [&] { return normal(random); });
    Shape state = {layout.sequences(), layout.valueHeads, layout.keyDim, layout.valueDim};
    if (layout.initialState)
      inputs["initial_state"] = fill(state, [&] { return 0.3 * normal(random); });
    inputs["dfinal_state"] = fill(state, [&] { return normal(random); });
    if (layout.packed) {
      inputs["cu_seqlens"] = Tensor::empty(DType::i64, {5});
      int64_t starts[] = {0, 17, 17, 18, layout.tokens};
      std::copy_n(starts, 5, inputs["cu_seqlens"].data<int64_t>());
    }
    return inputs;
  }

private:
  Shape shapeOf(const TensorSpec &spec, int64_t heads) const {
    Shape shape = spec.perHead ? Shape{} : Shape{layout.batch, layout.tokens};
    shape.push_back(heads);
    if (spec.kind == Kind::key || spec.kind == Kind::matrix)
      shape.push_back(layout.keyDim);
    if (spec.kind == Kind::value || spec.kind == Kind::matrix)
      shape.push_back(layout.valueDim);
    return shape;
  }

  template <typename F> static Tensor fill(const Shape &shape, F next) {
    Tensor tensor = Tensor::empty(DType::f32, shape);
    for (int64_t i = 0; i < tensor.elements(); ++i)
      tensor.data<float>()[i] = static_cast<float>(next());
    return tensor;
  }

  double gate() {
    if (layout.strongGates && random() % 16 == 0)
      return random() % 2 ? -80 : -1000;
    return -std::log1p(std::exp(-(normal(random) + 2)));
  }

  Tensor drawArgument(const TensorSpec &spec) {
    bool shared = spec.kind == Kind::key && !spec.perHead;
    Shape shape = shapeOf(spec, shared ? layout.keyHeads : layout.valueHeads);
    if (spec.draw == "gate")
      return fill(shape, [&] { return gate(); });
    if (spec.draw == "sigmoid")
      return fill(shape, [&] { return 1 / (1 + std::exp(-normal(random))); });
    double scale = spec.draw == "constant" ? 0.1 : spec.draw == "unit" ? 1 / std::sqrt(layout.keyDim) : 1;
    return fill(shape, [&] { return scale * normal(random); });
  }

  const Layout &layout;
  std::mt19937_64 random;
  std::normal_distribution<double> normal;
};

double errorRatio(const Tensor &computed, const Tensor &exact) {
  Tensor wide = converted(computed.view(), DType::f64);
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < exact.elements(); ++i) {
    double expected = exact.data<double>()[i];
    difference += std::pow(wide.data<double>()[i] - expected, 2);
    norm += expected * expected;
  }
  double floor = smallestScale * smallestScale * static_cast<double>(exact.elements());
  return difference == 0 ? 0 : std::sqrt(difference / std::max(norm, floor));
}

void compareForm(const LoadedPackage &kernels, const TensorMap &inputs, const TensorMap &exact, Form form) {
  TensorMap computed = run(kernels, inputs, true, {form, 1});
  ASSERT_EQ(computed.size(), exact.size());
  for (const auto &[name, expected] : exact) {
    ASSERT_TRUE(computed.count(name)) << name;
    bool gradient = name[0] == 'd';
    // Written so that NaN fails.
    double error = errorRatio(computed[name], expected);
    EXPECT_TRUE(error < (gradient ? gradientTolerance : valueTolerance))
        << name << ": error " << error << (form == Form::chunk ? " by chunks" : " token by token");
  }
}

void checkProgram(uint64_t seed) {
  test::GeneratedProgram program = test::generateProgram(seed);
  SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + program.text);
  Layout layout(seed);
  Spec spec{program.text, "seed " + std::to_string(seed), ""};
  RecurrenceInfo info = compiler().describe(spec);
  EXPECT_EQ(info.chunkable, program.chunkable) << info.notChunkable;
  CompileOptions options;
  options.keyDim = layout.keyDim;
  options.valueDim = layout.valueDim;
  options.chunk = layout.chunk;
  LoadedPackage kernels(compiler().compile(spec, options));
  TensorMap inputs = Drawer(layout, seed).draw(info);
  TensorMap exact = compiler().interpret(spec, inputs, true);
  if (info.chunkable)
    compareForm(kernels, inputs, exact, Form::chunk);
  compareForm(kernels, inputs, exact, Form::recurrent);
}

uint64_t numberFrom(const char *variable, uint64_t otherwise) {
  const char *text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

class RandomPrograms : public testing::TestWithParam<uint64_t> {};

} // namespace

TEST_P(RandomPrograms, AgreeWithTheInterpreter) {
  if (uint64_t alone = numberFrom("SLUICE_RANDOM_SEED", 0)) {
    if (GetParam() == 0)
      checkProgram(alone);
    return;
  }
  uint64_t first = numberFrom("SLUICE_RANDOM_FIRST", 1) + GetParam() * (programs / blocks);
  for (uint64_t seed = first; seed < first + programs / blocks; ++seed)
    EXPECT_NO_THROW(checkProgram(seed)) << "seed " << seed;
}

INSTANTIATE_TEST_SUITE_P(Blocks, RandomPrograms, testing::Range<uint64_t>(0, blocks));

TEST(ProgramGenerator, RepeatsItself) {
  EXPECT_EQ(test::generateProgram(5).text, test::generateProgram(5).text);
  EXPECT_NE(test::generateProgram(5).text, test::generateProgram(6).text);
  if (uint64_t seed = numberFrom("SLUICE_RANDOM_SEED", 0))
    std::puts(test::generateProgram(seed).text.c_str());
}
