// Bits that must not change: with threads, with what else is in the batch, with NaN elsewhere. With generated kernels, in
// both forms.

#include "codegen/Jit.h"
#include "runtime/Launch.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <random>

namespace sluice {
namespace {

constexpr int64_t chunk = 16, keyHeads = 2, valueHeads = 4, keyDim = 20, valueDim = 24;

struct Kernels {
  RecurrenceInfo info;
  std::unique_ptr<LoadedPackage> loaded;
};

class Invariance : public testing::TestWithParam<std::tuple<std::string, Form>> {
protected:
  Kernels kernels = load(std::get<0>(GetParam()));
  RunOptions options{std::get<1>(GetParam()), 2};
  std::mt19937 random{5};

  static Kernels load(const std::string &name) {
    Spec spec = loadSpec(name);
    CompileOptions compile;
    compile.keyDim = keyDim;
    compile.valueDim = valueDim;
    compile.chunk = chunk;
    return {getDescription(spec), std::make_unique<LoadedPackage>(getPackage(spec, compile))};
  }

  Tensor draw(Shape shape, bool negative) {
    std::normal_distribution<float> normal(0, 0.3f);
    Tensor tensor = Tensor::empty(DType::f32, std::move(shape));
    for (int64_t i = 0; i < tensor.elements(); ++i)
      tensor.data<float>()[i] = negative ? -std::fabs(normal(random)) : normal(random);
    return tensor;
  }

  TensorMap inputs(int64_t batch, int64_t tokens) {
    Sizes sizes;
    sizes.batch = batch;
    sizes.tokens = tokens;
    sizes.keyDim = keyDim;
    sizes.valueDim = valueDim;
    TensorMap tensors;
    for (const TensorSpec &spec : kernels.info.arguments) {
      bool keys = spec.kind == Kind::key && !spec.perHead;
      tensors[spec.name] = draw(shapeOf(spec, sizes, keys ? keyHeads : valueHeads), spec.gate);
    }
    tensors["do"] = draw({batch, tokens, valueHeads, valueDim}, false);
    tensors["initial_state"] = draw({batch, valueHeads, keyDim, valueDim}, false);
    tensors["dfinal_state"] = draw({batch, valueHeads, keyDim, valueDim}, false);
    return tensors;
  }

  bool perHead(const std::string &name) const {
    for (const TensorSpec &spec : kernels.info.arguments)
      if (spec.perHead && (name == spec.name || name == "d" + spec.name))
        return true;
    return false;
  }
};

/// Rows [begin, end) of the leading dimension.
std::string rows(const Tensor &tensor, int64_t begin, int64_t end) {
  int64_t bytes = tensor.bytes() / tensor.shape[0];
  return std::string(tensor.data<char>() + begin * bytes, (end - begin) * bytes);
}

TEST_P(Invariance, Threads) {
  TensorMap in = inputs(3, 37);
  TensorMap two = run(*kernels.loaded, in, true, options);
  options.threads = 1;
  TensorMap one = run(*kernels.loaded, in, true, options);
  for (const auto &[name, tensor] : one)
    EXPECT_EQ(rows(tensor, 0, tensor.shape[0]), rows(two[name], 0, tensor.shape[0])) << name;
}

// Each batch alone gives the bits that it gives among others.
TEST_P(Invariance, Batch) {
  TensorMap in = inputs(3, 37), alone;
  TensorMap together = run(*kernels.loaded, in, true, options);
  for (const auto &[name, tensor] : in) {
    alone[name] = tensor;
    if (perHead(name))
      continue;
    Shape shape = tensor.shape;
    shape[0] = 1;
    alone[name] = Tensor::empty(DType::f32, shape);
    std::string second = rows(tensor, 1, 2);
    std::memcpy(alone[name].data(), second.data(), second.size());
  }
  for (const auto &[name, tensor] : run(*kernels.loaded, alone, true, options))
    if (!perHead(name))
      EXPECT_EQ(rows(tensor, 0, 1), rows(together[name], 1, 2)) << name;
}

// Packed sequences give the bits of separate ones.
TEST_P(Invariance, Packing) {
  TensorMap in = inputs(2, 37);
  TensorMap separate = run(*kernels.loaded, in, true, options);
  for (auto &[name, tensor] : in)
    if (!perHead(name) && !name.ends_with("_state")) {
      tensor.shape[1] *= tensor.shape[0];
      tensor.shape[0] = 1;
    }
  in["cu_seqlens"] = Tensor::zeros(DType::i64, {3});
  in["cu_seqlens"].data<int64_t>()[1] = 37;
  in["cu_seqlens"].data<int64_t>()[2] = 74;
  for (const auto &[name, tensor] : run(*kernels.loaded, in, true, options))
    EXPECT_EQ(std::memcmp(tensor.data(), separate[name].data(), tensor.bytes()), 0) << name;
}

/// Where NaN or an infinity was put into an argument.
struct Spot {
  std::string argument;
  int64_t token;
  int64_t firstHead, lastHead;  // Value heads that it may reach.
};

/// What may change: the spot's heads of sequence 0, from the spot's chunk on; gradients of sequence 0.
void expectContained(TensorMap &clean, TensorMap &spoilt, const Spot &spot) {
  int64_t row = valueHeads * valueDim;
  for (int64_t i = 0; i < clean["o"].elements(); ++i) {
    int64_t head = i % row / valueDim;
    bool later = i / row >= spot.token / chunk * chunk && i / row < clean["o"].shape[1];
    if (later && head >= spot.firstHead && head <= spot.lastHead)
      continue;
    float before = clean["o"].data<float>()[i], after = spoilt["o"].data<float>()[i];
    ASSERT_EQ(std::memcmp(&before, &after, sizeof before), 0)
        << "element " << i << " of o with " << spot.argument << " at token " << spot.token;
  }
}

// Sequence 1 runs after sequence 0 in the same scratch memory, and its last chunk is not full.
TEST_P(Invariance, NaNStaysInItsPlace) {
  constexpr int64_t tokens = 50;
  options.threads = 1;
  TensorMap in = inputs(2, tokens);
  TensorMap clean = run(*kernels.loaded, in, true, options);
  for (const TensorSpec &spec : kernels.info.arguments)
    for (int64_t token : {0, 20, 49})
      for (float poison : {std::numeric_limits<float>::quiet_NaN(),
                           std::numeric_limits<float>::infinity()}) {
        if (spec.perHead)
          continue;
        TensorMap poisoned = in;
        Tensor &tensor = poisoned[spec.name] = converted(in[spec.name].view(), DType::f32);
        int64_t heads = tensor.shape[2], head = heads - 1, group = valueHeads / heads;
        int64_t elements = tensor.elements() / (2 * tokens * heads);
        tensor.data<float>()[(token * heads + head) * elements + elements / 2] = poison;
        TensorMap spoilt = run(*kernels.loaded, poisoned, true, options);
        expectContained(clean, spoilt,
                        {spec.name, token, head * group, head * group + group - 1});
        for (const auto &[name, gradient] : clean)
          if (name[0] == 'd' && !perHead(name))
            EXPECT_EQ(rows(gradient, 1, 2), rows(spoilt[name], 1, 2))
                << name << " with " << spec.name << " at token " << token;
      }
}

std::vector<std::tuple<std::string, Form>> everything() {
  std::vector<std::tuple<std::string, Form>> all;
  for (const std::string &name : builtinNames())
    for (Form form : {Form::chunk, Form::recurrent})
      if (form == Form::recurrent || name != "mamba")
        all.push_back({name, form});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Builtins, Invariance, testing::ValuesIn(everything()),
                         [](const auto &info) {
                           bool chunked = std::get<1>(info.param) == Form::chunk;
                           return std::get<0>(info.param) + (chunked ? "_chunk" : "_recurrent");
                         });

} // namespace
} // namespace sluice
