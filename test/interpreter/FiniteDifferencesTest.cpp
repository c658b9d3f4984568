// The interpreter's gradients against central differences of its values, on programs that between them use
// every op.

#include "test/interpreter/Programs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace sluice;

namespace {

constexpr int64_t keys = 3, values = 2, tokens = 37, keyHeads = 1, valueHeads = 2;

/// Inputs for any program: all tensors of standard normal numbers, log gates by way of the programs.
TensorMap drawInputs(recur::RecurrenceOp recurrence, std::mt19937 &random) {
  TensorMap inputs;
  std::normal_distribution<double> normal;
  auto draw = [&](const std::string &name, Shape shape) {
    Tensor tensor = Tensor::empty(DType::f64, std::move(shape));
    for (int64_t i = 0; i < tensor.elements(); ++i)
      tensor.data<double>()[i] = normal(random);
    inputs[name] = tensor;
  };
  auto shapeOf = [&](mlir::Type type, bool perHead, int64_t heads) {
    Shape shape = perHead ? Shape{} : Shape{1, tokens};
    shape.push_back(heads);
    if (mlir::isa<recur::KeyType, recur::MatrixType>(type))
      shape.push_back(keys);
    if (mlir::isa<recur::ValueType, recur::MatrixType>(type))
      shape.push_back(values);
    return shape;
  };
  for (auto [index, argument] : llvm::enumerate(recurrence.getProgramArguments())) {
    bool perHead = recurrence.isPerHead(index);
    bool shared = mlir::isa<recur::KeyType>(argument.getType()) && !perHead && index == 0;
    draw(recurrence.getArgumentName(index).str(),
         shapeOf(argument.getType(), perHead, shared ? keyHeads : valueHeads));
  }
  for (auto [index, result] : llvm::enumerate(recurrence.getYield().getValues()))
    draw("d" + recurrence.getResultName(index).str(), shapeOf(result.getType(), false, valueHeads));
  inputs["cu_seqlens"] = Tensor::empty(DType::i64, {4});
  int64_t starts[] = {0, 35, 35, tokens};
  std::copy_n(starts, 4, inputs["cu_seqlens"].data<int64_t>());
  draw("initial_state", {3, valueHeads, keys, values});
  draw("dfinal_state", {3, valueHeads, keys, values});
  return inputs;
}

double inner(const Tensor &x, const Tensor &y) {
  double sum = 0;
  for (int64_t i = 0; i < x.elements(); ++i)
    sum += x.data<double>()[i] * y.data<double>()[i];
  return sum;
}

/// The function whose gradients a run answers: the results' inner products with their cotangents.
double objective(recur::RecurrenceOp recurrence, const TensorMap &inputs) {
  TensorMap outputs = recur::interpret(recurrence, inputs, false);
  double sum = 0;
  for (const auto &[name, tensor] : outputs)
    sum += inner(tensor, inputs.at("d" + name));
  return sum;
}

void checkGradients(const std::string &text) {
  test::ParsedProgram program(text);
  ASSERT_TRUE(program) << text;
  std::mt19937 random(7);
  TensorMap inputs = drawInputs(program.get(), random);
  TensorMap outputs = recur::interpret(program.get(), inputs, true);
  for (auto &[name, tensor] : inputs) {
    auto gradient = outputs.find("d" + name);
    if (gradient == outputs.end())
      continue;
    // Along one random direction: as telling as every element, and quick.
    Tensor direction = Tensor::empty(DType::f64, tensor.shape), original = tensor;
    std::normal_distribution<double> normal;
    for (int64_t i = 0; i < direction.elements(); ++i)
      direction.data<double>()[i] = normal(random);
    auto along = [&](double step) {
      tensor = converted(original.view(), DType::f64);
      for (int64_t i = 0; i < tensor.elements(); ++i)
        tensor.data<double>()[i] += step * direction.data<double>()[i];
      double value = objective(program.get(), inputs);
      tensor = original;
      return value;
    };
    constexpr double step = 1e-6;
    double expected = (along(step) - along(-step)) / (2 * step);
    double got = inner(gradient->second, direction);
    EXPECT_NEAR(got, expected, 1e-5 * std::max(1.0, std::fabs(expected))) << "d" << name << " of " << text;
  }
}

std::string program(const std::string &arguments, const std::string &results, const std::string &body) {
  return "recur.recurrence @program(%q: !recur.key, " + arguments + ") state(%state: !recur.state) -> " +
         results + " {" + body + "}";
}

} // namespace

TEST(FiniteDifferences, StateOps) {
  checkGradients(program(
      "%v: !recur.value, %g: f32, %h: !recur.key, %w: !recur.value, %m: !recur.matrix {recur.per_head}",
      "!recur.value", R"(
    %a = recur.log_sigmoid %g : f32
    %b = recur.log_sigmoid %h : !recur.key
    %c = recur.log_sigmoid %w : !recur.value
    %d = recur.log_sigmoid %m : !recur.matrix
    %s1 = recur.decay %state by %a : f32
    %s2 = recur.decay %s1 by %b : !recur.key
    %s3 = recur.decay_values %s2 by %c
    %s4 = recur.decay_entries %s3 by %d
    %k = recur.normalize %q : !recur.key
    %old = recur.read %s4 at %k
    %u = recur.sub %v, %old : !recur.value
    %next = recur.write %u at %k into %s4
    %fork = recur.write %v at %h into %s2
    %o1 = recur.read %fork at %q
    %o2 = recur.read %next at %q
    %o = recur.add %o1, %o2 : !recur.value
    recur.yield %o, %next : !recur.value)"));
}

TEST(FiniteDifferences, KindsChange) {
  checkGradients(program("%v: !recur.value, %s: f32, %c: !recur.key {recur.per_head}",
                         "(f32, !recur.key, !recur.value)", R"(
    %one = recur.constant 0.1 : !recur.key
    %k = recur.normalize %q : !recur.key
    %ks = recur.scale %c by %s : !recur.key
    %dot = recur.dot %k, %ks : !recur.key
    %sum = recur.sum %v : !recur.value
    %wide = recur.broadcast %dot : f32 to !recur.value
    %rows = recur.broadcast %ks : !recur.key to !recur.matrix
    %columns = recur.broadcast %v : !recur.value to !recur.matrix
    %all = recur.broadcast %s : f32 to !recur.matrix
    %outer = recur.outer %k, %wide
    %m1 = recur.add %rows, %columns : !recur.matrix
    %m2 = recur.mul %m1, %all : !recur.matrix
    %m3 = recur.add %m2, %outer : !recur.matrix
    %gates = recur.log_sigmoid %m3 : !recur.matrix
    %s1 = recur.decay_entries %state by %gates
    %next = recur.write %wide at %one into %s1
    %r = recur.read %next at %ks
    %t = recur.sum %r : !recur.value
    %tk = recur.scale %k by %t : !recur.key
    recur.yield %sum, %tk, %r, %next : f32, !recur.key, !recur.value)"));
}

// Each function at arguments where it is smooth; several in one program.
TEST(FiniteDifferences, PointwiseOps) {
  checkGradients(program("%v: !recur.value, %s: f32", "(f32, !recur.value)", R"(
    %half = arith.constant 0.5 : f32
    %a0 = recur.exp %s : f32
    %a1 = math.exp2 %s : f32
    %a2 = recur.expm1 %s : f32
    %a3 = recur.softplus %s : f32
    %a4 = math.log %a0 : f32
    %a5 = math.log2 %a3 : f32
    %a6 = recur.log1p %a3 : f32
    %a7 = recur.sqrt %a0 : f32
    %a8 = recur.rsqrt %a3 : f32
    %a9 = recur.tanh %s : f32
    %b0 = recur.sigmoid %s : f32
    %b1 = recur.silu %s : f32
    %b2 = recur.abs %s : f32
    %b3 = recur.max %s, %half : f32
    %b4 = recur.min %s, %half : f32
    %b5 = recur.div %s, %a0 : f32
    %b6 = math.fma %a1, %a2, %a4 : f32
    %b7 = arith.mulf %a5, %a6 : f32
    %b8 = arith.subf %a7, %a8 : f32
    %b9 = arith.addf %a9, %b0 : f32
    %c0 = arith.divf %b1, %a0 : f32
    %c1 = arith.negf %b2 : f32
    %c2 = arith.maximumf %b3, %b4 : f32
    %c3 = recur.step %s, %half : f32
    %c4 = recur.mul %c3, %s : f32
    %c5 = recur.clamp_gate %s : f32
    %c6 = recur.clamp_gate_adjoint %s, %b5 : f32
    %d0 = recur.add %b6, %b7 : f32
    %d1 = recur.add %d0, %b8 : f32
    %d2 = recur.add %d1, %b9 : f32
    %d3 = recur.add %d2, %c0 : f32
    %d4 = recur.add %d3, %c1 : f32
    %d5 = recur.add %d4, %c2 : f32
    %d6 = recur.add %d5, %c4 : f32
    %d7 = recur.add %d6, %c5 : f32
    %d8 = recur.add %d7, %c6 : f32
    %g = recur.log_sigmoid %d8 : f32
    %s1 = recur.decay %state by %g : f32
    %next = recur.write %v at %q into %s1
    %o = recur.read %next at %q
    recur.yield %d8, %o, %next : f32, !recur.value)"));
}
