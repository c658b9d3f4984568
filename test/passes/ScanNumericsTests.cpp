// The independent check of the passes: chunk and step forms of every program, forward and adjoint, against
// each other and against central differences, all in float64. Each test is one recurrence.

#include "passes/recur/Passes.h"
#include "test/passes/ScanRunner.h"
#include "test/random/ProgramGenerator.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>
#include <limits>
#include <random>

using namespace sluice::recur;
using namespace sluice::test;
using mlir::ModuleOp;
namespace fs = std::filesystem;

namespace {

mlir::MLIRContext &getContext() {
  static mlir::MLIRContext *context = [] {
    auto *made = new mlir::MLIRContext;
    made->loadDialect<RecurDialect, mlir::arith::ArithDialect, mlir::math::MathDialect>();
    return made;
  }();
  return *context;
}

/// FILE@NAME of every recurrence in the built-in and the odd programs.
std::vector<std::string> listPrograms() {
  std::vector<std::string> programs;
  for (const char *folder : {"/models/recurrences", "/test/passes/Inputs", "/test/recurrences"})
    for (const auto &entry : fs::directory_iterator(SLUICE_SOURCE_DIR + std::string(folder))) {
      if (entry.path().extension() != ".mlir")
        continue;
      auto module = mlir::parseSourceFile<ModuleOp>(entry.path().string(), &getContext());
      if (!module)
        throw std::runtime_error("cannot parse " + entry.path().string());
      for (auto recurrence : module->getOps<RecurrenceOp>())
        programs.push_back(entry.path().string() + "@" + recurrence.getSymName().str());
    }
  std::sort(programs.begin(), programs.end());
  return programs;
}

struct Program {
  mlir::OwningOpRef<ModuleOp> module;
  RecurrenceOp recurrence;
};

Program loadProgram(const std::string &name) {
  size_t split = name.rfind('@');
  Program program{mlir::parseSourceFile<ModuleOp>(name.substr(0, split), &getContext()), {}};
  program.recurrence = program.module->lookupSymbol<RecurrenceOp>(name.substr(split + 1));
  return program;
}

Program parseProgram(const std::string &text) {
  Program program{mlir::parseSourceString<ModuleOp>(text, &getContext()), {}};
  if (program.module)
    program.recurrence = *program.module->getOps<RecurrenceOp>().begin();
  return program;
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

/// Draws as the argument's attribute says; else g... is a log decay, other scalars lie between 0 and 1 and
/// keys have unit norm.
class Drawer {
public:
  explicit Drawer(unsigned seed) : random(seed) {}

  double normal() { return distribution(random); }
  Array normal(std::vector<int64_t> shape, double scale = 1) {
    Array x(shape);
    for (double &value : x.data)
      value = scale * normal();
    return x;
  }

  Array draw(const std::string &name, std::string how, Kind kind, std::vector<int64_t> shape) {
    bool perToken = shape.size() == (kind == Kind::Scalar ? 1 : 2) && kind != Kind::Matrix;
    if (how.empty())
      how = name[0] == 'g'                  ? "gate"
            : kind == Kind::Scalar          ? "sigmoid"
            : kind == Kind::Key && perToken ? "unit"
                                            : "normal";
    Array x = normal(shape, how == "constant" ? 0.1 : 1);
    for (double &value : x.data)
      if (how == "gate")
        value = -std::log1p(std::exp(-value - 2));
      else if (how == "sigmoid")
        value = 1 / (1 + std::exp(-value));
      else if (how == "softplus")
        value = std::log1p(std::exp(value));
    if (how == "unit" && perToken)
      normalizeRows(x);
    return x;
  }

private:
  void normalizeRows(Array &x) {
    for (int64_t r = 0; r < x.rows(); ++r) {
      double sum = 0;
      for (int64_t c = 0; c < x.columns(); ++c)
        sum += x.at(r, c) * x.at(r, c);
      for (int64_t c = 0; c < x.columns(); ++c)
        x.at(r, c) /= std::sqrt(sum);
    }
  }

  std::mt19937 random;
  std::normal_distribution<double> distribution;
};

std::vector<int64_t> getShape(Kind kind, bool perToken, const Sequence &sequence) {
  std::vector<int64_t> shape;
  if (perToken)
    shape.push_back(sequence.tokens);
  if (kind == Kind::Key || kind == Kind::Matrix)
    shape.push_back(sequence.keyDim);
  if (kind == Kind::Value || kind == Kind::Matrix)
    shape.push_back(sequence.valueDim);
  return shape;
}

Sequence drawSequence(RecurrenceOp recurrence, ScanOp forward, const ScanOptions &options) {
  Drawer drawer(17);
  int64_t keyDim = options.keyDim, valueDim = options.valueDim;
  Sequence sequence{40, keyDim, valueDim, {}, {}};
  for (auto [index, port] : llvm::enumerate(forward.getInputs().getAsRange<PortAttr>())) {
    if (port.getRole() != Role::Argument)
      continue;
    bool perToken = port.getExtent() == Extent::PerToken;
    std::string name = port.getName().str();
    sequence.inputs[name] = drawer.draw(name, recurrence.getDraw(index).str(), port.getKind(),
                                        getShape(port.getKind(), perToken, sequence));
  }
  for (PortAttr port : forward.getOutputs().getAsRange<PortAttr>())
    if (port.getRole() == Role::Result)
      sequence.cotangents[port.getName().str()] = drawer.normal(getShape(port.getKind(), true, sequence));
  sequence.inputs["initial_state"] = drawer.normal({keyDim, valueDim}, 0.5);
  sequence.cotangents["final_state"] = drawer.normal({keyDim, valueDim});
  return sequence;
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

void expectClose(const Tensors &actual, const Tensors &expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto &[name, reference] : expected) {
    const Array &x = actual.at(name);
    ASSERT_EQ(x.shape, reference.shape) << name;
    double scale = 1, error = 0;
    for (int64_t i = 0; i < x.size(); ++i) {
      ASSERT_TRUE(std::isfinite(reference.data[i])) << name << " is not finite at " << i;
      ASSERT_TRUE(std::isfinite(x.data[i])) << name << " is not finite at " << i;
      scale = std::max(scale, std::abs(reference.data[i]));
      error = std::max(error, std::abs(x.data[i] - reference.data[i]));
    }
    EXPECT_LE(error / scale, tolerance) << name;
  }
}

double getInner(const Array &x, const Array &y) {
  double sum = 0;
  for (int64_t i = 0; i < x.size(); ++i)
    sum += x.data[i] * y.data[i];
  return sum;
}

/// The scalar whose gradient the adjoint is.
double getLoss(ScanOp forward, const Sequence &sequence) {
  Tensors results = runScans(forward, {}, sequence);
  double loss = 0;
  for (const auto &[name, cotangent] : sequence.cotangents)
    loss += getInner(results.at(name), cotangent);
  return loss;
}

/// Directional derivatives of each input by a five-point difference.
void expectGradients(ScanOp forward, const Tensors &results, const Sequence &sequence) {
  Drawer drawer(5);
  for (const auto &[name, x] : sequence.inputs) {
    Array direction = drawer.normal(x.shape);
    auto lossAt = [&](double step) {
      Sequence moved = sequence;
      for (int64_t i = 0; i < x.size(); ++i)
        moved.inputs[name].data[i] += step * direction.data[i];
      return getLoss(forward, moved);
    };
    double h = 1e-4;
    double expected = (8 * (lossAt(h) - lossAt(-h)) - (lossAt(2 * h) - lossAt(-2 * h))) / (12 * h);
    double actual = getInner(results.at("d" + name), direction);
    EXPECT_NEAR(actual, expected, 1e-6 * std::max(1.0, std::abs(expected))) << name;
  }
}

/// Builds both scans of one form; null where there is no chunk form.
std::pair<ScanOp, ScanOp> buildScans(RecurrenceOp recurrence, bool chunk, const ScanOptions &options) {
  if (chunk && !classify(recurrence).chunkable)
    return {};
  auto forward = chunk ? buildChunkScan(recurrence, options) : buildStepScan(recurrence, options);
  EXPECT_TRUE(succeeded(forward));
  auto adjoint = differentiate(*forward, options);
  EXPECT_TRUE(succeeded(adjoint));
  EXPECT_TRUE(succeeded(mlir::verify(*forward)) && succeeded(mlir::verify(*adjoint)));
  return {*forward, *adjoint};
}

class ScanNumerics : public testing::TestWithParam<std::string> {};

/// `program` and `other` are the same.
void compareForms(Program program, Program other, ScanOptions options, double tolerance) {
  auto [step, stepAdjoint] = buildScans(program.recurrence, false, options);
  Sequence sequence = drawSequence(program.recurrence, step, options);
  Tensors reference = runScans(step, stepAdjoint, sequence);

  ScanOptions sparse = options;
  sparse.checkpoint = 7;
  auto [sparseStep, sparseAdjoint] = buildScans(other.recurrence, false, sparse);
  expectClose(runScans(sparseStep, sparseAdjoint, sequence), reference, 1e-12);

  auto [chunk, chunkAdjoint] = buildScans(program.recurrence, true, options);
  if (chunk)
    expectClose(runScans(chunk, chunkAdjoint, sequence), reference, tolerance);
}

TEST_P(ScanNumerics, GradientsAreDifferences) {
  ScanOptions options{.chunk = 16, .keyDim = 16, .valueDim = 16};
  Program program = loadProgram(GetParam());
  auto [forward, adjoint] = buildScans(program.recurrence, false, options);
  Sequence sequence = drawSequence(program.recurrence, forward, options);
  expectGradients(forward, runScans(forward, adjoint, sequence), sequence);
}

TEST_P(ScanNumerics, FormsAgree) {
  ScanOptions options{.chunk = 16, .keyDim = 16, .valueDim = 16};
  compareForms(loadProgram(GetParam()), loadProgram(GetParam()), options, 1e-9);
}

TEST_P(ScanNumerics, FormsAgreeWherePadded) {
  ScanOptions options{.chunk = 16, .keyDim = 20, .valueDim = 24};
  compareForms(loadProgram(GetParam()), loadProgram(GetParam()), options, 1e-9);
}

TEST_P(ScanNumerics, FormsAgreeWithRecomputedInverse) {
  ScanOptions options{.chunk = 32, .keyDim = 9, .valueDim = 7, .storeInverse = false};
  compareForms(loadProgram(GetParam()), loadProgram(GetParam()), options, 1e-9);
}

std::string getTestName(const testing::TestParamInfo<std::string> &info) {
  std::string name = info.param.substr(info.param.rfind('@') + 1);
  // The odd programs may bear a built-in's name.
  return name + "_" + std::to_string(info.index);
}

INSTANTIATE_TEST_SUITE_P(Programs, ScanNumerics, testing::ValuesIn(listPrograms()), getTestName);

TEST(ScanNumericsOfRandomPrograms, FormsAgree) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    GeneratedProgram generated = generateProgram(seed);
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + generated.text);
    Program program = parseProgram(generated.text), other = parseProgram(generated.text);
    ASSERT_TRUE(program.recurrence);
    ASSERT_EQ(classify(program.recurrence).chunkable, generated.chunkable);
    ScanOptions options{.chunk = 16, .keyDim = 12, .valueDim = 10, .storeInverse = seed % 2 == 0};
    // Constants fold in float32, and not the same ones in both forms.
    compareForms(std::move(program), std::move(other), options, 1e-6);
    if (HasFailure())
      return;
  }
}

/// Resets and gates beyond float32's range, in both forms; a chunk is all that a reset may cut.
TEST(ScanNumericsOfStrongGates, FormsAgree) {
  for (std::string name :
       {"/test/passes/Inputs/chunkable.mlir@decay_last", "/test/passes/Inputs/chunkable.mlir@mixed_gates",
        "/test/passes/Inputs/chunkable.mlir@write_back"}) {
    SCOPED_TRACE(name);
    ScanOptions options{.chunk = 16, .keyDim = 16, .valueDim = 16};
    Program program = loadProgram(SLUICE_SOURCE_DIR + name);
    auto [step, stepAdjoint] = buildScans(program.recurrence, false, options);
    Sequence sequence = drawSequence(program.recurrence, step, options);
    Array &g = sequence.inputs.at("g");
    for (int64_t t : {3, 17, 30})
      g.at(t) = -std::numeric_limits<double>::infinity();
    g.at(21) = -80;
    g.at(22) = -1e4;
    Tensors reference = runScans(step, stepAdjoint, sequence);
    auto [chunk, chunkAdjoint] = buildScans(program.recurrence, true, options);
    expectClose(runScans(chunk, chunkAdjoint, sequence), reference, 1e-9);
    EXPECT_EQ(reference.at("dg").at(3), 0);
  }
}

} // namespace
