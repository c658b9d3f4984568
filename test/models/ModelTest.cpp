// The model: tensor names of published checkpoints, the paper's switches, and that prefill and decode agree.

#include "TestFiles.h"

#include "models/Model.h"
#include "models/evaluation/Generate.h"
#include "models/layers/Fused.h"
#include "models/tokenizer/Tokenizer.h"
#include "models/training/Optimizer.h"

#include <ATen/core/grad_mode.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

using namespace sluice;
using namespace sluice::models;
using namespace sluice::models::test;
using testing::HasSubstr;

namespace {

Config smallConfig() {
  Folder folder;
  Config config = tinyConfig(folder);
  config.model.layers = 2;
  return config;
}

at::Tensor someTokens(int64_t batch, int64_t length) {
  return (at::arange(batch * length, at::kLong) * 37 % 251).view({batch, length});
}

std::map<std::string, Parameter> byName(const Model &model) {
  std::map<std::string, Parameter> named;
  for (const Parameter &parameter : model.parameters().all())
    named[parameter.name] = parameter;
  return named;
}

TEST(Model, TensorNamesAreThoseOfPublishedCheckpoints) {
  Model model(smallConfig(), 257);
  std::set<std::string> expected = {"model.embeddings.weight", "model.norm.weight"};
  for (std::string layer : {"model.layers.0.", "model.layers.1."}) {
    for (std::string name : {"attn_norm", "mlp_norm", "attn.o_norm", "mlp.gate_proj", "mlp.up_proj",
                             "mlp.down_proj", "attn.q_conv1d", "attn.k_conv1d", "attn.v_conv1d"})
      expected.insert(layer + name + ".weight");
    for (std::string name : {"q", "k", "v", "a", "b", "g", "o"})
      expected.insert(layer + "attn." + name + "_proj.weight");
    expected.insert(layer + "attn.A_log");
    expected.insert(layer + "attn.dt_bias");
  }
  std::set<std::string> names;
  for (const auto &[name, tensor] : weightsOf(model))
    names.insert(name);
  EXPECT_EQ(names, expected);
  EXPECT_EQ(weightsOf(model)["model.layers.0.attn.q_conv1d.weight"].shape, (Shape{32, 1, 4}));

  Config untied = smallConfig();
  untied.model.tieEmbeddings = false;
  EXPECT_EQ(weightsOf(Model(untied, 257)).count("lm_head.weight"), 1u);
}

TEST(Model, StartValues) {
  Config config = smallConfig();
  config.gatedDeltaNet.heads = 64;
  Model model(config, 257);
  std::map<std::string, Parameter> named = byName(model);
  at::NoGradGuard withoutGradient;
  EXPECT_NEAR(named["model.embeddings.weight"].value.std().item<double>(), 0.02, 0.002);
  EXPECT_NEAR(named["model.layers.0.attn.q_conv1d.weight"].value.std().item<double>(), 0.02, 0.002);
  EXPECT_EQ(named["model.norm.weight"].value.sum().item<double>(), 32);
  at::Tensor decay = named["model.layers.0.attn.A_log"].value.exp();
  EXPECT_NEAR(decay.mean().item<double>(), 8, 3);
  EXPECT_LE(decay.max().item<double>(), 16);
  at::Tensor step = at::softplus(named["model.layers.0.attn.dt_bias"].value);
  EXPECT_GE(step.min().item<double>(), 0.00099);
  EXPECT_LE(step.max().item<double>(), 0.101);
  for (const auto &[name, parameter] : named) {
    bool exempt = name.find("norm") != std::string::npos || name.find("A_log") != std::string::npos ||
                  name.find("dt_bias") != std::string::npos;
    EXPECT_EQ(parameter.decays, !exempt) << name;
  }
}

TEST(Model, PresetOfTheDemoHasAboutFiveMillionParameters) {
  Config config;
  applyPreset("demo", config);
  Model model(config, 4096);
  EXPECT_NEAR(static_cast<double>(model.parameters().count()), 5e6, 4e5);
}

struct Switch {
  const char *name;
  std::function<void(Config &)> apply;
};

class Switches : public testing::TestWithParam<Switch> {
public:
  Config config() const {
    Config result = smallConfig();
    GetParam().apply(result);
    return result;
  }
};

TEST_P(Switches, EveryWeightGetsAGradient) {
  Model model(config(), 257);
  at::Tensor tokens = someTokens(2, 21);
  model.loss(tokens.narrow(1, 0, 20), tokens.narrow(1, 1, 20)).backward();
  for (const Parameter &parameter : model.parameters().all()) {
    ASSERT_TRUE(parameter.value.grad().defined()) << parameter.name;
    EXPECT_TRUE(parameter.value.grad().isfinite().all().item<bool>()) << parameter.name;
    EXPECT_GT(parameter.value.grad().abs().max().item<double>(), 0) << parameter.name;
  }
}

// The chunk form on all tokens, and: the chunk form on a prefix, then the recurrent form token by token.
TEST_P(Switches, PrefillAndDecodeAgreeWithTheWhole) {
  at::NoGradGuard withoutGradient;
  Model model(config(), 257);
  // Larger than the initial weights, so that the mixers matter.
  for (Parameter &parameter : model.parameters().all())
    if (parameter.value.dim() == 2)
      parameter.value.mul_(5);
  at::Tensor tokens = someTokens(2, 41);
  at::Tensor whole = model.logits(model.hidden(tokens));
  ModelCache cache;
  std::vector<at::Tensor> parts = {model.hidden(tokens.narrow(1, 0, 19), &cache),
                                   model.hidden(tokens.narrow(1, 19, 18), &cache)};
  for (int64_t at = 37; at < 41; ++at)
    parts.push_back(model.hidden(tokens.narrow(1, at, 1), &cache));
  at::Tensor pieces = model.logits(at::cat(parts, 1));
  double error = (pieces - whole).norm().item<double>() / whole.norm().item<double>();
  EXPECT_LT(error, config().training.dtype == "bf16" ? 2e-2 : 2e-5);
}

INSTANTIATE_TEST_SUITE_P(
    Paper, Switches,
    testing::Values(
        Switch{"default", [](Config &) {}}, Switch{"noGate", [](Config &c) { c.gatedDeltaNet.gate = false; }},
        Switch{"noConvolution", [](Config &c) { c.gatedDeltaNet.shortConvolution = false; }},
        Switch{"noOutputGateOrNorm",
               [](Config &c) { c.gatedDeltaNet.outputGate = c.gatedDeltaNet.outputNorm = false; }},
        Switch{"l1Relu",
               [](Config &c) {
                 c.gatedDeltaNet.normalization = "l1";
                 c.gatedDeltaNet.featureMap = "relu";
               }},
        Switch{"elu1", [](Config &c) { c.gatedDeltaNet.featureMap = "elu1"; }},
        Switch{"negativeEigenvalues", [](Config &c) { c.gatedDeltaNet.negativeEigenvalues = true; }},
        Switch{"moreValueHeads", [](Config &c) { c.gatedDeltaNet.valueHeads = 4; }},
        Switch{"bf16", [](Config &c) { c.training.dtype = "bf16"; }},
        Switch{"hybrid",
               [](Config &c) {
                 c.model.pattern = {"gated_delta_net", "sliding_window_attention"};
                 c.slidingWindow = {.heads = 2, .window = 7};
               }}),
    [](const testing::TestParamInfo<Switch> &info) { return info.param.name; });

// Values and gradients against PyTorch's own, in float64.
TEST(Layers, ConvolutionIsPyTorchs) {
  for (int64_t channels : {5, 70}) {
    at::Tensor x = at::randn({2, 13, channels}).requires_grad_(true);
    at::Tensor weight = at::randn({channels, 4}).requires_grad_(true);
    at::Tensor exactX = x.detach().to(at::kDouble).requires_grad_(true);
    at::Tensor exactWeight = weight.detach().to(at::kDouble).requires_grad_(true);
    at::Tensor y = depthwiseConvolution(x, weight);
    std::vector<int64_t> none = {0}, one = {1};
    at::Tensor exact = at::conv1d(exactX.transpose(1, 2), exactWeight.unsqueeze(1), {}, at::IntArrayRef(one),
                                  at::IntArrayRef(none), at::IntArrayRef(one), channels)
                           .transpose(1, 2);
    EXPECT_TRUE(y.to(at::kDouble).allclose(exact, 1e-5, 1e-5));
    y.square().sum().backward();
    exact.square().sum().backward();
    EXPECT_TRUE(x.grad().to(at::kDouble).allclose(exactX.grad(), 1e-4, 1e-4));
    EXPECT_TRUE(weight.grad().to(at::kDouble).allclose(exactWeight.grad(), 1e-4, 1e-4));
  }
}

TEST(Layers, NormIsTheFormula) {
  for (int64_t size : {5, 64, 70}) {
    at::Tensor x = at::randn({3, 50, size}).requires_grad_(true);
    at::Tensor weight = at::randn({size}).requires_grad_(true);
    at::Tensor exactX = x.detach().to(at::kDouble).requires_grad_(true);
    at::Tensor exactWeight = weight.detach().to(at::kDouble).requires_grad_(true);
    at::Tensor y = rmsNorm(x, weight, 1e-3);
    at::Tensor exact = exactX * at::rsqrt(exactX.square().mean(-1, true) + 1e-3) * exactWeight;
    EXPECT_TRUE(y.to(at::kDouble).allclose(exact, 1e-5, 1e-5));
    at::Tensor cotangent = at::sin(at::arange(y.numel(), at::kDouble)).view_as(y);
    (y * cotangent.to(at::kFloat)).sum().backward();
    (exact * cotangent).sum().backward();
    EXPECT_TRUE(x.grad().to(at::kDouble).allclose(exactX.grad(), 1e-4, 1e-4));
    EXPECT_TRUE(weight.grad().to(at::kDouble).allclose(exactWeight.grad(), 1e-4, 1e-4));
  }
}

TEST(Model, WeightsFromACheckpointAreChecked) {
  Model model(smallConfig(), 257), other(smallConfig(), 257);
  TensorMap tensors = weightsOf(other);
  EXPECT_EQ(errorOf([&] { setWeights(model, tensors, "f"); }), "");
  tensors["more"] = Tensor::zeros(DType::f32, {1});
  EXPECT_THAT(errorOf([&] { setWeights(model, tensors, "f"); }),
              HasSubstr("f: expected only tensors of this model, got 'more'"));
  tensors.erase("more");
  tensors["model.norm.weight"] = Tensor::zeros(DType::f32, {3});
  EXPECT_THAT(errorOf([&] { setWeights(model, tensors, "f"); }),
              HasSubstr("'model.norm.weight' to be [32], got [3]"));
  tensors.erase("model.norm.weight");
  EXPECT_THAT(errorOf([&] { setWeights(model, tensors, "f"); }),
              HasSubstr("tensor 'model.norm.weight', found none"));
}

TEST(Model, GenerationRepeatsWithItsSeed) {
  Model model(smallConfig(), 257);
  auto text = [&](uint64_t seed, double temperature) {
    std::string all;
    generate(model, *makeByteTokenizer(), "the people",
             {.tokens = 12, .temperature = temperature, .seed = seed},
             [&](const std::string &part) { all += part; });
    return all;
  };
  EXPECT_EQ(text(1, 1), text(1, 1));
  EXPECT_NE(text(1, 1), text(2, 1));
  EXPECT_EQ(text(1, 0), text(2, 0));
}

TEST(Optimizer, LearningRate) {
  TrainingConfig config;
  config.steps = 100;
  config.warmupSteps = 10;
  config.learningRate = 1;
  EXPECT_DOUBLE_EQ(learningRate(config, 1), 0.1);
  EXPECT_DOUBLE_EQ(learningRate(config, 10), 1);
  EXPECT_NEAR(learningRate(config, 55), 0.55, 1e-12);
  EXPECT_NEAR(learningRate(config, 100), 0.1, 1e-12);
}

// Two steps of AdamW written out, one parameter with weight decay and one without.
TEST(Optimizer, IsAdamW) {
  TrainingConfig config;
  config.steps = 10;
  config.warmupSteps = 0;
  config.learningRate = 0.01;
  config.finalLearningRate = 1;
  config.clip = 0;
  Parameters parameters(1);
  parameters.add("a", {1}, constant(2));
  parameters.add("b", {1}, constant(2), /*decays=*/false);
  Optimizer optimizer(parameters, config);
  double value[2] = {2, 2}, first = 0, second = 0, gradients[2] = {0.5, -0.25};
  for (int64_t step = 1; step <= 2; ++step) {
    double gradient = gradients[step - 1];
    for (Parameter &parameter : parameters.all())
      parameter.value.mutable_grad() = at::full({1}, gradient);
    optimizer.step(step);
    first = config.beta1 * first + (1 - config.beta1) * gradient;
    second = config.beta2 * second + (1 - config.beta2) * gradient * gradient;
    double unbiasedFirst = first / (1 - std::pow(config.beta1, step));
    double unbiasedSecond = second / (1 - std::pow(config.beta2, step));
    value[0] *= 1 - config.learningRate * config.weightDecay;
    for (double &number : value)
      number -= config.learningRate * unbiasedFirst / (std::sqrt(unbiasedSecond) + config.epsilon);
  }
  EXPECT_NEAR(parameters.all()[0].value.item<double>(), value[0], 1e-6);
  EXPECT_NEAR(parameters.all()[1].value.item<double>(), value[1], 1e-6);
}

TEST(Optimizer, ClipsTheNormOfAllGradients) {
  TrainingConfig config;
  Parameters parameters(1);
  parameters.add("a", {1}, constant(0));
  parameters.add("b", {1}, constant(0));
  Optimizer optimizer(parameters, config);
  parameters.all()[0].value.mutable_grad() = at::full({1}, 3.0);
  parameters.all()[1].value.mutable_grad() = at::full({1}, 4.0);
  EXPECT_NEAR(optimizer.clipGradients(), 5, 1e-6);
  EXPECT_NEAR(parameters.all()[1].value.grad().item<double>(), 0.8, 1e-5);
}

} // namespace
