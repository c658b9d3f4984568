// The hand-written package and its reference.
#include "test/runtime/TestPackage.h"

#include "runtime/Files.h"

#include <cmath>
#include <filesystem>
#include <random>

namespace sluice::test {

static Port port(std::string name, PortRole role, Kind kind, bool perHead = false) {
  Port made;
  made.name = std::move(name);
  made.role = role;
  made.kind = kind;
  made.perHead = perHead;
  return made;
}

static std::vector<Port> commonPorts() {
  return {port("q", PortRole::argument, Kind::key), port("k", PortRole::argument, Kind::key),
          port("v", PortRole::argument, Kind::value),
          port("w", PortRole::argument, Kind::scalar, true),
          port("c", PortRole::argument, Kind::scalar, true)};
}

static Port savedPort() {
  Port saved = port("states", PortRole::saved, Kind::state);
  saved.recordElements = testKeyDim * testValueBlock;
  saved.every = 4;
  return saved;
}

static EntryPoint forwardEntry() {
  EntryPoint entry{"recurrent.forward", "test_forward", 1, 16 * 16 * 4, commonPorts()};
  entry.ports.push_back(port("o", PortRole::result, Kind::value));
  entry.ports.push_back(port("initial_state", PortRole::initialState, Kind::state));
  entry.ports.push_back(port("final_state", PortRole::finalState, Kind::state));
  entry.ports.push_back(savedPort());
  return entry;
}

static EntryPoint backwardEntry() {
  EntryPoint entry{"recurrent.backward", "test_backward", 1, 6 * 16 * 16 * 4, commonPorts()};
  entry.ports.push_back(port("o", PortRole::cotangent, Kind::value));
  entry.ports.push_back(port("initial_state", PortRole::initialState, Kind::state));
  entry.ports.push_back(port("final_state", PortRole::stateCotangent, Kind::state));
  entry.ports.push_back(savedPort());
  for (Port &argument : commonPorts()) {
    argument.role = PortRole::gradient;
    entry.ports.push_back(argument);
  }
  entry.ports.push_back(port("initial_state", PortRole::stateGradient, Kind::state));
  return entry;
}

KernelPackage testPackage(int64_t valueDim) {
  KernelPackage package;
  package.recurrence = "test";
  package.specText = "by hand";
  package.cpuFeatures = hostCpuFeatures();
  package.keyDim = testKeyDim;
  package.valueDim = valueDim;
  package.valueBlock = testValueBlock;
  package.chunkable = false;
  package.notChunkable = "it is written by hand";
  for (const Port &argument : commonPorts())
    package.arguments.push_back(
        {argument.name, argument.kind, argument.perHead, argument.name == "c", DType::f32, "normal"});
  package.results.push_back({"o", Kind::value, false, false, DType::f32, ""});
  package.entries = {forwardEntry(), backwardEntry()};
  package.code = readFile(std::string(SLUICE_BINARY_DIR) + "/test/runtime/TestKernels.so");
  return package;
}

TensorMap testInputs(const TestSizes &sizes) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  TensorMap tensors;
  auto add = [&](const char *name, Shape shape) {
    Tensor tensor = Tensor::empty(DType::f32, std::move(shape));
    for (int64_t i = 0; i < tensor.elements(); ++i)
      tensor.data<float>()[i] = normal(random);
    tensors[name] = tensor;
  };
  int64_t sequences = sizes.lengths.empty() ? sizes.batch : int64_t(sizes.lengths.size());
  Shape keys = {sizes.batch, sizes.tokens, sizes.keyHeads, testKeyDim};
  Shape values = {sizes.batch, sizes.tokens, sizes.valueHeads, sizes.valueDim};
  Shape states = {sequences, sizes.valueHeads, testKeyDim, sizes.valueDim};
  add("q", keys);
  add("k", keys);
  add("v", values);
  add("do", values);
  add("w", {sizes.valueHeads});
  add("c", {sizes.valueHeads});
  // Below 1, so that long sequences stay finite.
  for (int64_t h = 0; h < sizes.valueHeads; ++h)
    tensors["c"].data<float>()[h] = 0.5f + 0.4f * std::tanh(tensors["c"].data<float>()[h]);
  add("initial_state", states);
  add("dfinal_state", states);
  if (!sizes.lengths.empty()) {
    Tensor starts = Tensor::zeros(DType::i64, {sequences + 1});
    for (int64_t n = 0; n < sequences; ++n)
      starts.data<int64_t>()[n + 1] = starts.data<int64_t>()[n] + sizes.lengths[n];
    tensors["cu_seqlens"] = starts;
  }
  return tensors;
}

namespace {

/// One sequence and value head in float64.
struct Reference {
  const TestSizes &sizes;
  const TensorMap &in;
  TensorMap &out;

  double get(const char *name, int64_t i) const { return in.at(name).data<float>()[i]; }
  double &at(const char *name, int64_t i) const { return out.at(name).data<double>()[i]; }

  void run(int64_t n, int64_t begin, int64_t tokens, int64_t head) const {
    int64_t K = testKeyDim, V = sizes.valueDim, size = K * V;
    int64_t keyHead = head / (sizes.valueHeads / sizes.keyHeads);
    auto key = [&](int64_t t) { return ((begin + t) * sizes.keyHeads + keyHead) * K; };
    auto value = [&](int64_t t) { return ((begin + t) * sizes.valueHeads + head) * V; };
    int64_t state = (n * sizes.valueHeads + head) * size;
    double w = get("w", head), c = get("c", head);
    std::vector<double> states((tokens + 1) * size), adjoint(size);
    for (int64_t ij = 0; ij < size; ++ij) {
      states[ij] = get("initial_state", state + ij);
      adjoint[ij] = get("dfinal_state", state + ij);
    }
    for (int64_t t = 0; t < tokens; ++t)
      for (int64_t ij = 0; ij < size; ++ij) {
        double &next = states[(t + 1) * size + ij];
        next = c * states[t * size + ij] + get("k", key(t) + ij / V) * get("v", value(t) + ij % V);
        at("o", value(t) + ij % V) += w * get("q", key(t) + ij / V) * next;
      }
    for (int64_t ij = 0; ij < size; ++ij)
      at("final_state", state + ij) = states[tokens * size + ij];
    for (int64_t t = tokens - 1; t >= 0; --t)
      for (int64_t ij = 0; ij < size; ++ij) {
        int64_t i = key(t) + ij / V, j = value(t) + ij % V;
        double after = states[(t + 1) * size + ij], dout = get("do", j);
        at("dq", i) += w * dout * after;
        at("dw", head) += dout * after * get("q", i);
        adjoint[ij] += w * dout * get("q", i);
        at("dk", i) += adjoint[ij] * get("v", j);
        at("dv", j) += adjoint[ij] * get("k", i);
        at("dc", head) += adjoint[ij] * states[t * size + ij];
        adjoint[ij] *= c;
      }
    for (int64_t ij = 0; ij < size; ++ij)
      at("dinitial_state", state + ij) = adjoint[ij];
  }
};

} // namespace

TensorMap testReference(const TestSizes &sizes, const TensorMap &inputs) {
  TensorMap out;
  auto like = [&](const char *name, const char *input) {
    out[name] = Tensor::zeros(DType::f64, inputs.at(input).shape);
  };
  like("o", "v");
  like("final_state", "initial_state");
  for (const char *name : {"dq", "dk", "dv", "dw", "dc", "dinitial_state"})
    like(name, name + 1);
  Reference reference{sizes, inputs, out};
  int64_t sequences = inputs.at("initial_state").shape[0];
  for (int64_t n = 0, begin = 0; n < sequences; ++n) {
    int64_t tokens = sizes.lengths.empty() ? sizes.tokens : sizes.lengths[n];
    for (int64_t head = 0; head < sizes.valueHeads; ++head)
      reference.run(n, begin, tokens, head);
    begin += tokens;
  }
  return out;
}

double errorOf(const Tensor &computed, const Tensor &exact) {
  Tensor wide = converted(computed.view(), DType::f64);
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < exact.elements(); ++i) {
    double expected = exact.data<double>()[i], got = wide.data<double>()[i];
    difference += (got - expected) * (got - expected);
    norm += expected * expected;
  }
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

std::string freshFolder(const std::string &name) {
  namespace fs = std::filesystem;
  fs::path folder = fs::path(SLUICE_BINARY_DIR) / "test" / "runtime" / name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder.string();
}

} // namespace sluice::test
