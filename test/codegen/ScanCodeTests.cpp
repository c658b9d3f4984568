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

TEST(ScanCode, PortsThatTheCallerLeavesOut) {
  CompiledScan scan(linearAttention);
  LinearAttention with(70), without(70);
  with.run(scan);
  scan(70, with.V,
       {{"argument q", {with.q.data(), 3 * with.K}},
        {"argument k", {with.k.data(), 3 * with.K}},
        {"argument v", {with.v.data(), 3 * with.V}},
        {"result o", {without.o.data(), 3 * with.V}}});
  // The initial state only adds q S0 to each result.
  double most = 0;
  for (int64_t t = 0; t < 70; ++t)
    for (int64_t j = 0; j < with.V; ++j) {
      double sum = 0;
      for (int64_t i = 0; i < with.K; ++i)
        sum += with.q[t * 3 * with.K + i] * with.initial[i * with.V + j];
      double difference = with.o[t * 3 * with.V + j] - without.o[t * 3 * with.V + j];
      most = std::max(most, std::abs(difference - sum));
    }
  EXPECT_LT(most, 1e-3);
}

TEST(ScanCode, StorageRoundsToNearestEven) {
  for (DType dtype : {DType::f16, DType::bf16}) {
    std::string name = nameOf(dtype);
    CompiledScan scan(R"(
recur.scan @storage_)" + name + R"( step 16 key 32 value 16 inputs [#recur.port<"x" : argument key per_token>]
  outputs [#recur.port<"o" : result key per_token>] carried []
  attributes {sluice.keys = 19 : i64, sluice.storage = {o = )" + name + R"(}} {
^bb0(%x: tensor<16x32xf32>):
  %one = recur.constant 1.0 : tensor<16x32xf32>
  %o = recur.mul %x, %one : tensor<16x32xf32>
  recur.scan_yield outputs(%o : tensor<16x32xf32>) carried()
}
)");
    constexpr int64_t tokens = 40, K = 19;
    std::vector<float> x = randomVector(tokens * K, 5);
    x[0] = INFINITY, x[1] = -0.0f, x[2] = NAN, x[3] = 1e30f, x[4] = 1.00390625f, x[5] = 1.01171875f;
    std::vector<uint16_t> o(tokens * K + 1, 0xabcd), expected(tokens * K);
    convert(DType::f32, x.data(), dtype, expected.data(), tokens * K);
    scan(tokens, 16, {{"argument x", {x.data(), K}}, {"result o", {o.data(), K}}});
    for (int64_t i = 0; i < tokens * K; ++i)
      if (std::isfinite(x[i]))
        EXPECT_EQ(o[i], expected[i]) << name << " " << x[i];
    EXPECT_EQ(o.back(), 0xabcd);
    std::vector<float> back(tokens * K);
    convert(dtype, o.data(), DType::f32, back.data(), tokens * K);
    EXPECT_TRUE(std::isinf(back[0]));
    EXPECT_TRUE(std::isnan(back[2]));
  }
}

TEST(ScanCode, ExchangedStates) {
  // Two carried values that trade places in each step.
  CompiledScan scan(R"(
recur.scan @exchange step 1 key 16 value 16 inputs []
  outputs [] carried [#recur.port<"a" : state state per_step>, #recur.port<"b" : state_cotangent state per_step>] {
^bb0(%a: tensor<16x16xf32>, %b: tensor<16x16xf32>):
  recur.scan_yield outputs() carried(%b, %a : tensor<16x16xf32>, tensor<16x16xf32>)
}
)");
  std::vector<float> a = randomVector(256, 1), b = randomVector(256, 2), lastA(256), lastB(256);
  scan(3, 16,
       {{"initialState a", {a.data(), 16}},
        {"finalState a", {lastA.data(), 16}},
        {"stateCotangent b", {b.data(), 16}},
        {"stateGradient b", {lastB.data(), 16}}});
  EXPECT_EQ(lastA, b);
  EXPECT_EQ(lastB, a);
}

} // namespace
