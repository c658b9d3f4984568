// Prints the speed of each chunk kernel at the shapes of the gated delta rule: benchmark-kernels [filter].
#include "test/kernels/KernelRunner.h"

#include <cstdio>
#include <cstring>

namespace sluice::test {
namespace {

struct Line {
  std::string name, text;
  std::vector<std::pair<int64_t, int64_t>> shapes;
  double operations;
  bool accumulate = false;
};

Line product(int64_t m, int64_t n, int64_t k, const std::string &flags, bool accumulate = false) {
  bool lhs = flags.find("transpose_lhs") != std::string::npos;
  bool rhs = flags.find("transpose_rhs") != std::string::npos;
  auto shape = [](bool transposed, int64_t rows, int64_t columns) {
    return transposed ? std::pair(columns, rows) : std::pair(rows, columns);
  };
  auto x = shape(lhs, m, k), y = shape(rhs, k, n);
  std::string types = tensorType(x.first, x.second) + ", " + tensorType(y.first, y.second);
  std::string text = "func.func @f(%x: " + tensorType(x.first, x.second) +
                     ", %y: " + tensorType(y.first, y.second) + ") { %z = recur.product %x, %y " + flags +
                     " : (" + types + ") -> " + tensorType(m, n) + " return }";
  double operations = 2.0 * m * n * k * (flags.find("lower") != std::string::npos ? 0.5 : 1);
  std::string name = "product " + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k) +
                     " " + flags + (accumulate ? " accumulate" : "");
  return {name, text, {x, y, {m, n}}, operations, accumulate};
}

Line simple(const std::string &op, const std::vector<std::pair<int64_t, int64_t>> &shapes, size_t operands,
            double operations, const std::string &text) {
  std::string arguments;
  for (size_t i = 0; i < operands; ++i)
    arguments += (i ? ", %" : "%") + std::string(1, char('a' + i)) + ": " +
                 tensorType(shapes[i].first, shapes[i].second);
  return {op, "func.func @f(" + arguments + ") { " + text + " return }", shapes, operations};
}

std::vector<Line> lines() {
  std::vector<Line> all;
  for (const char *flags : {"", "transpose_lhs", "transpose_rhs"})
    all.push_back(product(64, 128, 128, flags));
  all.push_back(product(64, 128, 64, ""));
  all.push_back(product(64, 128, 64, "lower_lhs"));
  all.push_back(product(64, 128, 64, "transpose_lhs lower_lhs"));
  all.push_back(product(64, 128, 64, "lower_lhs", true));
  all.push_back(product(64, 64, 128, "transpose_rhs strictly_lower_result"));
  all.push_back(product(128, 128, 64, "transpose_lhs", true));
  all.push_back(product(16, 128, 128, ""));
  all.push_back(product(128, 256, 256, ""));
  std::string s = "tensor<64x64xf32>", v = "tensor<64xf32>", w = "tensor<64x128xf32>";
  for (int64_t c : {64, 128}) {
    std::string type = tensorType(c, c);
    all.push_back(simple("unit_lower_inverse " + std::to_string(c), {{c, c}, {c, c}}, 1, c * c * c / 3.0,
                         "%t = recur.unit_lower_inverse %a : " + type));
  }
  all.push_back(simple("decay_matrix 64", {{1, 64}, {64, 64}}, 1, 64 * 64,
                       "%d = recur.decay_matrix through %a : " + v + " to " + s));
  all.push_back(simple("decay_matrix_adjoint 64", {{64, 64}, {64, 64}, {1, 64}}, 2, 64 * 64,
                       "%d = recur.decay_matrix_adjoint through %a, %b : " + s + " to " + v));
  all.push_back(simple("cumulative_sum 64x128", {{64, 128}, {64, 128}}, 1, 64 * 128,
                       "%d = recur.cumulative_sum %a : " + w));
  all.push_back(simple("decayed_scores 64x128", {{64, 128}, {64, 128}, {64, 128}, {64, 64}}, 3, 64 * 64 * 128,
                       "%l = recur.decayed_scores through diagonal %a, %b, %c : " + w + " to " + s));
  all.push_back(simple(
      "decayed_scores_adjoint 64x128",
      {{64, 128}, {64, 128}, {64, 128}, {64, 64}, {64, 128}, {64, 128}, {64, 128}}, 4, 3 * 64 * 64 * 128,
      "%x, %y, %z = recur.decayed_scores_adjoint through diagonal %a, %b, %c, %d : " + w + ", " + s));
  return all;
}

void measure(const Line &line) {
  std::vector<Matrix> matrices;
  for (auto [rows, columns] : line.shapes)
    matrices.push_back(random(rows, columns, matrices.size()));
  // Gates, keys and triangular matrices of ordinary size.
  for (Matrix &matrix : matrices)
    for (float &value : matrix.values)
      value = -0.05f * (value < 0 ? -value : value);
  std::vector<Matrix *> pointers;
  for (Matrix &matrix : matrices)
    pointers.push_back(&matrix);
  double seconds = KernelRunner(line.text, line.accumulate).seconds(pointers);
  std::printf("%8.2f us %7.1f GFLOP/s  %s\n", seconds * 1e6, line.operations / seconds * 1e-9,
              line.name.c_str());
}

} // namespace
} // namespace sluice::test

int main(int argc, char **argv) {
  for (const auto &line : sluice::test::lines())
    if (argc < 2 || std::strstr(line.name.c_str(), argv[1]))
      sluice::test::measure(line);
}
