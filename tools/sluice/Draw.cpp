// Draws tensors by their use.
#include "tools/sluice/Draw.h"

#include "runtime/Error.h"
#include "runtime/TensorContract.h"

#include <cmath>
#include <random>

namespace sluice {

namespace {

// One element in so many is a strong gate.
constexpr double strongShare = 0.03, weakGate = 0.1;
constexpr double correlation = 0.99;
constexpr double constantScale = 0.1;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }
double logSigmoid(double x) { return -softplus(-x); }

class Drawer {
public:
  Drawer(const Problem &problem, const Variation &variation)
      : problem(problem), variation(variation), random(problem.seed) {
    sizes.batch = problem.batch;
    sizes.tokens = problem.tokens;
    sizes.keyHeads = problem.keyHeads;
    sizes.valueHeads = problem.valueHeads;
    sizes.keyDim = problem.keyDim;
    sizes.valueDim = problem.valueDim;
    for (int64_t i = 0; i < problem.keyDim; ++i)
      direction.push_back(normal());
    normalise(direction.data(), problem.keyDim);
  }

  Tensor argument(const TensorSpec &spec) {
    bool onKeyHeads = spec.kind == Kind::key && !spec.perHead &&
                      !(spec.gate && variation.gatesOnValueHeads);
    Tensor tensor = Tensor::empty(
        DType::f32, shapeOf(spec, sizes, onKeyHeads ? sizes.keyHeads : sizes.valueHeads));
    float *data = tensor.data<float>();
    int64_t count = tensor.elements();
    if (spec.draw == "unit")
      fillUnit(data, count, tensor.shape.back());
    else
      for (int64_t i = 0; i < count; ++i)
        data[i] = static_cast<float>(element(spec));
    return tensor;
  }

  Tensor normals(Shape shape, double scale) {
    Tensor tensor = Tensor::empty(DType::f32, std::move(shape));
    for (int64_t i = 0; i < tensor.elements(); ++i)
      tensor.data<float>()[i] = static_cast<float>(scale * normal());
    return tensor;
  }

  Sizes sizes;

private:
  double normal() { return distribution(random); }

  double gate() {
    double drawn = logSigmoid(variation.gateScale * (normal() + 2));
    if (variation.zeroGates)
      return 0;
    if (!variation.strongGate)
      return drawn;
    bool strong = std::uniform_real_distribution<>()(random) < strongShare;
    return strong ? *variation.strongGate : weakGate * drawn;
  }

  double element(const TensorSpec &spec) {
    if (spec.draw == "gate")
      return gate();
    if (spec.draw == "sigmoid")
      return variation.scalars.value_or(sigmoid(normal()));
    if (spec.draw == "softplus")
      return softplus(normal());
    if (spec.draw == "normal")
      return normal();
    if (spec.draw == "constant")
      return constantScale * normal();
    throw UserError("argument '" + spec.name +
                    "': expected recur.draw to be gate, unit, sigmoid, softplus, normal or constant, got " +
                    spec.draw);
  }

  static void normalise(float *vector, int64_t size) {
    double sum = 0;
    for (int64_t i = 0; i < size; ++i)
      sum += double(vector[i]) * vector[i];
    double scale = sum > 0 ? 1 / std::sqrt(sum) : 0;
    for (int64_t i = 0; i < size; ++i)
      vector[i] = static_cast<float>(vector[i] * scale);
  }

  /// Vectors of norm 1.
  void fillUnit(float *data, int64_t count, int64_t size) {
    bool shared = variation.keys == Keys::correlated && size == problem.keyDim;
    for (float *vector = data; vector < data + count; vector += size) {
      for (int64_t i = 0; i < size; ++i)
        vector[i] = static_cast<float>(normal());
      if (variation.keys == Keys::positive)
        for (int64_t i = 0; i < size; ++i)
          vector[i] = std::fabs(vector[i]);
      normalise(vector, size);
      // Two vectors sqrt(c) d + sqrt(1 - c) n with independent n have cosine c.
      for (int64_t i = 0; shared && i < size; ++i)
        vector[i] = static_cast<float>(std::sqrt(correlation) * direction[i] +
                                       std::sqrt(1 - correlation) * vector[i]);
      normalise(vector, size);
    }
  }

  const Problem &problem;
  const Variation &variation;
  std::mt19937_64 random;
  std::normal_distribution<> distribution;
  std::vector<float> direction;
};

void addSequences(TensorMap &tensors, const std::vector<int64_t> &lengths) {
  Tensor starts = Tensor::empty(DType::i64, {static_cast<int64_t>(lengths.size()) + 1});
  int64_t *data = starts.data<int64_t>();
  data[0] = 0;
  for (size_t i = 0; i < lengths.size(); ++i)
    data[i + 1] = data[i] + lengths[i];
  tensors["cu_seqlens"] = starts;
}

} // namespace

TensorMap drawInputs(const RecurrenceInfo &info, const Problem &problem, const Variation &variation,
                     DType dtype) {
  Drawer drawer(problem, variation);
  TensorMap tensors;
  for (const TensorSpec &spec : info.arguments) {
    bool narrow = spec.kind != Kind::scalar && !spec.perHead && !spec.gate;
    Tensor tensor = drawer.argument(spec);
    tensors[spec.name] = narrow ? converted(tensor.view(), dtype) : tensor;
  }
  for (const TensorSpec &spec : info.results) {
    Tensor tensor = drawer.normals(shapeOf(spec, drawer.sizes, problem.valueHeads), 1);
    tensors["d" + spec.name] = converted(tensor.view(), dtype);
  }
  if (!variation.lengths.empty())
    addSequences(tensors, variation.lengths);
  if (variation.states) {
    int64_t sequences = variation.lengths.empty() ? problem.batch
                                                  : static_cast<int64_t>(variation.lengths.size());
    Shape shape = {sequences, problem.valueHeads, problem.keyDim, problem.valueDim};
    tensors["initial_state"] = drawer.normals(shape, 1);
    tensors["dfinal_state"] = drawer.normals(shape, 1);
  }
  return tensors;
}

} // namespace sluice
