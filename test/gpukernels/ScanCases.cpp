// Launch record, arguments and reference of chunk_scan.cu.
#include "test/gpukernels/GpuKernels.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::gpukernels {

namespace {

constexpr int64_t chunk = 64, keySize = 128;

Sizes scanSizes(int64_t sequences, int64_t tokens, int64_t values, int64_t blocks) {
  return {{"sequences", sequences}, {"tokens", tokens}, {"values", values}, {"blocks", blocks}};
}

Array uniform(DType dtype, int64_t elements, uint64_t seed, double scale, double shift = 0) {
  Array array(dtype, elements, true);
  fillUniform(array, seed);
  for (int64_t i = 0; i < elements; ++i)
    array.set(i, array.at(i) * scale + shift);
  return array;
}

/// Keys of length about 0.4: with weights below 1 no chunk of them makes the state grow.
Arrays arguments(const Sizes &s, uint64_t seed) {
  int64_t rows = s.at("sequences") * s.at("tokens");
  Arrays arrays;
  arrays["keys"] = uniform(DType::bf16, rows * keySize, seed, 0.06);
  arrays["queries"] = uniform(DType::bf16, rows * keySize, seed + 1, 0.2);
  arrays["values"] = uniform(DType::bf16, rows * s.at("values"), seed + 2, 1);
  arrays["weights"] = uniform(DType::f32, rows, seed + 3, 0.5, 0.5);
  arrays["logDecays"] = uniform(DType::f32, rows, seed + 4, 0.01, -0.01);
  arrays["target"] = Array(DType::bf16, rows * s.at("values"), false);
  arrays["finalState"] = Array(DType::f32, s.at("sequences") * keySize * s.at("values"), false);
  return arrays;
}

std::vector<double> valuesOf(const Array &array) {
  std::vector<double> values(array.elements());
  for (int64_t i = 0; i < array.elements(); ++i)
    values[i] = array.at(i);
  return values;
}

struct Inputs {
  std::vector<double> keys, queries, values, weights, logDecays;
  explicit Inputs(const Arrays &arrays)
      : keys(valuesOf(arrays.at("keys"))), queries(valuesOf(arrays.at("queries"))),
        values(valuesOf(arrays.at("values"))), weights(valuesOf(arrays.at("weights"))),
        logDecays(valuesOf(arrays.at("logDecays"))) {}
};

/// One sequence of one launch, by rows.
struct Sequence {
  const Inputs &inputs;
  int64_t tokens, values, index;

  double key(int64_t token, int64_t i) const { return inputs.keys[(index * tokens + token) * keySize + i]; }
  double query(int64_t token, int64_t i) const {
    return inputs.queries[(index * tokens + token) * keySize + i];
  }
  double value(int64_t token, int64_t v) const {
    return inputs.values[(index * tokens + token) * values + v];
  }
  double weight(int64_t token) const { return inputs.weights[index * tokens + token]; }
  double logDecay(int64_t token) const { return inputs.logDecays[index * tokens + token]; }
};

/// Column v of state and results, chunk by chunk: `state` has keySize entries.
void advance(const Sequence &sequence, int64_t v, int64_t first, std::vector<double> &state,
             const std::vector<double> &scores, std::vector<double> &outputs) {
  const int64_t count = std::min(chunk, sequence.tokens - first);
  std::vector<double> update(count);
  double logDecay = 0;
  for (int64_t t = 0; t < count; ++t) {
    double read = 0;
    for (int64_t i = 0; i < keySize; ++i)
      read += sequence.key(first + t, i) * state[i];
    update[t] = sequence.weight(first + t) * (sequence.value(first + t, v) - read);
    logDecay += sequence.logDecay(first + t);
  }
  for (int64_t t = 0; t < count; ++t) {
    double output = 0;
    for (int64_t i = 0; i < keySize; ++i)
      output += sequence.query(first + t, i) * state[i];
    for (int64_t other = 0; other <= t; ++other)
      output += scores[t * chunk + other] * update[other];
    outputs[(sequence.index * sequence.tokens + first + t) * sequence.values + v] = output;
  }
  for (int64_t i = 0; i < keySize; ++i) {
    state[i] *= std::exp2(logDecay);
    for (int64_t t = 0; t < count; ++t)
      state[i] += sequence.key(first + t, i) * update[t];
  }
}

Expectations reference(const Sizes &s, const Arrays &arrays) {
  Expected outputs{std::vector<double>(arrays.at("target").elements()), {}, 0.006};
  Expected finals{std::vector<double>(arrays.at("finalState").elements()), {}, 0.006};
  if (s.at("tokens") == 0) // nothing is launched
    finals.value.assign(finals.value.size(), std::numeric_limits<double>::quiet_NaN());
  const Inputs inputs(arrays);
  std::vector<double> scores(chunk * chunk);
  for (int64_t index = 0; index < s.at("sequences") && s.at("tokens") > 0; ++index) {
    const Sequence sequence{inputs, s.at("tokens"), s.at("values"), index};
    std::vector<std::vector<double>> states(s.at("values"), std::vector<double>(keySize, 0));
    for (int64_t first = 0; first < s.at("tokens"); first += chunk) {
      for (int64_t t = 0; t < std::min(chunk, s.at("tokens") - first); ++t)
        for (int64_t other = 0; other <= t; ++other) {
          double dot = 0;
          for (int64_t i = 0; i < keySize; ++i)
            dot += sequence.query(first + t, i) * sequence.key(first + other, i);
          scores[t * chunk + other] = dot;
        }
      for (int64_t v = 0; v < s.at("values"); ++v)
        advance(sequence, v, first, states[v], scores, outputs.value);
    }
    for (int64_t v = 0; v < s.at("values"); ++v)
      for (int64_t i = 0; i < keySize; ++i)
        finals.value[(index * keySize + i) * s.at("values") + v] = states[v][i];
  }
  return {{"target", outputs}, {"finalState", finals}};
}

ParameterRecord rowsMap(const std::string &name, Direction direction, SizeExpression columns) {
  const std::string text = columns.text();
  return mapParameter(name, DType::bf16, direction, {columns, "tokens", "sequences"},
                      {columns, "tokens * (" + text + ")"}, {64, 64, 1}, TileSwizzle::bytes128);
}

} // namespace

std::vector<KernelCase> scanCases() {
  KernelCase one{.name = "chunk_scan", .source = "chunk_scan.cu", .target = "sm_90a"};
  one.record.kernel = "chunk_scan";
  one.record.sizes = {"sequences", "tokens", "values", "blocks"};
  one.record.grid = {"min(blocks, sequences * ceildiv(values, 64)) * min(tokens, 1)", 1, 1};
  one.record.threads = 384;
  // Three stages of five tiles, two tiles of scores, two of outputs, gates, barriers.
  one.record.sharedBytes = (3 * 5 + 2 + 2) * 8192 + 3 * 320 + (2 * 3 + 2 * 2) * 8;
  one.record.roles = {{"load", 128, 40}, {"scores", 128, 168}, {"state", 128, 240}};
  one.record.registersAtLaunch = 168;
  one.record.parameters = {
      rowsMap("keys", Direction::read, keySize),
      rowsMap("queries", Direction::read, keySize),
      rowsMap("values", Direction::read, "values"),
      rowsMap("target", Direction::write, "values"),
      tensorParameter("weights", DType::f32, Direction::read, {"sequences", "tokens"}),
      tensorParameter("logDecays", DType::f32, Direction::read, {"sequences", "tokens"}),
      tensorParameter("finalState", DType::f32, Direction::write, {"sequences", keySize, "values"}),
      sizeParameter("sequenceCount", "sequences"),
      sizeParameter("tokenCount", "tokens"),
      sizeParameter("valueSize", "values")};
  // Of a value size that is no multiple of 8 the rows would not be a multiple of 16 bytes apart.
  one.sizes = {scanSizes(0, 5, 64, 1),   scanSizes(2, 0, 64, 1),  scanSizes(1, 1, 64, 1),
               scanSizes(1, 64, 8, 4),   scanSizes(2, 65, 72, 1), scanSizes(3, 130, 64, 2),
               scanSizes(1, 500, 128, 8)};
  one.small = scanSizes(2, 200, 64, 1);
  one.large = scanSizes(64, 8192, 128, 132);
  one.makeArguments = arguments;
  one.reference = reference;
  return {one};
}

} // namespace sluice::gpukernels
