// Launch records, arguments and references of cluster_reduce.cu.
#include "test/gpukernels/GpuKernels.h"

#include <limits>

namespace sluice::gpukernels {

namespace {

Sizes matrixSizes(int64_t rows, int64_t columns, int64_t stride) {
  return {{"rows", rows}, {"columns", columns}, {"stride", stride}};
}

Arrays arguments(const Sizes &s, uint64_t seed) {
  Arrays arrays;
  arrays["source"] = Array(DType::f32, s.at("rows") * s.at("stride"), true);
  arrays["target"] = Array(DType::f32, s.at("columns"), false);
  fillUniform(arrays["source"], seed);
  return arrays;
}

/// The kernel's own sums, in its order, so that every bit is known: block r sums rows r, r + 4, ..., then the
/// blocks' sums are added in order.
Expectations reference(const Sizes &s, const Arrays &arrays) {
  Expected expected;
  for (int64_t column = 0; column < s.at("columns"); ++column) {
    float total = 0;
    for (int64_t rank = 0; rank < 4; ++rank) {
      float sum = 0;
      for (int64_t row = rank; row < s.at("rows"); row += 4)
        sum += static_cast<float>(arrays.at("source").at(row * s.at("stride") + column));
      total += sum;
    }
    expected.value.push_back(total);
  }
  return {{"target", expected}};
}

KernelCase reduceCase(const std::string &name, int64_t sharedBytes) {
  KernelCase one{.name = name, .source = "cluster_reduce.cu", .target = "sm_90"};
  one.record.kernel = name;
  one.record.sizes = {"rows", "columns", "stride"};
  one.record.grid = {"4 * ceildiv(columns, 512)", 1, 1};
  one.record.cluster = {4, 1, 1};
  one.record.sharedBytes = sharedBytes;
  one.record.parameters = {
      tensorParameter("source", DType::f32, Direction::read, {"rows", "columns"}, {"stride", 1}),
      tensorParameter("target", DType::f32, Direction::write, {"columns"}), sizeParameter("rowCount", "rows"),
      sizeParameter("columnCount", "columns"), sizeParameter("distance", "stride")};
  one.sizes = {matrixSizes(5, 0, 0),     matrixSizes(0, 8, 8),     matrixSizes(1, 4, 4),
               matrixSizes(3, 512, 512), matrixSizes(4, 516, 520), matrixSizes(61, 1400, 1400)};
  one.small = matrixSizes(6, 520, 520);
  one.large = matrixSizes(8192, 16384, 16384);
  one.makeArguments = arguments;
  one.reference = reference;
  return one;
}

} // namespace

std::vector<KernelCase> clusterCases() {
  return {reduceCase("reduce_pull", 2048), reduceCase("reduce_push", 4104), reduceCase("reduce_async", 4104),
          reduceCase("reduce_bulk", 4104)};
}

} // namespace sluice::gpukernels
