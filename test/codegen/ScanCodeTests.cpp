// Scans written by hand, compiled, loaded and compared with plain loops.

#include "test/codegen/CompiledScan.h"

#include <cmath>
#include <random>

using namespace sluice;
using sluice::test::CompiledScan;

namespace {

std::vector<float> randomVector(size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float &value : values)
    value = normal(generator);
  return values;
}

/// Largest difference, relative to the largest expected value.
double errorOf(const std::vector<float> &got, const std::vector<double> &expected) {
  double most = 0, scale = 1e-30;
  for (size_t i = 0; i < got.size(); ++i) {
    most = std::isfinite(got[i]) ? std::max(most, std::abs(got[i] - expected[i])) : INFINITY;
    scale = std::max(scale, std::abs(expected[i]));
  }
  return most / scale;
}

const char *linearAttention = R"(
recur.scan @linear step 64 key 32 value 48 inputs [
    #recur.port<"q" : argument key per_token>, #recur.port<"k" : argument key per_token>,
    #recur.port<"v" : argument value per_token>]
  outputs [#recur.port<"o" : result value per_token>]
  carried [#recur.port<"state" : state state per_head>] attributes {sluice.keys = 20 : i64} {
^bb0(%q: tensor<64x32xf32>, %k: tensor<64x32xf32>, %v: tensor<64x48xf32>, %s: tensor<32x48xf32>):
  %l = recur.product %q, %k transpose_rhs lower_result : (tensor<64x32xf32>, tensor<64x32xf32>) -> tensor<64x64xf32>
  %within = recur.product %l, %v lower_lhs : (tensor<64x64xf32>, tensor<64x48xf32>) -> tensor<64x48xf32>
  %before = recur.product %q, %s : (tensor<64x32xf32>, tensor<32x48xf32>) -> tensor<64x48xf32>
  %o = recur.add %within, %before : tensor<64x48xf32>
  %update = recur.product %k, %v transpose_lhs : (tensor<64x32xf32>, tensor<64x48xf32>) -> tensor<32x48xf32>
  %next = recur.add %s, %update : tensor<32x48xf32>
  recur.scan_yield outputs(%o : tensor<64x48xf32>) carried(%next : tensor<32x48xf32>)
}
)";

struct LinearAttention {
  static constexpr int64_t K = 20, V = 37, heads = 3;
  int64_t tokens;
  std::vector<float> q = randomVector(tokens * heads * K, 1), k = randomVector(tokens * heads * K, 2),
                     v = randomVector(tokens * heads * V, 3), initial = randomVector(K * V, 4),
                     o = std::vector<float>(tokens * heads * V, 7), last = std::vector<float>(K * V);
  std::vector<double> expectedO = std::vector<double>(tokens * heads * V, 7), state;

  explicit LinearAttention(int64_t tokens) : tokens(tokens), state(initial.begin(), initial.end()) {
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t i = 0; i < K; ++i)
        for (int64_t j = 0; j < V; ++j)
          state[i * V + j] += double(k[t * heads * K + i]) * v[t * heads * V + j];
      for (int64_t j = 0; j < V; ++j) {
        double sum = 0;
        for (int64_t i = 0; i < K; ++i)
          sum += q[t * heads * K + i] * state[i * V + j];
        expectedO[t * heads * V + j] = sum;
      }
    }
  }
  void run(const CompiledScan &scan) {
    scan(tokens, V,
         {{"argument q", {q.data(), heads * K}},
          {"argument k", {k.data(), heads * K}},
          {"argument v", {v.data(), heads * V}},
          {"initialState state", {initial.data(), V}},
          {"result o", {o.data(), heads * V}},
          {"finalState state", {last.data(), V}}});
  }
};

TEST(ScanCode, LinearAttentionAtAnyLength) {
  CompiledScan scan(linearAttention);
  for (int64_t tokens : {0, 1, 63, 64, 65, 200}) {
    LinearAttention data(tokens);
    data.run(scan);
    EXPECT_LT(errorOf(data.o, data.expectedO), 1e-5) << tokens;
    EXPECT_LT(errorOf(data.last, data.state), 1e-5) << tokens;
  }
}

} // namespace
