// Launch records, arguments and references of copies.cu and copies_tma.cu.
#include "test/gpukernels/GpuKernels.h"

#include <cmath>
#include <limits>

namespace sluice::gpukernels {

namespace {

constexpr double untouched = std::numeric_limits<double>::quiet_NaN();

Expected nothingWritten(const Array &array) {
  return {std::vector<double>(array.elements(), untouched), {}, 0};
}

/// Elements of a matrix whose rows start `stride` apart from element `offset` on.
int64_t extent(int64_t rows, int64_t columns, int64_t stride, int64_t offset) {
  return rows == 0 ? offset : offset + (rows - 1) * stride + columns;
}

LaunchRecord rowsRecord() {
  LaunchRecord record;
  record.kernel = "copy_rows";
  record.sizes = {"rows", "columns", "strideSource", "strideTarget", "offsetSource", "offsetTarget"};
  record.grid = {"ceildiv(rows, 4)", 1, 1};
  record.parameters = {
      tensorParameter("source", DType::bf16, Direction::read, {"rows", "columns"}, {"strideSource", 1},
                      "offsetSource"),
      tensorParameter("target", DType::bf16, Direction::write, {"rows", "columns"}, {"strideTarget", 1},
                      "offsetTarget"),
      sizeParameter("rowCount", "rows"), sizeParameter("columnCount", "columns"),
      sizeParameter("sourceDistance", "strideSource"), sizeParameter("targetDistance", "strideTarget"),
      // Every row of both starts at a multiple of 8 elements.
      sizeParameter("aligned",
                    "1 - min(1, strideSource % 8 + strideTarget % 8 + offsetSource % 8 + offsetTarget % 8)")};
  return record;
}

Sizes rowSizes(int64_t rows, int64_t columns, int64_t strideSource, int64_t strideTarget,
               int64_t offsetSource = 0, int64_t offsetTarget = 0) {
  return {{"rows", rows},
          {"columns", columns},
          {"strideSource", strideSource},
          {"strideTarget", strideTarget},
          {"offsetSource", offsetSource},
          {"offsetTarget", offsetTarget}};
}

KernelCase rowsCase() {
  KernelCase one{.name = "copy_rows", .source = "copies.cu", .target = "sm_80", .record = rowsRecord()};
  one.sizes = {rowSizes(0, 5, 5, 5),       rowSizes(1, 1, 1, 1),           rowSizes(3, 0, 8, 8),
               rowSizes(5, 7, 7, 9),       rowSizes(9, 300, 304, 320),     rowSizes(4, 64, 64, 64, 1, 0),
               rowSizes(6, 100, 101, 104), rowSizes(33, 513, 520, 528, 8), rowSizes(700, 129, 136, 129)};
  one.small = rowSizes(6, 300, 304, 320);
  one.large = rowSizes(1 << 15, 4096, 4096, 4096);
  one.makeArguments = [](const Sizes &s, uint64_t seed) {
    Arrays arrays;
    arrays["source"] = Array(
        DType::bf16, extent(s.at("rows"), s.at("columns"), s.at("strideSource"), s.at("offsetSource")), true);
    arrays["target"] =
        Array(DType::bf16, extent(s.at("rows"), s.at("columns"), s.at("strideTarget"), s.at("offsetTarget")),
              false);
    fillUniform(arrays["source"], seed);
    return arrays;
  };
  one.reference = [](const Sizes &s, const Arrays &arrays) {
    Expected expected = nothingWritten(arrays.at("target"));
    for (int64_t i = 0; i < s.at("rows"); ++i)
      for (int64_t j = 0; j < s.at("columns"); ++j)
        expected.value[s.at("offsetTarget") + i * s.at("strideTarget") + j] =
            arrays.at("source").at(s.at("offsetSource") + i * s.at("strideSource") + j);
    return Expectations{{"target", expected}};
  };
  return one;
}

Sizes matrixSizes(int64_t rows, int64_t columns) { return {{"rows", rows}, {"columns", columns}}; }

int64_t padded(int64_t columns) { return (columns + 7) / 8 * 8; }

KernelCase transposedCase() {
  KernelCase one{.name = "copy_transposed", .source = "copies.cu", .target = "sm_80"};
  one.record.kernel = "copy_transposed";
  one.record.sizes = {"rows", "columns"};
  one.record.grid = {"ceildiv(columns, 64) * min(rows, 1)", 1, 1};
  one.record.sharedBytes = 2 * 64 * 64 * 2;
  const SizeExpression strideSource = "ceildiv(columns, 8) * 8", strideTarget = "ceildiv(rows, 8) * 8";
  one.record.parameters = {
      tensorParameter("source", DType::bf16, Direction::read, {"rows", "columns"}, {strideSource, 1}),
      tensorParameter("target", DType::bf16, Direction::write, {"columns", "rows"}, {strideTarget, 1}),
      sizeParameter("rowCount", "rows"),
      sizeParameter("columnCount", "columns"),
      sizeParameter("sourceDistance", strideSource),
      sizeParameter("targetDistance", strideTarget)};
  one.sizes = {matrixSizes(0, 8),    matrixSizes(1, 1),   matrixSizes(64, 64),  matrixSizes(65, 63),
               matrixSizes(200, 70), matrixSizes(7, 300), matrixSizes(333, 129)};
  one.small = matrixSizes(203, 70);
  one.large = matrixSizes(8192, 8192);
  one.makeArguments = [](const Sizes &s, uint64_t seed) {
    Arrays arrays;
    arrays["source"] = Array(DType::bf16, s.at("rows") * padded(s.at("columns")), true);
    arrays["target"] = Array(DType::bf16, s.at("columns") * padded(s.at("rows")), false);
    fillUniform(arrays["source"], seed);
    return arrays;
  };
  one.reference = [](const Sizes &s, const Arrays &arrays) {
    Expected expected = nothingWritten(arrays.at("target"));
    int64_t strideSource = padded(s.at("columns")), strideTarget = padded(s.at("rows"));
    for (int64_t i = 0; i < s.at("rows"); ++i)
      for (int64_t j = 0; j < s.at("columns"); ++j)
        expected.value[j * strideTarget + i] = arrays.at("source").at(i * strideSource + j);
    return Expectations{{"target", expected}};
  };
  return one;
}

KernelCase bulkCase() {
  KernelCase one{.name = "copy_bulk", .source = "copies_tma.cu", .target = "sm_90"};
  one.record.kernel = "copy_bulk";
  one.record.sizes = {"n", "blocks"};
  one.record.grid = {"min(blocks, ceildiv(n, 1024))", 1, 1};
  one.record.threads = 64;
  one.record.sharedBytes = 4 * 4096 + 4 * 8;
  one.record.parameters = {tensorParameter("source", DType::f32, Direction::read, {"n"}),
                           tensorParameter("target", DType::f32, Direction::write, {"n"}),
                           sizeParameter("count", "n")};
  for (int64_t n : {0, 1, 3, 4, 1023, 1024, 1025, 4096, 5 * 1024 + 7, 40000})
    one.sizes.push_back({{"n", n}, {"blocks", n > 30000 ? 3 : 1}});
  one.small = {{"n", 9 * 1024 + 7}, {"blocks", 1}};
  one.large = {{"n", 1 << 27}, {"blocks", 528}};
  one.makeArguments = [](const Sizes &s, uint64_t seed) {
    Arrays arrays;
    arrays["source"] = Array(DType::f32, s.at("n"), true);
    arrays["target"] = Array(DType::f32, s.at("n"), false);
    fillUniform(arrays["source"], seed);
    return arrays;
  };
  one.reference = [](const Sizes &s, const Arrays &arrays) {
    Expected expected = nothingWritten(arrays.at("target"));
    for (int64_t i = 0; i < s.at("n"); ++i)
      expected.value[i] = arrays.at("source").at(i);
    return Expectations{{"target", expected}};
  };
  return one;
}

constexpr float scale = 0.7f;

KernelCase scaledCase() {
  KernelCase one{.name = "copy_scaled", .source = "copies_tma.cu", .target = "sm_90"};
  one.record.kernel = "copy_scaled";
  one.record.sizes = {"batch", "rows", "columns"};
  one.record.grid = {"ceildiv(columns, 64)", "ceildiv(rows, 64)", "batch"};
  one.record.sharedBytes = 64 * 64 * 2 + 8;
  const SizeExpression stride = "ceildiv(columns, 8) * 8";
  const std::vector<SizeExpression> dims = {"columns", "rows", "batch"},
                                    strides = {stride, "ceildiv(columns, 8) * 8 * rows"};
  one.record.parameters = {
      mapParameter("source", DType::bf16, Direction::read, dims, strides, {64, 64, 1}, TileSwizzle::bytes128),
      mapParameter("target", DType::bf16, Direction::write, dims, strides, {64, 64, 1},
                   TileSwizzle::bytes128),
      valueParameter("scale", DType::f32)};
  one.values = {{"scale", scale}};
  const auto sizes = [](int64_t batch, int64_t rows, int64_t columns) {
    return Sizes{{"batch", batch}, {"rows", rows}, {"columns", columns}};
  };
  one.sizes = {sizes(1, 1, 1),    sizes(1, 64, 64), sizes(2, 65, 63),
               sizes(3, 10, 200), sizes(0, 8, 8),   sizes(1, 130, 72)};
  one.small = sizes(2, 65, 63);
  one.large = sizes(8, 4096, 4096);
  one.makeArguments = [](const Sizes &s, uint64_t seed) {
    Arrays arrays;
    int64_t elements = s.at("batch") * s.at("rows") * padded(s.at("columns"));
    arrays["source"] = Array(DType::bf16, elements, true);
    arrays["target"] = Array(DType::bf16, elements, false);
    fillUniform(arrays["source"], seed);
    return arrays;
  };
  one.reference = [](const Sizes &s, const Arrays &arrays) {
    Expected expected = nothingWritten(arrays.at("target"));
    Array rounded(DType::bf16, 1, true);
    for (int64_t i = 0; i < s.at("batch") * s.at("rows"); ++i)
      for (int64_t j = 0; j < s.at("columns"); ++j) {
        int64_t at = i * padded(s.at("columns")) + j;
        rounded.set(0, scale * static_cast<float>(arrays.at("source").at(at)));
        expected.value[at] = rounded.at(0);
      }
    return Expectations{{"target", expected}};
  };
  return one;
}

} // namespace

std::vector<KernelCase> copyCases() { return {rowsCase(), transposedCase(), bulkCase(), scaledCase()}; }

} // namespace sluice::gpukernels
