// Every rule of the tensor contract, by the line that its violation gets.

#include "runtime/Error.h"
#include "runtime/TensorContract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using testing::HasSubstr;

/// Tensors of a gated recurrence: q, k keys, g a key-kind gate, v a value, beta a scalar, a constant of each kind.
class Contract : public testing::Test {
protected:
  std::vector<TensorSpec> arguments = {{"q", Kind::key, false, false, DType::f32, ""},
                                       {"k", Kind::key, false, false, DType::f32, ""},
                                       {"v", Kind::value, false, false, DType::f32, ""},
                                       {"g", Kind::key, false, true, DType::f32, ""},
                                       {"beta", Kind::scalar, false, false, DType::f32, ""},
                                       {"c", Kind::scalar, true, false, DType::f32, ""},
                                       {"u", Kind::key, true, false, DType::f32, ""},
                                       {"D", Kind::value, true, false, DType::f32, ""},
                                       {"A", Kind::matrix, true, false, DType::f32, ""}};
  std::vector<TensorSpec> results = {{"o", Kind::value, false, false, DType::f32, ""}};
  TensorMap tensors;
  int64_t keyDim = 0, valueDim = 0;

  void SetUp() override {
    set("q", {2, 5, 2, 16});
    set("k", {2, 5, 2, 16});
    set("v", {2, 5, 4, 32});
    set("g", {2, 5, 4, 16});
    set("beta", {2, 5, 4});
    set("c", {4});
    set("u", {4, 16});
    set("D", {4, 32});
    set("A", {4, 16, 32});
  }
  void set(const std::string &name, Shape shape, DType dtype = DType::f32) {
    tensors[name] = Tensor::empty(dtype, std::move(shape));
  }
  void setStarts(std::vector<int64_t> starts) {
    for (const char *name : {"q", "k", "v", "g", "beta"})
      tensors[name].shape[0] = 1;
    set("cu_seqlens", {static_cast<int64_t>(starts.size())}, DType::i64);
    std::copy(starts.begin(), starts.end(), tensors["cu_seqlens"].data<int64_t>());
  }
  Sizes check(bool gradients = false) {
    return checkTensors({arguments, results, keyDim, valueDim}, viewsOf(tensors), gradients);
  }
  std::string error(bool gradients = false) {
    try {
      check(gradients);
    } catch (const UserError &error) {
      return error.what();
    }
    return "no error";
  }
};

TEST_F(Contract, Sizes) {
  Sizes sizes = check();
  EXPECT_EQ(sizes.keyHeads, 2);
  EXPECT_EQ(sizes.valueHeads, 4);
  EXPECT_EQ(sizes.keyDim, 16);
  EXPECT_EQ(sizes.valueDim, 32);
  EXPECT_EQ(sizes.starts, (std::vector<int64_t>{0, 5, 10}));
  setStarts({0, 0, 3, 5});
  EXPECT_EQ(check().sequences(), 3);
}

TEST_F(Contract, OutputsFollowTheInputs) {
  set("q", {2, 5, 2, 16}, DType::bf16);
  set("initial_state", {2, 4, 16, 32}, DType::f16);
  Signature signature{arguments, results};
  ViewMap gradients = gradientOutputs(signature, viewsOf(tensors));
  EXPECT_EQ(gradients["dq"].dtype, DType::bf16);
  EXPECT_EQ(gradients["dg"].shape, (Shape{2, 5, 4, 16}));
  EXPECT_EQ(gradients["dinitial_state"].dtype, DType::f16);
  ViewMap outputs = forwardOutputs(signature, check(), DType::f16);
  EXPECT_EQ(outputs["o"].shape, (Shape{2, 5, 4, 32}));
  EXPECT_EQ(outputs["o"].dtype, DType::f16);
  EXPECT_EQ(outputs["final_state"].dtype, DType::f32);
}

TEST_F(Contract, MissingAndUnknown) {
  tensors.erase("beta");
  EXPECT_EQ(error(), "expected a tensor 'beta', got none of this name");
  set("beta", {2, 5, 4});
  set("bias", {4});
  EXPECT_EQ(error(), "expected tensors q, k, v, g, beta, c, u, D, A, do, initial_state, dfinal_state or "
                     "cu_seqlens, got 'bias'");
}

TEST_F(Contract, DTypes) {
  set("q", {2, 5, 2, 16}, DType::f64);
  EXPECT_EQ(error(), "tensor 'q': expected dtype f32, f16 or bf16, got f64");
}

TEST_F(Contract, Ranks) {
  set("v", {2, 5, 32});
  EXPECT_EQ(error(), "tensor 'v': expected shape [batch, tokens, value heads, value dimension], got [2, 5, 32]");
  SetUp();
  set("c", {1, 4});
  EXPECT_EQ(error(), "tensor 'c': expected shape [value heads], got [1, 4]");
}

TEST_F(Contract, Shapes) {
  set("beta", {2, 5, 3});
  EXPECT_EQ(error(), "tensor 'beta': expected shape [2, 5, 4], got [2, 5, 3]");
  SetUp();
  set("k", {2, 6, 2, 16});
  EXPECT_EQ(error(), "tensor 'k': expected shape [2, 5, 2, 16], got [2, 6, 2, 16]");
  SetUp();
  set("A", {4, 32, 16});
  EXPECT_EQ(error(), "tensor 'A': expected shape [4, 16, 32], got [4, 32, 16]");
}

TEST_F(Contract, HeadGroups) {
  set("q", {2, 5, 3, 16});
  EXPECT_EQ(error(), "tensor 'q': expected key heads that divide the 4 value heads of 'v', got 3 heads");
  set("q", {2, 5, 1, 16});
  EXPECT_EQ(error(), "tensor 'k': expected 1 heads, as 'q' has, or 4, as 'v' has, got 2");
  set("k", {2, 5, 4, 16});
  EXPECT_EQ(check().keyHeads, 1);
  set("q", {2, 5, 0, 16});
  EXPECT_THAT(error(), HasSubstr("got 0 heads"));
}

TEST_F(Contract, DimensionRanges) {
  for (const char *name : {"q", "k"})
    set(name, {2, 5, 2, 8});
  EXPECT_EQ(error(), "tensor 'q': expected a key dimension from 16 to 256, got 8");
  for (const char *name : {"q", "k"})
    set(name, {2, 5, 2, 257});
  EXPECT_EQ(error(), "tensor 'q': expected a key dimension from 16 to 256, got 257");
  SetUp();
  set("v", {2, 5, 4, 513});
  EXPECT_EQ(error(), "tensor 'v': expected a value dimension from 16 to 512, got 513");
}

TEST_F(Contract, DimensionsOfThePackage) {
  keyDim = 64;
  EXPECT_EQ(error(), "tensor 'q': expected a key dimension of 64, as the package was compiled for, got 16");
}

TEST_F(Contract, Starts) {
  setStarts({0, 3, 5});
  EXPECT_EQ(error(), "no error");
  setStarts({1, 5});
  EXPECT_EQ(error(), "tensor 'cu_seqlens': expected 0 as the first element, got 1");
  setStarts({0, 4});
  EXPECT_EQ(error(), "tensor 'cu_seqlens': expected the number of tokens, 5, as the last element, got 4");
  setStarts({0, 4, 3, 5});
  EXPECT_EQ(error(), "tensor 'cu_seqlens': expected elements that do not descend, got 3 after 4");
  setStarts({});
  EXPECT_EQ(error(), "tensor 'cu_seqlens': expected shape [sequences + 1], got [0]");
  set("cu_seqlens", {2});
  EXPECT_EQ(error(), "tensor 'cu_seqlens': expected dtype i64, got f32");
  SetUp();
  set("cu_seqlens", {2}, DType::i64);
  EXPECT_EQ(error(), "tensor 'cu_seqlens': expected a batch of 1 with packed sequences, got 2 in 'q'");
}

TEST_F(Contract, States) {
  set("initial_state", {1, 4, 16, 32});
  EXPECT_EQ(error(), "tensor 'initial_state': expected shape [2, 4, 16, 32], got [1, 4, 16, 32]");
  set("initial_state", {4, 16, 32});
  EXPECT_THAT(error(), HasSubstr("[sequences, value heads, key dimension, value dimension]"));
}

TEST_F(Contract, CotangentsCountOnlyWithGradients) {
  set("do", {2, 5, 4, 33}, DType::i64);
  set("dfinal_state", {1});
  EXPECT_EQ(error(false), "no error");
  EXPECT_EQ(error(true), "tensor 'do': expected dtype f32, f16 or bf16, got i64");
  set("do", {2, 5, 4, 33});
  tensors.erase("dfinal_state");
  EXPECT_EQ(error(true), "tensor 'do': expected shape [2, 5, 4, 32], got [2, 5, 4, 33]");
}

} // namespace
} // namespace sluice
