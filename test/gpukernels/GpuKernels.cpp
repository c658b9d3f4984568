// Arrays, comparison and the list of all kernels.
#include "test/gpukernels/GpuKernels.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>

namespace sluice::gpukernels {

namespace {

template <typename T> T load(const std::vector<uint8_t> &bytes, int64_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

template <typename T> void store(std::vector<uint8_t> &bytes, int64_t index, T value) {
  std::memcpy(bytes.data() + index * sizeof(T), &value, sizeof(T));
}

uint16_t toBfloat(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

bool sameBytes(const Array &a, const Array &b, int64_t index) {
  size_t size = sizeOf(a.dtype);
  return std::memcmp(a.bytes.data() + index * size, b.bytes.data() + index * size, size) == 0;
}

std::string elementText(const std::string &name, int64_t index, const std::string &expected, double got) {
  return name + "[" + std::to_string(index) + "]: expected " + expected + ", got " + std::to_string(got);
}

std::string compareRms(const std::string &name, const Expected &expected, const Array &after) {
  double error = 0, square = 0;
  for (size_t i = 0; i < expected.value.size(); ++i) {
    if (std::isnan(expected.value[i]))
      continue;
    double difference = after.at(i) - expected.value[i];
    if (!std::isfinite(difference))
      return elementText(name, i, std::to_string(expected.value[i]), after.at(i));
    error += difference * difference;
    square += expected.value[i] * expected.value[i];
  }
  double ratio = error == 0 ? 0 : std::sqrt(error / square);
  return ratio <= expected.rmsRatio
             ? ""
             : name + ": expected an error ratio of at most " + std::to_string(expected.rmsRatio) + ", got " +
                   std::to_string(ratio);
}

std::string compareArray(const std::string &name, const Expected &expected, const Array &before,
                         const Array &after) {
  for (size_t i = 0; i < expected.value.size(); ++i) {
    if (std::isnan(expected.value[i])) {
      if (!sameBytes(before, after, i))
        return elementText(name, i, "an element that is not written", after.at(i));
    } else if (expected.rmsRatio == 0) {
      double bound = expected.bound.empty() ? 0 : expected.bound[i];
      if (!(std::fabs(after.at(i) - expected.value[i]) <= bound))
        return elementText(name, i, std::to_string(expected.value[i]) + " within " + std::to_string(bound),
                           after.at(i));
    }
  }
  return expected.rmsRatio == 0 ? "" : compareRms(name, expected, after);
}

} // namespace

Array::Array(DType dtype, int64_t elements, bool input)
    : dtype(dtype), input(input), bytes(elements * sizeOf(dtype), 0xa5) {}

double Array::at(int64_t index) const {
  switch (dtype) {
  case DType::f32:
    return load<float>(bytes, index);
  case DType::f16:
    return load<_Float16>(bytes, index);
  case DType::bf16:
    return std::bit_cast<float>(uint32_t(load<uint16_t>(bytes, index)) << 16);
  default:
    throw std::logic_error("expected an array of floats");
  }
}

void Array::set(int64_t index, double value) {
  switch (dtype) {
  case DType::f32:
    return store(bytes, index, static_cast<float>(value));
  case DType::f16:
    return store(bytes, index, static_cast<_Float16>(value));
  case DType::bf16:
    return store(bytes, index, toBfloat(static_cast<float>(value)));
  default:
    throw std::logic_error("expected an array of floats");
  }
}

std::string compare(const Expectations &expected, const Arrays &before, const Arrays &after) {
  for (const auto &[name, array] : expected)
    if (std::string text = compareArray(name, array, before.at(name), after.at(name)); !text.empty())
      return text;
  for (const auto &[name, array] : after)
    if (array.input && array.bytes != before.at(name).bytes)
      return name + ": expected an input to stay as it was, got other values";
  return "";
}

std::string toString(const Sizes &sizes) {
  std::string text;
  for (const auto &[name, value] : sizes)
    text += (text.empty() ? "" : " ") + name + "=" + std::to_string(value);
  return text;
}

void fillUniform(Array &array, uint64_t seed) {
  std::mt19937_64 generator(seed * 1000003 + array.bytes.size());
  for (int64_t i = 0; i < array.elements(); ++i)
    array.set(i, std::ldexp(static_cast<double>(generator() >> 12), -51) - 1);
}

ParameterRecord tensorParameter(std::string name, DType dtype, Direction direction,
                                std::vector<SizeExpression> shape, std::vector<SizeExpression> strides,
                                SizeExpression offset) {
  ParameterRecord parameter;
  parameter.name = std::move(name);
  parameter.dtype = dtype;
  parameter.direction = direction;
  parameter.shape = std::move(shape);
  parameter.strides = std::move(strides);
  parameter.offset = std::move(offset);
  return parameter;
}

ParameterRecord sizeParameter(std::string name, SizeExpression value) {
  ParameterRecord parameter;
  parameter.name = std::move(name);
  parameter.kind = ParameterRecord::Kind::size;
  parameter.dtype = DType::i64;
  parameter.value = std::move(value);
  return parameter;
}

ParameterRecord valueParameter(std::string name, DType dtype) {
  ParameterRecord parameter;
  parameter.name = std::move(name);
  parameter.kind = ParameterRecord::Kind::value;
  parameter.dtype = dtype;
  return parameter;
}

ParameterRecord workspaceParameter(std::string name, DType dtype, SizeExpression bytes, std::string initial) {
  ParameterRecord parameter;
  parameter.name = std::move(name);
  parameter.kind = ParameterRecord::Kind::workspace;
  parameter.dtype = dtype;
  parameter.direction = Direction::readWrite;
  parameter.bytes = std::move(bytes);
  parameter.initial = std::move(initial);
  return parameter;
}

ParameterRecord mapParameter(std::string name, DType dtype, Direction direction,
                             std::vector<SizeExpression> dims, std::vector<SizeExpression> strides,
                             std::vector<uint32_t> box, TileSwizzle swizzle) {
  ParameterRecord parameter;
  parameter.name = name;
  parameter.kind = ParameterRecord::Kind::tensorMap;
  parameter.dtype = dtype;
  parameter.direction = direction;
  parameter.map.argument = std::move(name);
  parameter.map.dims = std::move(dims);
  parameter.map.strides = std::move(strides);
  parameter.map.box = std::move(box);
  parameter.map.swizzle = swizzle;
  return parameter;
}

const std::vector<KernelCase> &kernelCases() {
  static const std::vector<KernelCase> all = [] {
    std::vector<KernelCase> cases;
    for (auto make : {copyCases, gemmCases, inverseCases, clusterCases, chainCases, scanCases, handoverCases})
      for (KernelCase &one : make())
        cases.push_back(std::move(one));
    return cases;
  }();
  return all;
}

const KernelCase &kernelCase(const std::string &name) {
  for (const KernelCase &one : kernelCases())
    if (one.name == name)
      return one;
  throw std::out_of_range("expected the name of a kernel, got '" + name + "'");
}

} // namespace sluice::gpukernels
