// The hand-written kernels of this folder, each with all that it takes to launch it and to judge what it did:
// launch record, sizes, arguments from a seed, reference in float64. Knows neither the emulator nor a GPU nor
// a test framework.
#pragma once

#include "runtime/LaunchRecord.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sluice::gpukernels {

using Sizes = std::map<std::string, int64_t>;

/// The elements of one tensor argument, in memory order, padding between rows included.
struct Array {
  DType dtype = DType::f32;
  bool input = true; ///< False: only written by the kernel; holds a pattern before.
  std::vector<uint8_t> bytes;

  Array() = default;
  Array(DType dtype, int64_t elements, bool input);
  int64_t elements() const { return static_cast<int64_t>(bytes.size()) / sizeOf(dtype); }
  double at(int64_t index) const;
  /// Rounds to nearest even.
  void set(int64_t index, double value);
};
using Arrays = std::map<std::string, Array>;

/// What an output must hold.
struct Expected {
  std::vector<double> value; ///< NaN: the kernel must not write this element.
  std::vector<double> bound; ///< The error allowed for each element; empty: none.
  double rmsRatio = 0;       ///< Not 0: instead of bounds, of the error's to the value's root mean square.
};
using Expectations = std::map<std::string, Expected>;

struct KernelCase {
  std::string name;   ///< Of the entry point, and of the case.
  std::string source; ///< In this folder; holds several entry points.
  std::string target; ///< "sm_80", "sm_90" or "sm_90a": what it needs at least.
  LaunchRecord record = {};
  std::vector<Sizes> sizes = {}; ///< Ragged, one, none, large.
  Sizes small = {};              ///< Enough to go round every ring.
  Sizes large = {};              ///< For rates.
  std::map<std::string, double> values = {};
  /// Every tensor argument.
  std::function<Arrays(const Sizes &, uint64_t seed)> makeArguments = {};
  /// Every output, from the arguments before the launch.
  std::function<Expectations(const Sizes &, const Arrays &)> reference = {};
};

const std::vector<KernelCase> &kernelCases();
const KernelCase &kernelCase(const std::string &name);

/// "" if the arguments after the launch are as expected, else the first difference in one line.
std::string compare(const Expectations &expected, const Arrays &before, const Arrays &after);

/// "k=4 m=3": the sizes in one line.
std::string toString(const Sizes &sizes);

// For the files of cases.
std::vector<KernelCase> copyCases();
std::vector<KernelCase> gemmCases();
std::vector<KernelCase> inverseCases();
std::vector<KernelCase> clusterCases();
std::vector<KernelCase> chainCases();
std::vector<KernelCase> scanCases();
std::vector<KernelCase> handoverCases();

ParameterRecord tensorParameter(std::string name, DType dtype, Direction direction,
                                std::vector<SizeExpression> shape, std::vector<SizeExpression> strides = {},
                                SizeExpression offset = 0);
ParameterRecord sizeParameter(std::string name, SizeExpression value);
ParameterRecord valueParameter(std::string name, DType dtype);
ParameterRecord workspaceParameter(std::string name, DType dtype, SizeExpression bytes, std::string initial);
/// A map over the argument of the parameter's name. Innermost dimension first; strides of the others.
ParameterRecord mapParameter(std::string name, DType dtype, Direction direction,
                             std::vector<SizeExpression> dims, std::vector<SizeExpression> strides,
                             std::vector<uint32_t> box, TileSwizzle swizzle);

/// Uniform in [-1, 1), rounded to the array's type.
void fillUniform(Array &array, uint64_t seed);

} // namespace sluice::gpukernels
