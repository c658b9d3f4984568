// The PyTorch operator: values and gradients against the recurrence written in float64 with PyTorch's own
// autograd, types, packed sequences, and errors.

#include "runtime/torch/Recurrence.h"
#include "runtime/Error.h"
#include "runtime/Files.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <unistd.h>

using namespace sluice;
using testing::HasSubstr;

namespace {

using Tensors = std::vector<at::Tensor>;

std::string errorOf(const std::function<void()> &call) {
  try {
    call();
  } catch (const UserError &error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  return "";
}

double errorRatio(const at::Tensor &got, const at::Tensor &expected) {
  at::Tensor reference = expected.to(at::kDouble);
  return ((got.to(at::kDouble) - reference).norm() / reference.norm()).item<double>();
}

/// What a gated delta rule with these sizes takes, drawn from a seed.
struct Inputs {
  at::Tensor q, k, v, g, beta, state;

  Inputs(int64_t batch, int64_t tokens, int64_t keyHeads, int64_t valueHeads, int64_t dim) {
    at::Generator random = at::detail::createCPUGenerator(7);
    auto normal = [&](at::IntArrayRef shape) { return at::randn(shape, random, at::kFloat); };
    auto unit = [](const at::Tensor &x) { return x / x.norm(2, -1, true); };
    q = unit(normal({batch, tokens, keyHeads, dim}));
    k = unit(normal({batch, tokens, keyHeads, dim}));
    v = normal({batch, tokens, valueHeads, dim});
    g = at::log_sigmoid(normal({batch, tokens, valueHeads}) + 2);
    beta = at::sigmoid(normal({batch, tokens, valueHeads}));
    state = normal({batch, valueHeads, dim, dim}) * 0.1;
  }

  Tensors arguments() const { return {q, k, v, g, beta}; }
  Tensors all() const { return {q, k, v, g, beta, state}; }
};

struct Reference {
  at::Tensor output, finalState;
};

/// One token at a time, in the type of the tensors (derivation, section 1).
Reference gatedDeltaRule(const Tensors &x) {
  int64_t group = x[2].size(2) / x[0].size(2);
  at::Tensor q = x[0].repeat_interleave(group, 2), k = x[1].repeat_interleave(group, 2), state = x[5];
  Tensors outputs;
  for (int64_t t = 0; t < q.size(1); ++t) {
    auto at = [&](const at::Tensor &tensor) { return tensor.select(1, t); };
    state = state * at(x[3]).exp().unsqueeze(-1).unsqueeze(-1);
    at::Tensor old = at::einsum("bhk,bhkv->bhv", {at(k), state});
    at::Tensor update = (at(x[2]) - old) * at(x[4]).unsqueeze(-1);
    state = state + at(k).unsqueeze(-1) * update.unsqueeze(-2);
    outputs.push_back(at::einsum("bhk,bhkv->bhv", {at(q), state}));
  }
  return {at::stack(outputs, 1), state};
}

Tensors leaves(const Tensors &tensors, at::ScalarType type) {
  Tensors result;
  for (const at::Tensor &tensor : tensors)
    result.push_back(tensor.detach().to(type).clone().requires_grad_(true));
  return result;
}

RecurrenceResult runGatedDeltaRule(const Tensors &x, const std::string &form, int64_t chunk = 16) {
  RecurrenceOptions options;
  if (x.size() > 5)
    options.initialState = x[5];
  options.form = form;
  options.chunk = chunk;
  return recurrence("gated_delta_rule", Tensors(x.begin(), x.begin() + 5), options);
}

class Forms : public testing::TestWithParam<std::string> {};

TEST_P(Forms, ValuesAndGradientsWithHeadGroupsAndStates) {
  Inputs inputs(2, 37, 1, 2, 16);
  Tensors own = leaves(inputs.all(), at::kFloat), exact = leaves(inputs.all(), at::kDouble);
  RecurrenceResult result = runGatedDeltaRule(own, GetParam());
  Reference reference = gatedDeltaRule(exact);
  EXPECT_LT(errorRatio(result.results[0], reference.output), 1e-5);
  EXPECT_LT(errorRatio(result.finalState, reference.finalState), 1e-5);

  at::Tensor outputWeights =
      at::sin(at::arange(reference.output.numel(), at::kDouble)).view_as(reference.output);
  at::Tensor stateWeights =
      at::cos(at::arange(reference.finalState.numel(), at::kDouble)).view_as(reference.finalState);
  ((reference.output * outputWeights).sum() + (reference.finalState * stateWeights).sum()).backward();
  ((result.results[0] * outputWeights.to(at::kFloat)).sum() +
   (result.finalState * stateWeights.to(at::kFloat)).sum())
      .backward();
  for (size_t index = 0; index < own.size(); ++index)
    EXPECT_LT(errorRatio(own[index].grad(), exact[index].grad()), 1e-4) << "argument " << index;
}

// The gradient of an output that was not used is not there at all, and counts as zero.
TEST_P(Forms, GradientsThroughTheFinalStateAlone) {
  Inputs inputs(1, 20, 1, 1, 16);
  Tensors own = leaves(inputs.all(), at::kFloat), exact = leaves(inputs.all(), at::kDouble);
  runGatedDeltaRule(own, GetParam()).finalState.square().sum().backward();
  gatedDeltaRule(exact).finalState.square().sum().backward();
  for (size_t index = 1; index < own.size(); ++index)
    EXPECT_LT(errorRatio(own[index].grad(), exact[index].grad()), 1e-4) << "argument " << index;
  EXPECT_EQ(own[0].grad().abs().max().item<double>(), 0);
}

TEST_P(Forms, OnlyWhatRequiresAGradientGetsOne) {
  Inputs inputs(1, 20, 1, 1, 16);
  Tensors x = inputs.all();
  x[2].requires_grad_(true);
  runGatedDeltaRule(x, GetParam()).results[0].sum().backward();
  EXPECT_TRUE(x[2].grad().defined());
  EXPECT_FALSE(x[0].grad().defined());
}

TEST_P(Forms, TypesFollowTheArguments) {
  Inputs inputs(1, 20, 1, 2, 16);
  Tensors x = inputs.all(), exact = leaves(inputs.all(), at::kDouble);
  for (int index : {0, 1, 2})
    x[index] = x[index].to(at::kBFloat16);
  for (at::Tensor &tensor : x)
    tensor.requires_grad_(true);
  RecurrenceResult result = runGatedDeltaRule(x, GetParam());
  EXPECT_EQ(result.results[0].scalar_type(), at::kBFloat16);
  EXPECT_EQ(result.finalState.scalar_type(), at::kFloat);
  Reference reference = gatedDeltaRule(exact);
  EXPECT_LT(errorRatio(result.results[0], reference.output), 2e-2);
  result.results[0].sum().backward();
  reference.output.sum().backward();
  for (size_t index = 0; index < x.size(); ++index) {
    EXPECT_EQ(x[index].grad().scalar_type(), x[index].scalar_type());
    EXPECT_LT(errorRatio(x[index].grad(), exact[index].grad()), 3e-2) << "argument " << index;
  }
}

INSTANTIATE_TEST_SUITE_P(Both, Forms, testing::Values("chunk", "recurrent"),
                         [](const testing::TestParamInfo<std::string> &info) { return info.param; });

TEST(Recurrence, MixedTypesGiveFloat) {
  Inputs inputs(1, 5, 1, 1, 16);
  inputs.k = inputs.k.to(at::kHalf);
  EXPECT_EQ(runGatedDeltaRule(inputs.arguments(), "chunk").results[0].scalar_type(), at::kFloat);
}

TEST(Recurrence, DecodeStepsContinueAPrefill) {
  Inputs inputs(2, 20, 1, 2, 16);
  at::NoGradGuard withoutGradient;
  auto part = [&](int64_t begin, int64_t length, const at::Tensor &state) {
    Tensors x;
    for (const at::Tensor &tensor : inputs.arguments())
      x.push_back(tensor.narrow(1, begin, length));
    x.push_back(state);
    return runGatedDeltaRule(x, "auto");
  };
  RecurrenceResult whole = part(0, 20, inputs.state);
  RecurrenceResult current = part(0, 17, inputs.state);
  for (int64_t t = 17; t < 20; ++t) {
    current = part(t, 1, current.finalState);
    EXPECT_LT(errorRatio(current.results[0].select(1, 0), whole.results[0].select(1, t)), 1e-5);
  }
  EXPECT_LT(errorRatio(current.finalState, whole.finalState), 1e-5);
}

TEST(Recurrence, PackedSequencesAreIndependent) {
  Inputs inputs(1, 30, 1, 2, 16);
  RecurrenceOptions options;
  options.chunk = 16;
  options.cuSeqlens = at::tensor({0, 13, 13, 30}, at::kLong);
  Tensors packed = leaves(inputs.arguments(), at::kFloat);
  RecurrenceResult together = recurrence("gated_delta_rule", packed, options);
  together.results[0].square().sum().backward();
  EXPECT_EQ(together.finalState.sizes(), at::IntArrayRef({3, 2, 16, 16}));
  EXPECT_EQ(together.finalState.select(0, 1).abs().max().item<double>(), 0);
  for (auto [begin, length] : {std::pair<int64_t, int64_t>{0, 13}, {13, 17}}) {
    Tensors alone;
    for (const at::Tensor &tensor : inputs.arguments())
      alone.push_back(tensor.narrow(1, begin, length).clone().requires_grad_(true));
    RecurrenceResult single = runGatedDeltaRule(alone, "chunk");
    EXPECT_TRUE(single.results[0].equal(together.results[0].narrow(1, begin, length)));
    single.results[0].square().sum().backward();
    for (size_t index = 0; index < alone.size(); ++index)
      EXPECT_TRUE(alone[index].grad().equal(packed[index].grad().narrow(1, begin, length))) << index;
  }
}

TEST(Recurrence, StridedInputsAndCotangents) {
  Inputs inputs(1, 20, 2, 2, 16);
  Tensors strided;
  for (const at::Tensor &tensor : inputs.arguments())
    strided.push_back(tensor.transpose(1, 2).contiguous().transpose(1, 2).requires_grad_(true));
  Tensors dense = leaves(inputs.arguments(), at::kFloat);
  at::Tensor first = runGatedDeltaRule(strided, "chunk").results[0];
  at::Tensor second = runGatedDeltaRule(dense, "chunk").results[0];
  EXPECT_TRUE(first.equal(second));
  first.transpose(1, 3).square().sum().backward();
  second.square().sum().backward();
  EXPECT_TRUE(strided[1].grad().equal(dense[1].grad()));
}

/// Retention (o = S^T q after S <- e^g S + k v^T) from a file of one's own, with a constant gate per head.
TEST(Recurrence, AnyFileAndConstantsPerHead) {
  std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("own" + std::to_string(getpid()) + ".mlir");
  writeFile(file.string(), R"(
    recur.recurrence @other(%q: !recur.key, %k: !recur.key, %v: !recur.value)
        state(%state: !recur.state) -> !recur.value {
      %next = recur.write %v at %k into %state
      %o = recur.read %next at %q
      recur.yield %o, %next : !recur.value
    }
    recur.recurrence @mine(%query: !recur.key, %k: !recur.key, %v: !recur.value, %rate: f32 {recur.per_head})
        state(%state: !recur.state) -> !recur.value {
      %gated = recur.decay %state by %rate : f32
      %next = recur.write %v at %k into %gated
      %o = recur.read %next at %query
      recur.yield %o, %next : !recur.value
    })");
  Inputs inputs(2, 21, 1, 2, 16);
  Tensors x = leaves({inputs.q, inputs.k, inputs.v, at::tensor({-0.1, -0.3})}, at::kFloat);
  Tensors exact = leaves({inputs.q, inputs.k, inputs.v, at::tensor({-0.1, -0.3})}, at::kDouble);
  RecurrenceOptions options;
  options.chunk = 16;
  at::Tensor o = recurrence(file.string() + "@mine", x, options).results[0];
  at::Tensor state = at::zeros({2, 2, 16, 16}, at::kDouble);
  Tensors outputs;
  for (int64_t t = 0; t < 21; ++t) {
    state = state * exact[3].exp().view({1, 2, 1, 1}) +
            exact[1].select(1, t).unsqueeze(-1) * exact[2].select(1, t).unsqueeze(-2);
    outputs.push_back(at::einsum("bhk,bhkv->bhv", {exact[0].select(1, t).expand({2, 2, 16}), state}));
  }
  at::Tensor expected = at::stack(outputs, 1);
  EXPECT_LT(errorRatio(o, expected), 1e-5);
  o.square().sum().backward();
  expected.square().sum().backward();
  for (size_t index = 0; index < x.size(); ++index)
    EXPECT_LT(errorRatio(x[index].grad(), exact[index].grad()), 1e-4) << index;
  EXPECT_THAT(errorOf([&] { recurrence(file.string() + "@none", x); }), HasSubstr("none"));
  std::filesystem::remove(file);
}

// As Python calls it.
TEST(Recurrence, BoxedCallWithDefaults) {
  Inputs inputs(1, 5, 1, 1, 16);
  c10::OperatorHandle operation = c10::Dispatcher::singleton().findSchemaOrThrow("sluice::recurrence", "");
  c10::Stack stack = {
      "gated_delta_rule", c10::List<at::Tensor>(inputs.arguments()), c10::IValue(), c10::IValue(), "chunk",
      int64_t(16)};
  operation.callBoxed(stack);
  ASSERT_EQ(stack.size(), 2u);
  EXPECT_TRUE(stack[0].toTensorVector()[0].equal(runGatedDeltaRule(inputs.arguments(), "chunk").results[0]));
}

TEST(Recurrence, NoTokensAtAll) {
  Inputs inputs(1, 0, 1, 2, 16);
  RecurrenceResult result = runGatedDeltaRule(leaves(inputs.all(), at::kFloat), "chunk");
  EXPECT_EQ(result.results[0].numel(), 0);
  EXPECT_TRUE(result.finalState.equal(inputs.state));
}

TEST(Recurrence, ErrorsAreOneClearLine) {
  Inputs inputs(1, 5, 2, 2, 16);
  Tensors good = inputs.arguments();
  auto with = [&](size_t index, const at::Tensor &tensor) {
    Tensors x = good;
    x[index] = tensor;
    return errorOf([&] { runGatedDeltaRule(x, "chunk"); });
  };
  EXPECT_THAT(errorOf([&] { recurrence("no_such_rule", good); }), HasSubstr("no_such_rule"));
  EXPECT_THAT(errorOf([&] { recurrence("gated_delta_rule", {good[0]}); }),
              HasSubstr("expected 5 arguments for gated_delta_rule, got 1"));
  EXPECT_THAT(with(2, at::Tensor()), HasSubstr("expected a tensor 'v', got none"));
  EXPECT_THAT(with(0, good[0].to(at::kDouble)), HasSubstr("q"));
  EXPECT_THAT(with(3, at::zeros({1, 5, 3})), HasSubstr("g"));
  EXPECT_THAT(with(2, at::zeros({1, 5, 3, 16})), testing::Not(testing::IsEmpty()));
  EXPECT_THAT(errorOf([&] { runGatedDeltaRule(good, "fast"); }), HasSubstr("got 'fast'"));
  EXPECT_THAT(errorOf([&] { runGatedDeltaRule(good, "chunk", 48); }), HasSubstr("48"));
  RecurrenceOptions packed;
  packed.cuSeqlens = at::tensor({0, 4}, at::kLong);
  EXPECT_THAT(errorOf([&] { recurrence("gated_delta_rule", good, packed); }), HasSubstr("cu_seqlens"));
}

TEST(Recurrence, ChunkFormThatDoesNotExist) {
  auto zeros = [](at::IntArrayRef shape) { return at::zeros(shape); };
  Tensors x = {zeros({1, 3, 1, 16}), zeros({1, 3, 1, 16}), zeros({1, 3, 1, 16}),
               zeros({1, 3, 1, 16}), zeros({1, 16, 16}),   zeros({1, 16})};
  RecurrenceOptions options;
  options.form = "chunk";
  EXPECT_THAT(errorOf([&] { recurrence("mamba", x, options); }), HasSubstr("expected form recurrent"));
  options.form = "auto";
  EXPECT_EQ(errorOf([&] { recurrence("mamba", x, options); }), "");
}

TEST(Recurrence, SecondDerivativesAreRefused) {
  Inputs inputs(1, 5, 1, 1, 16);
  Tensors x = leaves(inputs.arguments(), at::kFloat);
  at::Tensor loss = runGatedDeltaRule(x, "chunk").results[0].square().sum();
  EXPECT_THAT(errorOf([&] { loss.backward({}, /*retain_graph=*/true, /*create_graph=*/true); }),
              HasSubstr("first-order gradients"));
}

} // namespace
