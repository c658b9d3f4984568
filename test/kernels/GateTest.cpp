// Triangular inverses, running sums and decay matrices, also with very strong gates.
#include "test/kernels/KernelRunner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sluice::test {
namespace {

constexpr double tolerance = 2e-6;

//===----------------------------------------------------------------------===//
// Inverse
//===----------------------------------------------------------------------===//

std::vector<double> inverse(const Matrix &a) {
  int64_t n = a.rows;
  std::vector<double> t(n * n);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j <= i; ++j) {
      double sum = i == j;
      for (int64_t k = j; k < i; ++k)
        sum += double(a(i, k)) * t[k * n + j];
      t[i * n + j] = sum;
    }
  return t;
}

/// -beta k k^T for unit keys whose cosine with one direction is about `cosine`, and garbage above.
Matrix correlated(int64_t n, float cosine, float beta) {
  Matrix keys = random(n, 64, n), a(n, n, std::numeric_limits<float>::quiet_NaN());
  for (int64_t i = 0; i < n; ++i) {
    double norm = 0;
    for (int64_t c = 0; c < 64; ++c)
      norm += keys(i, c) * keys(i, c);
    for (int64_t c = 0; c < 64; ++c)
      keys(i, c) = std::sqrt(1 - cosine) * keys(i, c) / std::sqrt(norm) + (c == 0 ? std::sqrt(cosine) : 0);
  }
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < i; ++j) {
      a(i, j) = 0;
      for (int64_t c = 0; c < 64; ++c)
        a(i, j) -= beta * keys(i, c) * keys(j, c);
    }
  return a;
}

TEST(UnitLowerInverse, MatchesSubstitution) {
  for (int64_t n : {16, 32, 48, 64, 96, 128, 256}) {
    std::string type = tensorType(n, n);
    KernelRunner runner("func.func @f(%a: " + type + ") { %t = recur.unit_lower_inverse %a : " + type +
                        " return }");
    for (auto [cosine, beta] : std::vector<std::pair<float, float>>{{0, 1}, {0.5f, 0.95f}, {0.99f, 1.9f}}) {
      Matrix a = correlated(n, cosine, beta), t(n, n);
      runner.run({&a, &t});
      EXPECT_LT(errorRatio(t, inverse(a)), beta > 1 ? 1e-3 : 1e-5) << n << " " << cosine;
    }
  }
}

//===----------------------------------------------------------------------===//
// Running sums
//===----------------------------------------------------------------------===//

TEST(CumulativeSum, AllDirectionsAndRanks) {
  for (auto [rows, columns] : std::vector<std::pair<int64_t, int64_t>>{{64, 1}, {16, 48}, {128, 128}})
    for (bool reverse : {false, true})
      for (bool exclusive : {false, true}) {
        std::string type = columns == 1 ? tensorType(1, rows) : tensorType(rows, columns);
        Matrix x = random(rows, columns, 1), y(rows, columns);
        KernelRunner("func.func @f(%x: " + type + ") { %y = recur.cumulative_sum %x" +
                     (reverse ? " reverse" : "") + (exclusive ? " exclusive" : "") + " : " + type +
                     " return }")
            .run({&x, &y});
        std::vector<double> expected(rows * columns);
        for (int64_t t = 0; t < rows; ++t)
          for (int64_t s = 0; s < rows; ++s)
            if ((reverse ? s > t : s < t) || (s == t && !exclusive))
              for (int64_t c = 0; c < columns; ++c)
                expected[t * columns + c] += x(s, c);
        EXPECT_LT(errorRatio(y, expected), tolerance) << type << reverse << exclusive;
      }
}

//===----------------------------------------------------------------------===//
// Decay matrices
//===----------------------------------------------------------------------===//

/// Weak gates, with some of every strength up to a reset among them.
Matrix mixedGates(int64_t size) {
  Matrix g = random(1, size, 7);
  for (float &value : g.values)
    value = -0.05f * std::fabs(value);
  g[3] = -80;
  g[size / 2] = -128;
  g[size - 5] = -std::numeric_limits<float>::infinity();
  g[size - 9] = -20;
  g[7] = 0.3f;
  return g;
}

double decay(const Matrix &g, int64_t s, int64_t t, bool between) {
  if (t < s || (between && t == s))
    return 0;
  double sum = 0;
  for (int64_t i = s + 1; i < t + !between; ++i)
    sum += g[i];
  return std::exp(sum);
}

TEST(DecayMatrix, AccurateAmongStrongGates) {
  for (int64_t n : {16, 64, 128})
    for (bool between : {false, true}) {
      Matrix g = mixedGates(n), d(n, n);
      KernelRunner("func.func @f(%g: " + tensorType(1, n) + ") { %d = recur.decay_matrix " +
                   (between ? "between" : "through") + " %g : " + tensorType(1, n) + " to " +
                   tensorType(n, n) + " return }")
          .run({&g, &d});
      for (int64_t t = 0; t < n; ++t)
        for (int64_t s = 0; s < n; ++s) {
          double expected = decay(g, s, t, between);
          EXPECT_NEAR(d(t, s), expected, 1e-5 * expected + 1e-37) << t << " " << s << " " << between;
        }
    }
}

TEST(DecayMatrixAdjoint, SumsThePairsAroundAGate) {
  for (int64_t n : {16, 64, 128})
    for (bool between : {false, true}) {
      Matrix g = mixedGates(n), d(n, n), dd = random(n, n, 2), dg(1, n);
      for (int64_t t = 0; t < n; ++t)
        for (int64_t s = 0; s < n; ++s) {
          d(t, s) = decay(g, s, t, between);
          if (s > t)
            dd(t, s) = std::numeric_limits<float>::quiet_NaN();
        }
      std::string matrix = tensorType(n, n), vector = tensorType(1, n);
      KernelRunner("func.func @f(%d: " + matrix + ", %e: " + matrix + ") { %g = recur.decay_matrix_adjoint " +
                   (between ? "between" : "through") + " %d, %e : " + matrix + " to " + vector + " return }")
          .run({&d, &dd, &dg});
      std::vector<double> expected(n);
      for (int64_t i = 0; i < n; ++i)
        for (int64_t t = between ? i + 1 : i; t < n; ++t)
          for (int64_t s = 0; s < i; ++s)
            expected[i] += double(d(t, s)) * dd(t, s);
      EXPECT_LT(errorRatio(dg, expected), tolerance) << n << between;
      EXPECT_EQ(dg[n - 5], 0) << "a reset has no gradient";
    }
}

} // namespace
} // namespace sluice::test
