// What the interpreter says of tensors that do not fit, and what clamped gates do to its gradients.

#include "test/interpreter/Programs.h"

#include "runtime/Error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

using namespace sluice;

namespace {

const char *text = R"(
recur.recurrence @decayed(%k: !recur.key, %v: !recur.value, %g: f32) state(%state: !recur.state) -> !recur.value {
  %s = recur.decay %state by %g : f32
  %next = recur.write %v at %k into %s
  %o = recur.read %next at %k
  recur.yield %o, %next : !recur.value
})";

Tensor filled(Shape shape, double number) {
  Tensor tensor = Tensor::empty(DType::f64, std::move(shape));
  std::fill_n(tensor.data<double>(), tensor.elements(), number);
  return tensor;
}

TensorMap inputs(int64_t tokens = 4) {
  return {{"k", filled({1, tokens, 1, 3}, 0.5)},
          {"v", filled({1, tokens, 2, 2}, 1)},
          {"g", filled({1, tokens, 2}, -0.1)}};
}

std::string messageOf(const TensorMap &tensors) {
  test::ParsedProgram program(text);
  try {
    recur::interpret(program.get(), tensors, true);
  } catch (const UserError &error) {
    return error.what();
  }
  return "";
}

} // namespace

TEST(InterpreterTensors, RejectsWhatDoesNotFit) {
  TensorMap tensors = inputs();
  tensors.erase("v");
  EXPECT_EQ(messageOf(tensors), "expected tensor 'v', got none");
  tensors = inputs();
  tensors["x"] = filled({1}, 0);
  EXPECT_THAT(messageOf(tensors), testing::HasSubstr("got tensor 'x'"));
  tensors = inputs();
  tensors["g"] = filled({1, 5, 2}, 0);
  EXPECT_EQ(messageOf(tensors), "expected 'g' of shape [1, 4, 2], got [1, 5, 2]");
  tensors = inputs();
  tensors["initial_state"] = filled({1, 2, 3, 4}, 0);
  EXPECT_EQ(messageOf(tensors), "expected 2 value channels in 'initial_state', got 4");
}

TEST(InterpreterTensors, NoTokensKeepTheState) {
  test::ParsedProgram program(text);
  TensorMap tensors = inputs(0);
  tensors["initial_state"] = filled({1, 2, 3, 2}, 3);
  tensors["dfinal_state"] = filled({1, 2, 3, 2}, 5);
  TensorMap outputs = recur::interpret(program.get(), tensors, true);
  EXPECT_EQ(outputs["final_state"].data<double>()[0], 3);
  EXPECT_EQ(outputs["dinitial_state"].data<double>()[0], 5);
  EXPECT_EQ(outputs["o"].elements(), 0);
}

TEST(InterpreterTensors, ClampedGatesHaveNoGradient) {
  test::ParsedProgram program(text);
  TensorMap tensors = inputs();
  tensors["do"] = filled({1, 4, 2, 2}, 1);
  double gates[] = {-0.1, -0.1, -0.1, -INFINITY, -128, -1000, -0.1, -0.1};
  std::copy_n(gates, 8, tensors["g"].data<double>());
  TensorMap outputs = recur::interpret(program.get(), tensors, true);
  const double *gradient = outputs["dg"].data<double>();
  EXPECT_NE(gradient[2], 0);
  EXPECT_EQ(gradient[3], 0);
  EXPECT_EQ(gradient[4], 0);
  EXPECT_EQ(gradient[5], 0);
  EXPECT_NE(gradient[6], 0);
}
