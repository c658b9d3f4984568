// Scores with channel gates and their adjoint against sums over all pairs, with weak, strong and mixed gates.
#include "test/kernels/KernelRunner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <memory>

namespace sluice::test {
namespace {

enum class Gates { weak, strong, mixed, growing };

Matrix gatesOf(Gates kind, int64_t tokens, int64_t keys) {
  Matrix g = random(tokens, keys, 9);
  for (float &value : g.values)
    value = (kind == Gates::strong ? -6.0f : -0.05f) * (std::fabs(value) + (kind == Gates::strong));
  if (kind == Gates::growing)
    for (float &value : g.values)
      value = -value;
  if (kind != Gates::mixed)
    return g;
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t c = 0; c < keys; ++c) {
      int64_t draw = (t * 31 + c * 17) % 97;
      if (draw < 4)
        g(t, c) = std::vector<float>{-80, -128, -20, -std::numeric_limits<float>::infinity()}[draw];
    }
  return g;
}

struct Case {
  int64_t tokens, keys;
  bool between, diagonal;
  Gates gates;

  std::string flags() const {
    return std::string(between ? "between" : "through") + (diagonal ? " diagonal" : "");
  }
  std::string matrix() const { return tensorType(tokens, keys); }
  std::string square() const { return tensorType(tokens, tokens); }
  std::string name() const { return matrix() + " " + flags() + " gates " + std::to_string(int(gates)); }

  /// Visits all pairs with their weight, channel by channel.
  void pairs(const Matrix &g, const std::function<void(int64_t, int64_t, int64_t, double)> &visit) const {
    for (int64_t c = 0; c < keys; ++c)
      for (int64_t s = 0; s < tokens; ++s) {
        double sum = 0;
        if (diagonal)
          visit(s, s, c, 1);
        for (int64_t t = s + 1; t < tokens; ++t) {
          int64_t passed = between ? t - 1 : t;
          sum += passed > s ? g(passed, c) : 0;
          visit(t, s, c, std::exp(sum));
        }
      }
  }
};

/// Compiled once for all kinds of gates.
KernelRunner &compiled(const std::string &text) {
  static std::map<std::string, std::unique_ptr<KernelRunner>> runners;
  auto &runner = runners[text];
  if (!runner)
    runner = std::make_unique<KernelRunner>(text);
  return *runner;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (auto [tokens, keys] :
       std::vector<std::pair<int64_t, int64_t>>{{16, 16}, {32, 48}, {64, 128}, {128, 64}})
    for (Gates gates : {Gates::weak, Gates::strong, Gates::mixed, Gates::growing})
      for (int kind = 0; kind < 3; ++kind)
        if (gates != Gates::growing || tokens <= 64)
          all.push_back({tokens, keys, kind == 2, kind == 1, gates});
  return all;
}

TEST(DecayedScores, MatchSumsOverPairs) {
  for (const Case &one : cases()) {
    Matrix x = random(one.tokens, one.keys, 1), k = random(one.tokens, one.keys, 2);
    Matrix g = gatesOf(one.gates, one.tokens, one.keys), l(one.tokens, one.tokens, 3);
    compiled("func.func @f(%x: " + one.matrix() + ", %k: " + one.matrix() + ", %g: " + one.matrix() +
             ") { %l = recur.decayed_scores " + one.flags() + " %x, %k, %g : " + one.matrix() + " to " +
             one.square() + " return }")
        .run({&x, &k, &g, &l});
    std::vector<double> expected(one.tokens * one.tokens);
    one.pairs(g, [&](int64_t t, int64_t s, int64_t c, double weight) {
      expected[t * one.tokens + s] += weight * x(t, c) * k(s, c);
    });
    EXPECT_LT(errorRatio(l, expected), 2e-6) << one.name();
  }
}

TEST(DecayedScoresAdjoint, MatchesSumsOverPairs) {
  for (const Case &one : cases()) {
    int64_t n = one.tokens, keys = one.keys;
    Matrix x = random(n, keys, 1), k = random(n, keys, 2), g = gatesOf(one.gates, n, keys),
           dl = random(n, n, 3);
    for (int64_t t = 0; t < n; ++t)
      for (int64_t s = t + one.diagonal; s < n; ++s)
        dl(t, s) = std::numeric_limits<float>::quiet_NaN();
    Matrix dx(n, keys), dk(n, keys), dg(n, keys);
    compiled("func.func @f(%x: " + one.matrix() + ", %k: " + one.matrix() + ", %g: " + one.matrix() +
             ", %l: " + one.square() + ") { %dx, %dk, %dg = recur.decayed_scores_adjoint " + one.flags() +
             " %x, %k, %g, %l : " + one.matrix() + ", " + one.square() + " return }")
        .run({&x, &k, &g, &dl, &dx, &dk, &dg});
    std::vector<double> ex(n * keys), ek(n * keys), eg(n * keys);
    one.pairs(g, [&](int64_t t, int64_t s, int64_t c, double weight) {
      double pair = weight * dl(t, s);
      ex[t * keys + c] += pair * k(s, c);
      ek[s * keys + c] += pair * x(t, c);
      for (int64_t i = s + 1; i < t + !one.between; ++i)
        eg[i * keys + c] += pair * x(t, c) * k(s, c);
    });
    EXPECT_LT(errorRatio(dx, ex), 2e-6) << one.name();
    EXPECT_LT(errorRatio(dk, ek), 2e-6) << one.name();
    EXPECT_LT(errorRatio(dg, eg), 5e-6) << one.name();
  }
}

} // namespace
} // namespace sluice::test
