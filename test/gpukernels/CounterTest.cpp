// The traffic, FLOPs and barriers of the hand-written kernels, as formulas of their shapes. Sectors have 32
// bytes; the sizes are ragged against the tiles, and rows start at sectors.
#include "test/gpukernels/EmulatedRun.h"

#include <gtest/gtest.h>

namespace sluice::gpukernels {

namespace {

using emulator::Counters;
using emulator::Traffic;

uint64_t ceildiv(uint64_t a, uint64_t b) { return (a + b - 1) / b; }
uint64_t sectors(uint64_t bytes) { return ceildiv(bytes, 32); }

Counters countersOf(const std::string &name, const Sizes &sizes) {
  emulator::Options options;
  options.count = true;
  options.seed = 4;
  const EmulatedRun run = runEmulated(kernelCase(name), sizes, 1, options);
  EXPECT_TRUE(run.result.clean()) << reportText(run.result);
  return run.result.counters;
}

void expectTraffic(const Traffic &traffic, uint64_t requested, uint64_t perBlock, uint64_t perLaunch) {
  EXPECT_EQ(traffic.requested, requested);
  EXPECT_EQ(traffic.distinctPerBlock, perBlock);
  EXPECT_EQ(traffic.distinctPerLaunch, perLaunch);
}

/// What both GEMMs share: every block of 128 x 128 reads its rows of A and its columns or rows of B once.
struct Product {
  uint64_t m, n, k;
  uint64_t blocksM() const { return ceildiv(m, 128); }
  uint64_t blocksN() const { return ceildiv(n, 128); }
  Sizes sizes() const { return {{"m", int64_t(m)}, {"n", int64_t(n)}, {"k", int64_t(k)}}; }

  void expectTrafficOf(const Counters &counters, bool rowsAreN) const {
    const uint64_t a = m * sectors(k * 2), b = rowsAreN ? n * sectors(k * 2) : k * sectors(n * 2);
    const uint64_t c = m * sectors(n * 4);
    expectTraffic(counters.read.at("a"), blocksN() * a, blocksN() * a, a);
    expectTraffic(counters.read.at("b"), blocksM() * b, blocksM() * b, b);
    expectTraffic(counters.written.at("c"), c, c, c);
  }
  /// The products of whole tiles: what is padded is multiplied too.
  uint64_t flops(uint64_t slice) const {
    return 2 * blocksM() * 128 * blocksN() * 128 * ceildiv(k, slice) * slice;
  }
};

TEST(HandWrittenTraffic, gemmWithMmaSync) {
  const Product product{150, 144, 90};
  const Counters counters = countersOf("gemm_sm80_bf16", product.sizes());
  product.expectTrafficOf(counters, false);
  EXPECT_EQ(counters.tensorFlops, product.flops(32));
  EXPECT_EQ(counters.barriers, product.blocksM() * product.blocksN() * ceildiv(product.k, 32));
  for (const emulator::SharedLine &line : counters.shared)
    EXPECT_EQ(line.conflicts, 0u) << line.primitive << " in line " << line.line;
}

TEST(HandWrittenTraffic, gemmWithWgmma) {
  const Product product{150, 144, 90};
  for (bool rowsAreN : {true, false}) {
    const Counters counters =
        countersOf(rowsAreN ? "gemm_sm90_bf16_nk" : "gemm_sm90_bf16_kn", product.sizes());
    product.expectTrafficOf(counters, rowsAreN);
    EXPECT_EQ(counters.tensorFlops, product.flops(64));
    EXPECT_EQ(counters.barriers, product.blocksM() * product.blocksN()); // the start of each block
  }
}

/// Aligned rows move 16 bytes per lane, 16 sectors per instruction of a warp, and then what is left over, in
/// a sector that was touched already. A row that starts 2 bytes later moves 64 bytes per instruction, in 3
/// sectors.
TEST(HandWrittenTraffic, rowsAlignedAndNot) {
  const uint64_t rows = 10, columns = 332;
  Sizes sizes{{"rows", rows},        {"columns", columns}, {"strideSource", 336},
              {"strideTarget", 336}, {"offsetSource", 0},  {"offsetTarget", 0}};
  const uint64_t distinct = rows * sectors(columns * 2), left = rows;
  Counters counters = countersOf("copy_rows", sizes);
  expectTraffic(counters.read.at("source"), distinct + left, distinct, distinct);
  expectTraffic(counters.written.at("target"), distinct + left, distinct, distinct);

  sizes["offsetSource"] = 1;
  counters = countersOf("copy_rows", sizes);
  const uint64_t whole = columns / 32, rest = columns % 32;
  expectTraffic(counters.read.at("source"), rows * (3 * whole + sectors(2 + rest * 2)),
                rows * sectors(2 + columns * 2), rows * sectors(2 + columns * 2));
  expectTraffic(counters.written.at("target"), rows * (2 * whole + sectors(rest * 2)), distinct, distinct);
}

/// A lane writes 16 bytes of a row of the target and four lanes neighbouring pieces.
TEST(HandWrittenTraffic, transposedCopy) {
  const uint64_t rows = 208, columns = 80;
  const Counters counters = countersOf("copy_transposed", {{"rows", rows}, {"columns", columns}});
  const uint64_t in = rows * sectors(columns * 2), out = columns * sectors(rows * 2);
  expectTraffic(counters.read.at("source"), in, in, in);
  expectTraffic(counters.written.at("target"), out, out, out);
  for (const emulator::SharedLine &line : counters.shared)
    EXPECT_EQ(line.conflicts, 0u) << line.primitive << " in line " << line.line;
}

TEST(HandWrittenTraffic, bulkCopies) {
  const uint64_t n = 5 * 1024 + 72;
  Counters counters = countersOf("copy_bulk", {{"n", n}, {"blocks", 2}});
  expectTraffic(counters.read.at("source"), sectors(n * 4), sectors(n * 4), sectors(n * 4));
  expectTraffic(counters.written.at("target"), sectors(n * 4), sectors(n * 4), sectors(n * 4));

  const uint64_t batch = 2, rows = 70, columns = 80, all = batch * rows * sectors(columns * 2);
  counters = countersOf("copy_scaled", {{"batch", batch}, {"rows", rows}, {"columns", columns}});
  expectTraffic(counters.read.at("source"), all, all, all);
  expectTraffic(counters.written.at("target"), all, all, all);
}

/// Merges: pairs of 16 x 16 blocks need 16 + 8 products of 8 rows for each half, all three times.
TEST(HandWrittenTraffic, inverse) {
  const uint64_t batch = 3, matrix = sectors(64 * 64 * 4);
  const Counters counters = countersOf("triangular_inverse", {{"batch", batch}});
  expectTraffic(counters.read.at("source"), batch * matrix, batch * matrix, batch * matrix);
  expectTraffic(counters.written.at("target"), batch * matrix, batch * matrix, batch * matrix);
  const uint64_t block = 2 * 2,
                 half = 2; // instructions of 16 x 8 x 8: for a 16 x 16 x 16 product, for 8 columns of it
  const uint64_t pairs = 4 * (block + half);
  // Row block 2 needs one product for each column of L, row block 3 two; then as many as the column has
  // blocks.
  const uint64_t halves = (1 + 2) * (2 + 1) * block + 2 * (2 + 1) * block;
  EXPECT_EQ(counters.tensorFlops, batch * (pairs + halves) * 3 * 2 * 16 * 8 * 8);
  EXPECT_EQ(counters.barriers, batch * 4);
}

/// The four blocks of a cluster share the rows; everything else stays in shared memory.
TEST(HandWrittenTraffic, clusterReduction) {
  const uint64_t rows = 7, columns = 520;
  for (const char *name : {"reduce_pull", "reduce_push", "reduce_async", "reduce_bulk"}) {
    SCOPED_TRACE(name);
    const Counters counters = countersOf(name, {{"rows", rows}, {"columns", columns}, {"stride", columns}});
    const uint64_t in = rows * sectors(columns * 4), out = sectors(columns * 4);
    expectTraffic(counters.read.at("source"), in, in, in);
    expectTraffic(counters.written.at("target"), out, out, out);
  }
}

/// Every tile passes through every ring once, whole also where the sequence ends in it.
TEST(HandWrittenTraffic, chainOfBlocks) {
  const uint64_t stages = 3, count = 2504, tiles = ceildiv(count, 512),
                 passed = (stages - 1) * tiles * sectors(512 * 4);
  for (const char *name : {"chain", "chain_bulk_read", "chain_bulk_write"}) {
    SCOPED_TRACE(name);
    const Counters counters = countersOf(name, {{"stages", stages}, {"chains", 1}, {"count", count}});
    EXPECT_EQ(counters.read.at("source").requested, sectors(count * 4));
    EXPECT_EQ(counters.written.at("target").requested, sectors(count * 4));
    EXPECT_EQ(counters.read.at("rings").requested, passed);
    EXPECT_EQ(counters.written.at("rings").requested, passed);
    EXPECT_EQ(counters.written.at("rings").distinctPerLaunch, (stages - 1) * 3 * sectors(512 * 4));
  }
}

TEST(HandWrittenTraffic, scan) {
  const uint64_t sequences = 2, tokens = 200, values = 80, slices = ceildiv(values, 64),
                 chunks = ceildiv(tokens, 64);
  const Counters counters = countersOf(
      "chunk_scan", {{"sequences", sequences}, {"tokens", tokens}, {"values", values}, {"blocks", 1}});
  const uint64_t rows = sequences * tokens;
  // Keys and queries once for each slice of the values.
  EXPECT_EQ(counters.read.at("keys").requested, slices * rows * sectors(128 * 2));
  EXPECT_EQ(counters.read.at("queries").requested, slices * rows * sectors(128 * 2));
  EXPECT_EQ(counters.read.at("values").requested, rows * sectors(values * 2));
  EXPECT_EQ(counters.written.at("target").requested, rows * sectors(values * 2));
  EXPECT_EQ(counters.read.at("keys").distinctPerBlock, rows * sectors(128 * 2));
  EXPECT_EQ(counters.written.at("finalState").distinctPerLaunch, sequences * 128 * sectors(values * 4));
  // Q K^T, S k, S q, K^T U over 128 keys and P U over 64 rows, in tiles of 64 x 64.
  EXPECT_EQ(counters.tensorFlops, sequences * slices * chunks * 2 * 64 * 64 * (4 * 128 + 64));
  EXPECT_EQ(counters.barriers, 1 + sequences * slices * chunks * 2);
}

} // namespace

} // namespace sluice::gpukernels
