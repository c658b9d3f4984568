// The probes of tensor maps: every rank and swizzle, element sizes, ragged and negative coordinates, element
// strides.
#include "tools/gpu/Probes.h"

#include <cstring>

namespace sluice::gpusuite {

using namespace gpukernels;

namespace {

struct TensorShape {
  std::string name;
  DType dtype;
  std::vector<int64_t> dims, box;
  TileSwizzle swizzle;
  int64_t start = 0;
  std::vector<uint32_t> elementStrides = {};
  bool fillNan = false;
  int64_t step = 0; ///< Not 0: multicast, the other block's box this far on in the last dimension.

  int64_t elements() const {
    int64_t count = 1;
    for (int64_t dim : dims)
      count *= dim;
    return count;
  }
  int64_t boxBytes() const {
    int64_t count = sizeOf(dtype);
    for (size_t i = 0; i < box.size(); ++i)
      count *=
          elementStrides.empty() || i == 0 ? box[i] : (box[i] + elementStrides[i] - 1) / elementStrides[i];
    return step ? count * 2 : count;
  }
  /// Both blocks of a cluster write what they got; else one block writes it twice.
  int64_t imageWords() const { return boxBytes() / 4 * 2; }
};

Arrays makeArguments(const TensorShape &shape, uint64_t seed) {
  Array from(shape.dtype, shape.elements(), true), to(shape.dtype, shape.elements(), false);
  std::vector<uint32_t> words = drawWords(Inputs::random, from.bytes.size() / 4 + 1, seed);
  std::memcpy(from.bytes.data(), words.data(), from.bytes.size());
  Array image(DType::u32, shape.imageWords(), false);
  if (shape.step)
    return {{"from", from}, {"image", image}};
  return {{"from", from}, {"image", image}, {"to", to}};
}

ParameterRecord mapOf(const TensorShape &shape, const char *name, Direction direction) {
  std::vector<SizeExpression> dims(shape.dims.begin(), shape.dims.end()), strides;
  int64_t stride = 1;
  for (size_t i = 0; i + 1 < shape.dims.size(); ++i)
    strides.push_back(stride *= shape.dims[i]);
  std::vector<uint32_t> box(shape.box.begin(), shape.box.end());
  ParameterRecord parameter = mapParameter(name, shape.dtype, direction, dims, strides, box, shape.swizzle);
  parameter.map.elementStrides = shape.elementStrides;
  parameter.map.fillNan = shape.fillNan;
  return parameter;
}

Probe makeProbe(const TensorShape &shape) {
  Probe probe;
  KernelCase &one = probe.kernel;
  one.name = shape.name;
  one.source = "tensors.cu";
  one.target = "sm_90a";
  LaunchRecord &record = one.record;
  record.kernel = (shape.step ? "tensorMulticast" : "tensor") + std::to_string(shape.dims.size());
  record.threads = 64;
  record.sharedBytes = shape.boxBytes() + 8;
  record.parameters = {mapOf(shape, "from", Direction::read)};
  if (shape.step) {
    record.grid = {2, 1, 1};
    record.cluster = {2, 1, 1};
  } else {
    record.parameters.push_back(mapOf(shape, "to", Direction::write));
  }
  record.parameters.push_back(tensorParameter("image", DType::u32, Direction::write, {shape.imageWords()}));
  record.parameters.push_back(sizeParameter("bytes", shape.boxBytes()));
  record.parameters.push_back(sizeParameter("start", shape.start));
  if (shape.step)
    record.parameters.push_back(sizeParameter("step", shape.step));
  one.makeArguments = [shape](const Sizes &, uint64_t seed) { return gpusuite::makeArguments(shape, seed); };
  return probe;
}

} // namespace

std::vector<Probe> tensorProbes() {
  using enum TileSwizzle;
  std::vector<Probe> list;
  auto add = [&](TensorShape shape) { list.push_back(makeProbe(shape)); };
  add({"tensorPlain1", DType::u32, {256}, {64}, none, 200});
  add({"tensorPlain2", DType::bf16, {128, 40}, {64, 16}, none});
  add({"tensorSwizzle32", DType::bf16, {64, 40}, {16, 32}, bytes32});
  add({"tensorSwizzle64", DType::f16, {64, 40}, {32, 32}, bytes64});
  add({"tensorSwizzle128", DType::bf16, {128, 40}, {64, 32}, bytes128});
  add({"tensorSwizzleFloat", DType::f32, {64, 40}, {32, 32}, bytes128, 5});
  add({"tensorRagged", DType::bf16, {72, 24}, {64, 16}, bytes128, 13});
  add({"tensorNegative", DType::f32, {32, 20}, {16, 16}, bytes64, -3});
  add({"tensorFillNan", DType::f16, {64, 20}, {32, 16}, bytes64, 10, {}, true});
  add({"tensorStrided", DType::f32, {32, 64}, {16, 32}, bytes64, 1, {1, 2}});
  add({"tensorRank3", DType::bf16, {64, 12, 6}, {32, 8, 4}, bytes64, 2});
  add({"tensorRank4", DType::f32, {16, 8, 6, 4}, {8, 4, 4, 2}, bytes32, 1});
  add({"tensorRank5", DType::f16, {32, 6, 5, 4, 4}, {16, 4, 3, 2, 2}, bytes32, 1});
  add({"tensorShared1", DType::u32, {256}, {64}, none, 130, {}, false, 40});
  add({"tensorShared2", DType::f32, {32, 24}, {16, 8}, bytes64, 8, {}, false, 8});
  add({"tensorShared3", DType::bf16, {64, 12, 6}, {32, 8, 4}, bytes64, 2, {}, false, 1});
  add({"tensorShared4", DType::f32, {16, 8, 6, 4}, {8, 4, 4, 2}, bytes32, 1, {}, false, 2});
  add({"tensorShared5", DType::f16, {32, 6, 5, 4, 4}, {16, 4, 3, 2, 2}, bytes32, 1, {}, false, 3});
  return list;
}

} // namespace sluice::gpusuite
