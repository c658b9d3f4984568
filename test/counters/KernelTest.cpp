// Kernels run by the emulator with counters on, against the formulas of Analytic.h: shapes even and ragged,
// several orders of threads and numbers of host threads; and three mistakes that must move exactly their own
// counter.
#include "Analytic.h"
#include "KernelRun.h"

#include <gtest/gtest.h>

namespace sluice::test {

/// For messages.
void PrintTo(const Cost &cost, std::ostream *stream) {
  *stream << cost.requested << "/" << cost.distinctPerBlock << "/" << cost.distinctPerLaunch;
}

namespace {

Cost costOf(const std::map<std::string, emulator::Traffic> &traffic, const std::string &name) {
  auto found = traffic.find(name);
  if (found == traffic.end())
    return {-1, -1, -1};
  return {static_cast<int64_t>(found->second.requested), static_cast<int64_t>(found->second.distinctPerBlock),
          static_cast<int64_t>(found->second.distinctPerLaunch)};
}

struct Shared {
  int64_t instructions = 0, wavefronts = 0, conflicts = 0;
};
Shared sharedOf(const emulator::Counters &counters, const std::string &primitive) {
  Shared sum;
  for (const emulator::SharedLine &line : counters.shared)
    if (line.primitive == primitive) {
      sum.instructions += line.instructions;
      sum.wavefronts += line.wavefronts;
      sum.conflicts += line.conflicts;
    }
  return sum;
}

/// Of everything in shared memory: what must not change.
int64_t allWavefronts(const emulator::Counters &counters) {
  int64_t sum = 0;
  for (const emulator::SharedLine &line : counters.shared)
    sum += line.wavefronts;
  return sum;
}

struct RowShape {
  int64_t rows, columns, pitch, offset;
};
emulator::Counters copyRowsCounters(const RowShape &shape, const char *file = "traffic.so") {
  KernelRun run(file, "copy_rows");
  run.record.grid[0] = SizeExpression(ceilDivide(shape.rows, 4));
  int64_t elements = shape.offset + shape.rows * shape.pitch;
  run.tensor("source", DType::bf16, Direction::read, elements, shape.offset);
  run.tensor("target", DType::bf16, Direction::write, elements, shape.offset);
  run.size("rows", shape.rows).size("columns", shape.columns).size("pitch", shape.pitch);
  return run.counters();
}

TEST(Kernels, CopyRows) {
  for (RowShape shape : {RowShape{4, 64, 64, 0}, RowShape{9, 300, 304, 0}, RowShape{5, 33, 48, 0},
                         RowShape{1, 1, 16, 0}, RowShape{6, 100, 128, 1}, RowShape{3, 64, 96, 8}}) {
    emulator::Counters counters = copyRowsCounters(shape);
    Cost expected = copyRows(shape.rows, shape.columns, 2 * shape.offset);
    EXPECT_EQ(costOf(counters.read, "source"), expected) << shape.rows << " x " << shape.columns;
    EXPECT_EQ(costOf(counters.written, "target"), expected) << shape.rows << " x " << shape.columns;
    EXPECT_EQ(costOf(counters.written, "source"), once(0));
    EXPECT_EQ(costOf(counters.read, "target"), once(0));
    EXPECT_TRUE(counters.shared.empty());
    EXPECT_EQ(counters.tensorFlops, 0u);
  }
}

TEST(Kernels, CopyPiecesThroughSharedMemory) {
  for (int64_t pieces : {128, 1000, 1, 129}) {
    KernelRun run("traffic.so", "copy_pieces");
    run.record.grid[0] = SizeExpression(ceilDivide(pieces, 128));
    run.record.sharedBytes = 128 * 16;
    run.tensor("source", DType::f32, Direction::read, pieces * 4)
        .tensor("target", DType::f32, Direction::write, pieces * 4);
    run.size("pieces", pieces);
    emulator::Counters counters = run.counters();
    EXPECT_EQ(costOf(counters.read, "source"), copyPieces(pieces));
    EXPECT_EQ(costOf(counters.written, "target"), copyPieces(pieces));
    EXPECT_EQ(sharedOf(counters, "cpAsync").wavefronts, piecePasses(pieces));
    EXPECT_EQ(sharedOf(counters, "loadShared").wavefronts, piecePasses(pieces));
    EXPECT_EQ(sharedOf(counters, "loadShared").instructions, piecePasses(pieces) / 4);
    EXPECT_EQ(sharedOf(counters, "loadShared").conflicts, 0);
  }
}

TEST(Kernels, CopyWordsOfRaggedNumber) {
  for (int64_t words : {512, 1, 7, 509, 1030}) {
    int64_t blocks = ceilDivide(words, 512);
    KernelRun run("traffic.so", "copy_words");
    run.record.grid[0] = SizeExpression(blocks);
    run.record.sharedBytes = 128 * 16;
    run.tensor("source", DType::f32, Direction::read, words);
    run.tensor("target", DType::f32, Direction::write, blocks * 512).size("words", words);
    emulator::Counters counters = run.counters();
    EXPECT_EQ(costOf(counters.read, "source"), copyWords(words)) << words;
    EXPECT_EQ(costOf(counters.written, "target"), copyWordsOut(words)) << words;
    EXPECT_EQ(sharedOf(counters, "cpAsync").wavefronts, piecePasses(ceilDivide(words, 4))) << words;
  }
}

TEST(Kernels, AtomicsReadAndWrite) {
  for (int64_t words : {1, 8, 9, 32}) {
    KernelRun run("traffic.so", "add_words");
    run.tensor("target", DType::u32, Direction::readWrite, words).word("words", words);
    emulator::Counters counters = run.counters();
    EXPECT_EQ(costOf(counters.read, "target"), addWords(words)) << words;
    EXPECT_EQ(costOf(counters.written, "target"), addWords(words)) << words;
  }
}

emulator::Counters transposeCounters(int64_t tiles, const char *file = "traffic.so") {
  KernelRun run(file, "transpose_tiles");
  run.record.grid[0] = SizeExpression(tiles);
  run.record.sharedBytes = 64 * 128;
  run.tensor("source", DType::bf16, Direction::read, tiles * 4096)
      .tensor("target", DType::bf16, Direction::write, tiles * 4096);
  return run.counters();
}

TEST(Kernels, TransposeTiles) {
  for (int64_t tiles : {1, 5}) {
    emulator::Counters counters = transposeCounters(tiles);
    EXPECT_EQ(costOf(counters.read, "source"), transposeIn(tiles));
    EXPECT_EQ(costOf(counters.written, "target"), transposeOut(tiles));
    EXPECT_EQ(sharedOf(counters, "ldmatrix").wavefronts, transposePasses(tiles, true));
    EXPECT_EQ(sharedOf(counters, "ldmatrix").conflicts, 0);
    EXPECT_EQ(sharedOf(counters, "storeShared").wavefronts, tiles * 64);
    EXPECT_EQ(sharedOf(counters, "storeShared").conflicts, 0);
  }
}

TEST(Kernels, TransposeWords) {
  for (int64_t pitch : {33, 32, 34, 36, 40}) {
    KernelRun run("traffic.so", "transpose_words");
    run.record.grid[0] = 3;
    run.record.sharedBytes = SizeExpression(32 * pitch * 4);
    run.tensor("source", DType::f32, Direction::read, 3 * 1024);
    run.tensor("target", DType::f32, Direction::write, 3 * 1024).word("pitch", pitch);
    emulator::Counters counters = run.counters();
    EXPECT_EQ(sharedOf(counters, "loadShared").wavefronts, columnPasses(3, pitch)) << pitch;
    EXPECT_EQ(sharedOf(counters, "loadShared").conflicts, columnPasses(3, pitch) - 3 * 32) << pitch;
    EXPECT_EQ(sharedOf(counters, "storeShared").wavefronts, 3 * 32);
    EXPECT_EQ(costOf(counters.read, "source"), once(3 * 128));
  }
}

TEST(Kernels, BlocksThatShareATable) {
  for (int64_t rows : {1, 7})
    for (int64_t columns : {128, 100, 301}) {
      KernelRun run("traffic.so", "scale_rows");
      run.record.grid[0] = SizeExpression(rows);
      run.tensor("source", DType::f32, Direction::read, rows * columns);
      run.tensor("table", DType::f32, Direction::read, columns);
      run.tensor("target", DType::f32, Direction::write, rows * columns);
      run.size("columns", columns);
      emulator::Counters counters = run.counters();
      EXPECT_EQ(costOf(counters.read, "table"), sharedTable(rows, columns)) << rows << " x " << columns;
      EXPECT_EQ(costOf(counters.read, "source"), denseRows(rows, columns)) << rows << " x " << columns;
      EXPECT_EQ(costOf(counters.written, "target"), denseRows(rows, columns)) << rows << " x " << columns;
    }
}

TEST(Kernels, LanesThatAlternate) {
  for (int64_t steps : {1, 2, 7, 32}) {
    KernelRun run("traffic.so", "alternate");
    run.record.sharedBytes = 256;
    run.tensor("source", DType::f32, Direction::read, steps)
        .tensor("target", DType::f32, Direction::write, 128);
    run.size("steps", steps);
    emulator::Counters counters = run.counters();
    EXPECT_EQ(costOf(counters.read, "source"), alternate(steps)) << steps;
    EXPECT_EQ(sharedOf(counters, "loadShared").wavefronts, 4 * steps) << steps;
    EXPECT_EQ(sharedOf(counters, "loadShared").instructions, 4 * steps) << steps;
  }
}

TEST(Kernels, FlopsOfMma) {
  for (int64_t steps : {0, 1, 13}) {
    KernelRun run("traffic.so", "multiply");
    run.record.grid[0] = 2;
    run.tensor("target", DType::f32, Direction::write, 256).size("steps", steps);
    EXPECT_EQ(static_cast<int64_t>(run.counters().tensorFlops), mmaFlops(2, steps));
  }
}

TEST(Kernels, CopyBoxes) {
  struct Shape {
    int64_t rows, columns, pitch;
  };
  for (Shape shape : {Shape{32, 64, 64}, Shape{100, 200, 208}, Shape{33, 65, 80}, Shape{7, 16, 16}}) {
    KernelRun run("traffic_bulk.so", "copy_boxes");
    run.record.grid = {ceilDivide(shape.columns, 64), ceilDivide(shape.rows, 32), 1};
    run.record.threads = 32;
    run.record.sharedBytes = 32 * 128 + 8;
    for (const char *name : {"source", "target"})
      run.map(name, DType::bf16, name == std::string("source") ? Direction::read : Direction::write,
              {shape.columns, shape.rows}, shape.pitch, {64, 32});
    emulator::Counters counters = run.counters();
    int64_t count = boxes(shape.rows, shape.columns);
    Cost expected = copyBoxes(shape.rows, shape.columns, 2 * shape.pitch);
    EXPECT_EQ(costOf(counters.read, "source"), expected) << shape.rows << " x " << shape.columns;
    EXPECT_EQ(costOf(counters.written, "target"), expected) << shape.rows << " x " << shape.columns;
    EXPECT_EQ(sharedOf(counters, "tensorLoad").wavefronts, count * 32);
    EXPECT_EQ(sharedOf(counters, "tensorStore").wavefronts, count * 32);
    for (const emulator::SharedLine &line : counters.shared)
      EXPECT_EQ(line.model, line.primitive.starts_with("tensor")) << line.primitive;
  }
}

TEST(Kernels, BoxesForAWholeCluster) {
  for (int64_t blocks : {1, 2, 4}) {
    constexpr int64_t clusters = 3;
    KernelRun run("traffic_bulk.so", "share_boxes");
    run.record.grid = {blocks, clusters, 1};
    run.record.cluster = {blocks, 1, 1};
    run.record.threads = 32;
    run.record.sharedBytes = 32 * 128 + 8;
    run.map("source", DType::bf16, Direction::read, {64, clusters * 32}, 64, {64, 32});
    run.tensor("target", DType::bf16, Direction::write, clusters * blocks * 2048);
    emulator::Counters counters = run.counters();
    EXPECT_EQ(costOf(counters.read, "source"), shareBoxes(clusters)) << blocks;
    EXPECT_EQ(costOf(counters.written, "target"), shareBoxes(clusters * blocks)) << blocks;
    EXPECT_EQ(sharedOf(counters, "tensorLoadMulticast").wavefronts, sharePasses(clusters, blocks)) << blocks;
  }
}

TEST(Kernels, BoxesAcrossTheEdgesOfPages) {
  constexpr int64_t pages = 3, rows = 13, columns = 72, pitch = 80;
  for (int64_t row : {-5, 0, 8, 13})
    for (int64_t column : {-16, 0, 17, 64}) {
      KernelRun run("traffic_bulk.so", "load_corners");
      run.record.grid[0] = pages;
      run.record.threads = 32;
      run.record.sharedBytes = 1024 + 8;
      run.map("source", DType::bf16, Direction::read, {columns, rows, pages}, pitch, {64, 8, 1});
      run.size("column", column, DType::i32).size("row", row, DType::i32);
      EXPECT_EQ(costOf(run.counters().read, "source"),
                loadCorners(pages, rows, columns, 2 * pitch, row, column))
          << row << " " << column;
    }
}

emulator::Counters storeCounters(int64_t tiles, const char *file = "traffic_bulk.so") {
  KernelRun run(file, "store_tiles");
  run.record.grid[0] = SizeExpression(tiles);
  run.record.sharedBytes = 32 * 128;
  run.tensor("target", DType::i64, Direction::write, tiles * 512);
  return run.counters();
}

TEST(Kernels, StoreTiles) {
  for (int64_t tiles : {1, 5}) {
    emulator::Counters counters = storeCounters(tiles);
    EXPECT_EQ(sharedOf(counters, "stmatrix").wavefronts, storePasses(tiles, true));
    EXPECT_EQ(sharedOf(counters, "stmatrix").conflicts, 0);
    EXPECT_EQ(sharedOf(counters, "stmatrix").instructions, tiles * 8);
  }
}

TEST(Kernels, CopyStretches) {
  for (int64_t bytes : {16, 48, 4096, 8192}) {
    constexpr int64_t blocks = 6;
    KernelRun run("traffic_bulk.so", "copy_stretches");
    run.record.grid[0] = blocks;
    run.record.threads = 32;
    run.record.sharedBytes = 8192 + 8;
    run.tensor("source", DType::f32, Direction::read, (blocks - 1) * 4 + bytes / 4);
    run.tensor("target", DType::f32, Direction::write, blocks * bytes / 4).word("bytes", bytes);
    emulator::Counters counters = run.counters();
    EXPECT_EQ(costOf(counters.read, "source"), stretches(blocks, bytes)) << bytes;
    EXPECT_EQ(costOf(counters.written, "target").distinctPerLaunch, sectorsOf(0, blocks * bytes)) << bytes;
    EXPECT_EQ(sharedOf(counters, "bulkLoad").wavefronts, blocks * ceilDivide(bytes, 128)) << bytes;
  }
}

TEST(Kernels, FlopsOfWgmma) {
  for (int64_t steps : {1, 4}) {
    KernelRun run("traffic_bulk.so", "multiply_groups");
    run.record.grid[0] = 3;
    run.record.sharedBytes = 64 * 128;
    run.tensor("target", DType::f32, Direction::write, 3 * 128).size("steps", steps);
    emulator::Counters counters = run.counters();
    EXPECT_EQ(static_cast<int64_t>(counters.tensorFlops), wgmmaFlops(3, steps));
    EXPECT_EQ(sharedOf(counters, "wgmma").wavefronts * 128, wgmmaBytes(3, steps));
  }
}

// Mistakes of speed. Each changes its own figure by what the formulas predict, and no other.

TEST(Mistakes, ARedundantLoadIsOnlyRequested) {
  for (RowShape shape : {RowShape{4, 64, 64, 0}, RowShape{9, 300, 304, 0}}) {
    emulator::Counters right = copyRowsCounters(shape),
                       wrong = copyRowsCounters(shape, "traffic_redundant.so");
    Cost before = costOf(right.read, "source"), after = costOf(wrong.read, "source");
    EXPECT_EQ(after.requested, 2 * before.requested);
    EXPECT_EQ(after.distinctPerBlock, before.distinctPerBlock);
    EXPECT_EQ(after.distinctPerLaunch, before.distinctPerLaunch);
    EXPECT_EQ(costOf(wrong.written, "target"), costOf(right.written, "target"));
  }
}

TEST(Mistakes, ARemovedSwizzleIsOnlyInWavefronts) {
  emulator::Counters right = transposeCounters(3), wrong = transposeCounters(3, "traffic_plain.so");
  EXPECT_EQ(sharedOf(wrong, "ldmatrix").wavefronts, transposePasses(3, false));
  EXPECT_EQ(sharedOf(wrong, "ldmatrix").conflicts, transposePasses(3, false) - transposePasses(3, true));
  EXPECT_EQ(allWavefronts(wrong) - allWavefronts(right),
            transposePasses(3, false) - transposePasses(3, true));
  EXPECT_EQ(costOf(wrong.read, "source"), costOf(right.read, "source"));
  EXPECT_EQ(costOf(wrong.written, "target"), costOf(right.written, "target"));
}

TEST(Mistakes, ARemovedSwizzleOfStmatrixIsOnlyInWavefronts) {
  emulator::Counters right = storeCounters(3), wrong = storeCounters(3, "traffic_bulk_plain.so");
  EXPECT_EQ(sharedOf(wrong, "stmatrix").wavefronts, storePasses(3, false));
  EXPECT_EQ(sharedOf(wrong, "stmatrix").conflicts, storePasses(3, false) - storePasses(3, true));
  EXPECT_EQ(allWavefronts(wrong) - allWavefronts(right), storePasses(3, false) - storePasses(3, true));
  EXPECT_EQ(costOf(wrong.written, "target"), costOf(right.written, "target"));
}

TEST(Mistakes, AMisalignedRowCostsASectorPerWarpInstruction) {
  constexpr int64_t rows = 8, columns = 256;
  emulator::Counters right = copyRowsCounters({rows, columns, 272, 0});
  emulator::Counters wrong = copyRowsCounters({rows, columns, 272, 1});
  Cost before = costOf(right.read, "source"), after = costOf(wrong.read, "source");
  EXPECT_EQ(after.requested - before.requested, rows * columns / 32);
  EXPECT_EQ(after.distinctPerBlock - before.distinctPerBlock, rows);
  EXPECT_EQ(after.distinctPerLaunch - before.distinctPerLaunch, rows);
  // The target is misaligned alike; nothing else is touched.
  EXPECT_EQ(costOf(wrong.written, "target"), after);
  EXPECT_EQ(costOf(wrong.written, "source"), once(0));
  EXPECT_TRUE(wrong.shared.empty());
  EXPECT_EQ(wrong.tensorFlops, right.tensorFlops);
  EXPECT_EQ(wrong.barriers, right.barriers);
}

} // namespace
} // namespace sluice::test
