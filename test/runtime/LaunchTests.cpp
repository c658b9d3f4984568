// Launches of hand-written kernels: offsets, head groups, value blocks, packed sequences, reductions, dtypes.

#include "runtime/Error.h"
#include "runtime/Launch.h"
#include "test/runtime/TestPackage.h"

#include <cstring>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using namespace test;

constexpr RunOptions recurrent{Form::recurrent, 2};

void expectMatch(const TestSizes &sizes, double tolerance = 1e-5) {
  LoadedPackage kernels(testPackage(sizes.valueDim));
  TensorMap inputs = testInputs(sizes);
  TensorMap computed = run(kernels, inputs, true, recurrent);
  TensorMap exact = testReference(sizes, inputs);
  for (const auto &[name, tensor] : exact) {
    ASSERT_TRUE(computed.count(name)) << name;
    EXPECT_EQ(computed[name].shape, tensor.shape) << name;
    EXPECT_LE(errorOf(computed[name], tensor), tolerance) << name;
  }
  EXPECT_EQ(computed.size(), exact.size());
}

TEST(Launch, Batches) { expectMatch({2, 13, 2, 2, 16, {}}); }
TEST(Launch, HeadGroups) { expectMatch({2, 9, 2, 6, 16, {}}); }
TEST(Launch, ValueBlocks) { expectMatch({2, 9, 2, 2, 40, {}}); }
TEST(Launch, HeadGroupsAndValueBlocks) { expectMatch({1, 9, 2, 4, 40, {}}); }
TEST(Launch, PackedSequences) { expectMatch({1, 19, 2, 4, 40, {7, 0, 1, 11, 0}}); }
TEST(Launch, FirstSequenceEmpty) { expectMatch({1, 5, 1, 1, 16, {0, 5}}); }
TEST(Launch, NoTokens) { expectMatch({2, 0, 2, 2, 16, {}}); }
TEST(Launch, NoBatches) { expectMatch({0, 5, 2, 2, 16, {}}); }
TEST(Launch, OnlyEmptySequences) { expectMatch({1, 0, 1, 2, 16, {0, 0}}); }

TEST(Launch, NothingPackedButStarts) {
  LoadedPackage kernels(testPackage(16));
  TensorMap inputs = testInputs({1, 0, 1, 2, 16, {0}});
  inputs.erase("initial_state");
  inputs.erase("dfinal_state");
  inputs["cu_seqlens"] = Tensor::zeros(DType::i64, {1});
  TensorMap computed = run(kernels, inputs, true, recurrent);
  EXPECT_EQ(computed["final_state"].shape, (Shape{0, 2, 16, 16}));
  EXPECT_EQ(computed["dw"].data<float>()[1], 0);
}

TEST(Launch, StatesAreOptional) {
  TestSizes sizes{2, 6, 1, 1, 16, {}};
  LoadedPackage kernels(testPackage(16));
  TensorMap inputs = testInputs(sizes);
  std::memset(inputs["initial_state"].data(), 0, inputs["initial_state"].bytes());
  std::memset(inputs["dfinal_state"].data(), 0, inputs["dfinal_state"].bytes());
  TensorMap exact = testReference(sizes, inputs);
  inputs.erase("initial_state");
  inputs.erase("dfinal_state");
  TensorMap computed = run(kernels, inputs, true, recurrent);
  EXPECT_FALSE(computed.count("dinitial_state"));
  for (const char *name : {"o", "final_state", "dq", "dk", "dv", "dw", "dc"})
    EXPECT_LE(errorOf(computed[name], exact[name]), 1e-5) << name;
}

// Two threads or one, alone or in a batch: the same bits.
TEST(Launch, ResultsDoNotDependOnThreads) {
  LoadedPackage kernels(testPackage(40));
  TensorMap inputs = testInputs({1, 19, 2, 4, 40, {7, 0, 1, 11, 0}});
  TensorMap one = run(kernels, inputs, true, {Form::recurrent, 1});
  TensorMap many = run(kernels, inputs, true, {Form::recurrent, 7});
  for (const auto &[name, tensor] : one)
    EXPECT_EQ(std::memcmp(tensor.data(), many[name].data(), tensor.bytes()), 0) << name;
}

TEST(Launch, ConvertsInputsAndGradients) {
  TestSizes sizes{1, 9, 1, 2, 16, {4, 0, 5}};
  LoadedPackage kernels(testPackage(16));
  TensorMap inputs = testInputs(sizes), narrow, rounded;
  for (const auto &[name, tensor] : inputs) {
    bool half = name == "q" || name == "w" || name == "initial_state";
    DType dtype = name == "cu_seqlens" ? DType::i64 : half ? DType::f16 : DType::bf16;
    narrow[name] = converted(tensor.view(), dtype);
    rounded[name] = name == "cu_seqlens" ? tensor : converted(narrow[name].view(), DType::f32);
  }
  TensorMap computed = run(kernels, narrow, true, recurrent);
  TensorMap exact = testReference(sizes, rounded);
  EXPECT_LE(errorOf(computed["o"], exact["o"]), 1e-5);
  for (const char *name : {"dq", "dk", "dv", "dw", "dc", "dinitial_state"}) {
    EXPECT_EQ(computed[name].dtype, narrow[name + 1].dtype) << name;
    EXPECT_LE(errorOf(computed[name], exact[name]), 4e-3) << name;
  }
}

TEST(Launch, ComputesOnlyTheGradientsAskedFor) {
  TestSizes sizes{1, 9, 1, 1, 16, {}};
  LoadedPackage kernels(testPackage(16));
  TensorMap inputs = testInputs(sizes);
  TensorMap exact = testReference(sizes, inputs);
  TensorMap outputs;
  outputs["o"] = Tensor::empty(DType::f32, inputs["v"].shape);
  auto saved = runForward(kernels, viewsOf(inputs), viewsOf(outputs), recurrent, true);
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->bytes, 3 * 16 * 16 * 4);
  TensorMap gradients;
  gradients["dk"] = Tensor::empty(DType::f32, inputs["k"].shape);
  runBackward(kernels, viewsOf(inputs), *saved, viewsOf(gradients), recurrent);
  EXPECT_LE(errorOf(gradients["dk"], exact["dk"]), 1e-5);
  EXPECT_FALSE(runForward(kernels, viewsOf(inputs), viewsOf(outputs), recurrent, false));
}

// Two packages that are loaded at once must not get each other's code.
TEST(Launch, PackagesKeepTheirOwnCode) {
  auto first = std::make_unique<LoadedPackage>(testPackage(16));
  KernelPackage swapped = testPackage(16);
  swapped.entries[0].symbol = "test_backward";
  LoadedPackage second(swapped);
  EXPECT_NE(first->entry(Form::recurrent, false).function,
            second.entry(Form::recurrent, false).function);
  first.reset();
  LoadedPackage third(testPackage(16));
  EXPECT_TRUE(third.entry(Form::recurrent, true).function);
}

TEST(Launch, RefusesAFormThatDoesNotExist) {
  LoadedPackage kernels(testPackage(16));
  EXPECT_EQ(kernels.defaultForm(), Form::recurrent);
  try {
    run(kernels, testInputs({1, 3, 1, 1, 16, {}}), false, {Form::chunk, 1});
    FAIL();
  } catch (const UserError &error) {
    EXPECT_STREQ(error.what(), "'test' has no chunk form: it is written by hand");
  }
}

TEST(Launch, RefusesCodeThatIsNone) {
  KernelPackage package = testPackage(16);
  package.code = "no shared object";
  EXPECT_THROW(LoadedPackage{package}, UserError);
  package = testPackage(16);
  package.entries[0].symbol = "absent";
  EXPECT_THROW(LoadedPackage{package}, UserError);
}

} // namespace
} // namespace sluice
