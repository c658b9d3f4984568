// The counters by themselves: sectors of warp instructions and rows, banks, and sums over blocks that run in
// parallel.
#include "runtime/emulator/Counters.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <thread>

namespace sluice::emulator {
namespace {

constexpr CountedLine here{"kernel.cu", 12, "loadShared"};

/// All lanes access `bytes` at base + stride lane.
WarpAccess strided(uint64_t base, uint64_t stride, uint32_t bytes, uint32_t lanes = 32) {
  WarpAccess access;
  for (uint32_t lane = 0; lane < lanes; ++lane)
    access.add(lane, base + stride * lane, bytes);
  return access;
}

Counters oneBlock(std::vector<CountedTensor> tensors, const std::function<void(BlockCounters &)> &body) {
  LaunchCounters launch(std::move(tensors));
  BlockCounters block(launch);
  body(block);
  block.finish();
  return launch.result();
}

Traffic readOf(const WarpAccess &access) {
  return oneBlock({{"x", 4096, 1 << 20}}, [&](BlockCounters &b) { b.global(Direction::read, access); })
      .read["x"];
}

TEST(Sectors, OfOneWarpInstruction) {
  EXPECT_EQ(readOf(strided(4096, 4, 4)).requested, 4u);
  EXPECT_EQ(readOf(strided(4096, 16, 16)).requested, 16u);
  EXPECT_EQ(readOf(strided(4096 + 16, 4, 4)).requested, 5u);
  EXPECT_EQ(readOf(strided(4096, 2, 2)).requested, 2u);
  EXPECT_EQ(readOf(strided(4096, 256, 4)).requested, 32u);
  EXPECT_EQ(readOf(strided(4096, 0, 4)).requested, 1u);
  EXPECT_EQ(readOf(strided(4096, 4, 4, 9)).requested, 2u);
  EXPECT_EQ(readOf(WarpAccess()).requested, 0u);
}

TEST(Sectors, OfLanesInAnyOrder) {
  WarpAccess access;
  std::set<uint64_t> sectors;
  for (uint32_t lane = 0; lane < 32; ++lane) {
    uint64_t at = 4096 + lane * 1237 % 911 * 4;
    access.add(lane, at, 4);
    sectors.insert(at / 32);
  }
  EXPECT_EQ(readOf(access).requested, sectors.size());
  EXPECT_EQ(readOf(access).distinctPerBlock, sectors.size());
}

TEST(Sectors, RequestedAndDistinct) {
  Counters counters = oneBlock({{"x", 4096, 1 << 20}}, [](BlockCounters &b) {
    for (int repeat = 0; repeat < 3; ++repeat)
      b.global(Direction::write, strided(4096, 16, 16));
    b.globalRow(Direction::write, 4096 + 480, 64);
  });
  EXPECT_EQ(counters.written["x"].requested, 3 * 16 + 2u);
  EXPECT_EQ(counters.written["x"].distinctPerBlock, 17u);
  EXPECT_EQ(counters.written["x"].distinctPerLaunch, 17u);
  EXPECT_EQ(counters.read["x"].requested, 0u);
}

TEST(Sectors, OfRows) {
  for (uint64_t offset : {0, 2, 30, 31, 1000, 131071})
    for (uint64_t bytes : {1, 2, 32, 33, 4096, 300000}) {
      uint64_t sectors = (offset + bytes - 1) / 32 - offset / 32 + 1;
      Counters counters = oneBlock({{"x", 1 << 20, 1 << 20}}, [&](BlockCounters &b) {
        b.globalRow(Direction::read, (1 << 20) + offset, bytes);
        b.globalRow(Direction::read, (1 << 20) + offset, 0);
      });
      EXPECT_EQ(counters.read["x"].requested, sectors) << offset << " " << bytes;
      EXPECT_EQ(counters.read["x"].distinctPerLaunch, sectors) << offset << " " << bytes;
    }
}

TEST(Sectors, AtomicsCountBothWays) {
  Counters counters = oneBlock({{"x", 0, 4096}}, [](BlockCounters &b) {
    b.global(Direction::readWrite, strided(0, 4, 4));
  });
  EXPECT_EQ(counters.read["x"].requested, 4u);
  EXPECT_EQ(counters.written["x"].requested, 4u);
}

TEST(Sectors, TensorsWithinTensors) {
  // "part" is a view of the middle of "all"; the stretch behind it is "all" again, and nothing knows 9000.
  Counters counters =
      oneBlock({{"all", 1024, 4096}, {"part", 2048, 1024}, {"twin", 2048, 1024}}, [](BlockCounters &b) {
        b.globalRow(Direction::read, 1024, 4096);
        b.globalRow(Direction::read, 9000, 4);
      });
  EXPECT_EQ(counters.read["all"].requested, 96u);
  EXPECT_EQ(counters.read["part"].requested, 32u);
  EXPECT_EQ(counters.read["twin"].requested, 0u);
  EXPECT_EQ(counters.read["?"].requested, 1u);
}

TEST(Sectors, DoNotDependOnTheOrderOfBlocks) {
  // 64 blocks on four threads; block i reads 1 KiB from 512 i on, so neighbours share half.
  LaunchCounters launch({{"x", 0, 1 << 20}});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      BlockCounters block(launch);
      for (int i = t; i < 64; i += 4) {
        for (int row = 0; row < 2; ++row)
          block.global(Direction::read, strided(512 * i + 512 * row, 16, 16));
        block.tensorFlops(4096);
        block.barrier();
        block.finish();
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  Counters counters = launch.result();
  EXPECT_EQ(counters.read["x"].requested, 64 * 32u);
  EXPECT_EQ(counters.read["x"].distinctPerBlock, 64 * 32u);
  EXPECT_EQ(counters.read["x"].distinctPerLaunch, 65 * 16u);
  EXPECT_EQ(counters.tensorFlops, 64 * 4096u);
  EXPECT_EQ(counters.barriers, 64u);
}

SharedLine sharedOf(const WarpAccess &access) {
  return oneBlock({}, [&](BlockCounters &b) { b.shared(here, access); }).shared.at(0);
}

TEST(Banks, OfOneWarpInstruction) {
  struct Case {
    uint64_t stride;
    uint32_t bytes;
    uint64_t wavefronts, conflicts;
  };
  for (const Case &each : std::initializer_list<Case>{
           {4, 4, 1, 0},        // Consecutive words.
           {8, 4, 2, 1},        // Every other bank.
           {128, 4, 32, 31},    // A column.
           {132, 4, 1, 0},      // A padded column.
           {0, 4, 1, 0},        // The same word.
           {2, 2, 1, 0},        // Two lanes in a word.
           {128, 2, 32, 31},
           {8, 8, 2, 0},        // Half warps.
           {16, 8, 4, 2},
           {16, 16, 4, 0},      // Quarter warps.
           {32, 16, 8, 4},
           {128, 16, 32, 28},
           {144, 16, 4, 0},
           {1, 1, 1, 0}}) {
    SharedLine line = sharedOf(strided(0, each.stride, each.bytes));
    EXPECT_EQ(line.instructions, 1u);
    EXPECT_EQ(line.wavefronts, each.wavefronts) << each.stride << " " << each.bytes;
    EXPECT_EQ(line.conflicts, each.conflicts) << each.stride << " " << each.bytes;
    EXPECT_FALSE(line.model);
  }
}

TEST(Banks, GroupsWithoutActiveLanesCostNothing) {
  EXPECT_EQ(sharedOf(strided(0, 16, 16, 8)).wavefronts, 1u);
  EXPECT_EQ(sharedOf(strided(0, 16, 16, 9)).wavefronts, 2u);
  EXPECT_EQ(sharedOf(strided(0, 8, 8, 16)).wavefronts, 1u);
}

TEST(Banks, OfMatrices) {
  auto rows = [](uint32_t pitch) {
    std::vector<uint32_t> rows;
    for (uint32_t i = 0; i < 32; ++i)
      rows.push_back(i % 16 * pitch + i / 16 * 16);
    return rows;
  };
  auto matrices = [&](uint32_t pitch) {
    return oneBlock({}, [&](BlockCounters &b) { b.sharedMatrices(here, rows(pitch)); }).shared.at(0);
  };
  EXPECT_EQ(matrices(16).wavefronts, 4u);
  EXPECT_EQ(matrices(144).conflicts, 0u);
  EXPECT_EQ(matrices(128).wavefronts, 32u);
  EXPECT_EQ(matrices(128).conflicts, 28u);
  EXPECT_EQ(matrices(64).wavefronts, 16u);
}

TEST(Banks, LinesAreMergedByText) {
  LaunchCounters launch({});
  std::string copies[2] = {"kernel.cu", "kernel.cu"};
  for (const std::string &file : copies) {
    BlockCounters block(launch);
    block.shared({file.c_str(), 12, "loadShared"}, strided(0, 128, 4));
    block.shared({file.c_str(), 3, "loadShared"}, strided(0, 4, 4));
    block.sharedModel({file.c_str(), 40, "wgmma"}, 2048 + 64);
    block.finish();
  }
  std::vector<SharedLine> lines = launch.result().shared;
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].line, 3u);
  EXPECT_EQ(lines[1].instructions, 2u);
  EXPECT_EQ(lines[1].wavefronts, 64u);
  EXPECT_EQ(lines[2].wavefronts, 2 * 17u);
  EXPECT_TRUE(lines[2].model);
}

} // namespace
} // namespace sluice::emulator
