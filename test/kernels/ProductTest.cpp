// recur.product and recur.apply_inverse: shapes, transpositions, triangles, accumulation.
#include "test/kernels/KernelRunner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sluice::test {
namespace {

struct Case {
  int64_t m, n, k;
  bool transposeLhs = false, transposeRhs = false;
  std::string triangle = "";
  bool accumulate = false;

  std::string text() const {
    std::string x = transposeLhs ? tensorType(k, m) : tensorType(m, k);
    std::string y = transposeRhs ? tensorType(n, k) : tensorType(k, n);
    return "func.func @f(%x: " + x + ", %y: " + y + ") { %z = recur.product %x, %y" +
           (transposeLhs ? " transpose_lhs" : "") + (transposeRhs ? " transpose_rhs" : "") + " " + triangle +
           " : (" + x + ", " + y + ") -> " + tensorType(m, n) + " return }";
  }

  bool strict() const { return triangle.rfind("strictly", 0) == 0; }
  bool lowerLhs() const { return triangle.find("lhs") != std::string::npos; }
  bool lowerResult() const { return triangle.find("result") != std::string::npos; }
  /// Whether entry (i, j) belongs to the triangle.
  bool inside(int64_t i, int64_t j) const { return strict() ? j < i : j <= i; }

  std::vector<double> expected(const Matrix &x, const Matrix &y, const Matrix &z) const {
    std::vector<double> result(m * n);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t c = 0; c < k; ++c) {
          int64_t row = transposeLhs ? c : i, column = transposeLhs ? i : c;
          if (!lowerLhs() || inside(row, column))
            sum += double(x(row, column)) * (transposeRhs ? y(j, c) : y(c, j));
        }
        if (lowerResult() && !inside(i, j))
          sum = 0;
        result[i * n + j] = sum + (accumulate ? z(i, j) : 0);
      }
    return result;
  }

  void check(const std::string &features = "") const {
    Matrix x = transposeLhs ? random(k, m, 1) : random(m, k, 1);
    Matrix y = transposeRhs ? random(n, k, 2) : random(k, n, 2);
    if (lowerLhs())
      for (int64_t i = 0; i < x.rows; ++i)
        for (int64_t j = 0; j < x.columns; ++j)
          if (!inside(i, j))
            x(i, j) = std::numeric_limits<float>::quiet_NaN();
    Matrix z = random(m, n, 3);
    std::vector<double> reference = expected(x, y, z);
    KernelRunner(text(), accumulate, features).run({&x, &y, &z});
    EXPECT_LT(errorRatio(z, reference), 1e-6) << text();
  }
};

TEST(Product, FullInAllTranspositions) {
  for (bool lhs : {false, true})
    for (bool rhs : {false, true})
      for (auto [m, n, k] : std::vector<std::array<int64_t, 3>>{
               {16, 16, 16}, {64, 128, 128}, {64, 48, 32}, {48, 16, 112}, {16, 96, 512}, {128, 80, 64}})
        for (bool accumulate : {false, true})
          Case{m, n, k, lhs, rhs, "", accumulate}.check();
}

TEST(Product, TriangularLhs) {
  for (std::string triangle : {"lower_lhs", "strictly_lower_lhs"})
    for (bool lhs : {false, true})
      for (bool rhs : {false, true})
        for (auto [m, n] : std::vector<std::array<int64_t, 2>>{{16, 16}, {64, 128}, {48, 48}, {128, 32}})
          Case{m, n, m, lhs, rhs, triangle, rhs}.check();
}

TEST(Product, TriangularResult) {
  for (std::string triangle : {"lower_result", "strictly_lower_result"})
    for (auto [m, k] :
         std::vector<std::array<int64_t, 2>>{{16, 16}, {32, 64}, {48, 128}, {64, 128}, {128, 48}})
      for (bool accumulate : {false, true})
        Case{m, m, k, false, true, triangle, accumulate}.check();
}

TEST(Product, TilesOfOtherMachines) {
  for (std::string features : {"x86_64", "x86_64 avx2 fma"}) {
    for (bool rhs : {false, true})
      for (auto [m, n, k] : std::vector<std::array<int64_t, 3>>{{16, 16, 16}, {64, 112, 48}})
        Case{m, n, k, rhs, rhs, "", rhs}.check(features);
    Case{48, 48, 32, false, true, "strictly_lower_result"}.check(features);
    Case{48, 80, 48, true, false, "lower_lhs"}.check(features);
    Case{48, 80, 48, false, true, "strictly_lower_lhs"}.check(features);
  }
}

TEST(Product, InfinityBesideTheTriangleStaysOut) {
  Case one{32, 32, 16, false, true, "strictly_lower_result"};
  Matrix x = random(32, 16, 1), y = random(32, 16, 2), z(32, 32);
  for (int64_t c = 0; c < 16; ++c)
    y(31, c) = std::numeric_limits<float>::infinity(); // the last column is all masked
  KernelRunner(one.text()).run({&x, &y, &z});
  for (int64_t i = 0; i < 32; ++i)
    EXPECT_EQ(z(i, 31), 0);
}

TEST(Product, ColumnsDoNotDependOnTheirNeighbours) {
  Matrix x = random(64, 96, 1), wide = random(96, 80, 2), narrow(96, 16), z(64, 80), last(64, 16);
  for (int64_t i = 0; i < 96; ++i)
    for (int64_t j = 0; j < 16; ++j)
      narrow(i, j) = wide(i, j);
  KernelRunner(Case{64, 80, 96}.text()).run({&x, &wide, &z});
  KernelRunner(Case{64, 16, 96}.text()).run({&x, &narrow, &last});
  for (int64_t i = 0; i < 64; ++i)
    for (int64_t j = 0; j < 16; ++j)
      EXPECT_EQ(z(i, j), last(i, j));
}

TEST(Product, TwoProductsShareATransposedOperand) {
  std::string type = tensorType(32, 32);
  Matrix x = random(32, 32, 1), y = random(32, 32, 2), a(32, 32), b(32, 32);
  std::string op = " = recur.product %x, %y transpose_rhs : (" + type + ", " + type + ") -> " + type;
  KernelRunner("func.func @f(%x: " + type + ", %y: " + type + ") { %a" + op + " %b" + op + " return }")
      .run({&x, &y, &a, &b});
  EXPECT_EQ(a.values, b.values);
}

TEST(Product, ApplyInverse) {
  std::string square = tensorType(64, 64), tall = tensorType(64, 128);
  Matrix t = random(64, 64, 1), b = random(64, 128, 2), a(64, 64), u(64, 128);
  Case same{64, 128, 64, false, false, "lower_lhs"};
  KernelRunner("func.func @f(%t: " + square + ", %b: " + tall + ", %a: " + square +
               ") { %u = recur.apply_inverse %t to %b of %a : " + square + ", " + tall + " return }")
      .run({&t, &b, &a, &u});
  EXPECT_LT(errorRatio(u, same.expected(t, b, u)), 1e-6);
}

} // namespace
} // namespace sluice::test
