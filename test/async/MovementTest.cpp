// What copies and matrix loads move, against loops that know only the definition.
#include "test/async/AsyncRun.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <functional>

namespace sluice::test {
namespace {

using emulator::Options;
using Words = std::vector<uint32_t>;
using Floats = std::vector<float>;

Words counting(size_t count, uint32_t from = 1) {
  Words words(count);
  for (size_t i = 0; i < count; ++i)
    words[i] = from + static_cast<uint32_t>(i);
  return words;
}

AsyncRun movement(const std::string &entry, int64_t threads, int64_t sharedBytes = 40 * 1024) {
  return AsyncRun("movement.so", entry, threads, sharedBytes);
}

/// Launches in every order of completion and hands each result to `check`.
template <class Check> void everyRun(const std::function<AsyncRun()> &make, Check &&check) {
  for (const Options &options : everyCompletion(2)) {
    AsyncRun run = make();
    emulator::Result result = run.launch(options);
    ASSERT_TRUE(result.clean()) << textOf(result);
    check(run);
  }
}

TEST(AsyncMovement, CpAsyncFillsWithZeros) {
  for (uint32_t bytes : {4u, 8u, 16u})
    for (uint32_t sourceBytes = 0; sourceBytes <= bytes; sourceBytes += 4)
      everyRun(
          [&] {
            AsyncRun run = movement("copy_pieces_" + std::to_string(bytes), 32);
            run.tensor("in", DType::u32, counting(128))
                .tensor("out", DType::u32, Words(128, 77), Direction::write);
            return run.word("sourceBytes", sourceBytes);
          },
          [&](const AsyncRun &run) {
            Words out = run.read<uint32_t>("out");
            for (uint32_t i = 0; i < 128; ++i) {
              uint32_t byte = i % 4 * 4;
              EXPECT_EQ(out[i], byte >= bytes        ? 77
                                : byte < sourceBytes ? i + 1
                                                     : 0)
                  << bytes << " " << sourceBytes;
            }
          });
}

/// Element of 8 x 8 matrix `matrix`, as a number, that PTX puts into a lane's register.
uint32_t elementOf(uint32_t matrix, uint32_t lane, uint32_t half, bool transposed) {
  uint32_t row = lane / 4, column = lane % 4 * 2 + half;
  return matrix * 64 + (transposed ? column * 8 + row : row * 8 + column);
}

TEST(AsyncMovement, LdmatrixAndStmatrix) {
  auto make = [](const char *entry) {
    AsyncRun run = movement(entry, 32);
    return run.tensor("out", DType::u32, Words(768), Direction::write);
  };
  for (uint32_t pass = 0; pass < 6; ++pass) {
    uint32_t count = 1u << pass % 3;
    bool transposed = pass >= 3;
    everyRun([&] { return make("ldmatrix_all"); },
             [&](const AsyncRun &run) {
               Words out = run.read<uint32_t>("out");
               for (uint32_t i = 0; i < count * 32; ++i)
                 EXPECT_EQ(out[pass * 128 + i], elementOf(i / 32, i % 32, 0, transposed) |
                                                    elementOf(i / 32, i % 32, 1, transposed) << 16);
             });
    everyRun([&] { return make("stmatrix_all"); },
             [&](const AsyncRun &run) {
               Words out = run.read<uint32_t>("out");
               for (uint32_t i = 0; i < count * 64; ++i) {
                 uint32_t lane = i % 64 / 2, at = elementOf(i / 64, lane, i % 2, transposed);
                 EXPECT_EQ(out[pass * 128 + at / 2] >> (at % 2 * 16) & 0xffff,
                           i / 64 * 64 + 2 * lane + i % 2);
               }
             });
  }
}

uint16_t halfOf(float value) { return std::bit_cast<uint16_t>(static_cast<_Float16>(value)); }
uint16_t bfloatOf(float value) { return static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16); }
/// Small whole numbers: sums of their products are exact.
float small(uint32_t i) { return static_cast<float>(static_cast<int>(i * 7 % 11) - 5); }

TEST(AsyncMovement, MmaK16) {
  std::vector<uint16_t> operands(768);
  for (uint32_t i = 0; i < 384; ++i) {
    operands[i] = bfloatOf(small(i));
    operands[384 + i] = halfOf(small(i));
  }
  everyRun(
      [&] {
        AsyncRun run = movement("multiply_16", 32);
        run.tensor("operands", DType::u32, operands);
        run.record.parameters.back().shape = {384};
        return run.tensor("out", DType::f32, Floats(256), Direction::write);
      },
      [&](const AsyncRun &run) {
        Floats out = run.read<float>("out");
        for (uint32_t i = 0; i < 256; ++i) {
          float sum = 1;
          for (uint32_t k = 0; k < 16; ++k)
            sum += small(i % 128 / 8 * 16 + k) * small(256 + k * 8 + i % 8);
          EXPECT_EQ(out[i], sum) << i;
        }
      });
}

TEST(AsyncMovement, MmaK8) {
  std::vector<uint16_t> half(192);
  Floats full(192);
  for (uint32_t i = 0; i < 192; ++i)
    half[i] = halfOf(full[i] = small(i));
  everyRun(
      [&] {
        AsyncRun run = movement("multiply_8", 32);
        run.tensor("half", DType::f16, half).tensor("full", DType::f32, full);
        return run.tensor("out", DType::f32, Floats(256), Direction::write);
      },
      [&](const AsyncRun &run) {
        Floats out = run.read<float>("out");
        for (uint32_t i = 0; i < 256; ++i) {
          float sum = 0;
          for (uint32_t k = 0; k < 8; ++k)
            sum += small(i % 128 / 8 * 8 + k) * small(128 + k * 8 + i % 8);
          EXPECT_EQ(out[i], sum) << i;
        }
      });
}

struct BoxCase {
  std::vector<int64_t> dims;
  std::vector<uint32_t> box;
  std::vector<int32_t> at;
  TileSwizzle swizzle = TileSwizzle::none;
  bool nan = false;
};

uint32_t swizzledOffset(TileSwizzle swizzle, uint32_t offset) {
  uint32_t mask = (1u << static_cast<int>(swizzle)) - 1;
  return offset ^ (offset >> 7 & mask) << 4;
}

void testBox(const BoxCase &one) {
  size_t rank = one.dims.size();
  uint32_t elements = 1, boxElements = 1;
  for (size_t i = 0; i < rank; ++i) {
    elements *= static_cast<uint32_t>(one.dims[i]);
    boxElements *= one.box[i];
  }
  Floats in(elements);
  for (uint32_t i = 0; i < elements; ++i)
    in[i] = static_cast<float>(i + 1);
  everyRun(
      [&] {
        AsyncRun run = movement("tensor_box_" + std::to_string(rank), 64);
        run.map("in", DType::f32, in, one.dims, one.box, one.swizzle, Direction::read, one.nan);
        run.map("out", DType::f32, Floats(elements, -1), one.dims, one.box, one.swizzle, Direction::write);
        run.tensor("dumped", DType::u32, Words(boxElements), Direction::write).word("bytes", boxElements * 4);
        for (size_t i = 0; i < 5; ++i)
          run.word("c" + std::to_string(i), i < rank ? static_cast<uint32_t>(one.at[i]) : 0);
        return run;
      },
      [&](const AsyncRun &run) {
        Floats dumped = run.read<float>("dumped"), out = run.read<float>("out"), expected(elements, -1);
        for (uint32_t i = 0; i < boxElements; ++i) {
          int64_t source = 0, stride = 1;
          bool inside = true;
          for (uint32_t d = 0, rest = i; d < rank; rest /= one.box[d++], stride *= one.dims[d - 1]) {
            int64_t c = one.at[d] + static_cast<int64_t>(rest % one.box[d]);
            inside = inside && c >= 0 && c < one.dims[d];
            source += c * stride;
          }
          float got = dumped[swizzledOffset(one.swizzle, i * 4) / 4];
          if (inside)
            expected[source] = in[source];
          if (inside || !one.nan)
            EXPECT_EQ(got, inside ? in[source] : 0.0f) << i;
          else
            EXPECT_TRUE(std::isnan(got)) << i;
        }
        EXPECT_EQ(out, expected);
      });
}

TEST(AsyncMovement, TensorBoxes) {
  testBox({{64}, {32}, {16}});
  testBox({{64}, {32}, {48}});
  testBox({{64}, {32}, {-8}, TileSwizzle::none, true});
  testBox({{40, 12}, {32, 8}, {4, 6}, TileSwizzle::bytes128});
  testBox({{40, 12}, {32, 8}, {12, -3}, TileSwizzle::bytes128, true});
  testBox({{24, 9}, {16, 4}, {8, 2}, TileSwizzle::bytes64});
  testBox({{8, 40}, {8, 16}, {0, 30}, TileSwizzle::bytes32});
  testBox({{12, 5, 6}, {8, 3, 4}, {-2, 3, 4}});
  testBox({{32, 3, 5}, {32, 2, 4}, {0, 2, -1}, TileSwizzle::bytes128});
  testBox({{8, 3, 4, 3}, {8, 2, 2, 2}, {0, 2, 3, 1}});
  testBox({{8, 2, 3, 2, 4}, {4, 2, 2, 2, 2}, {2, 1, 0, 1, 3}});
}

/// Boxes over the upper edge of every dimension, and over the lower one of the innermost.
TEST(AsyncMovement, TensorBoxesOfEveryRankSwizzleAndFill) {
  for (size_t rank = 1; rank <= 5; ++rank)
    for (TileSwizzle swizzle :
         {TileSwizzle::none, TileSwizzle::bytes32, TileSwizzle::bytes64, TileSwizzle::bytes128})
      for (bool nan : {false, true}) {
        SCOPED_TRACE("rank " + std::to_string(rank) + ", swizzle " +
                     std::to_string(static_cast<int>(swizzle)));
        uint32_t row = swizzle == TileSwizzle::none ? 8 : 4u << static_cast<int>(swizzle);
        BoxCase one{{row + 4}, {row}, {nan ? -4 : 8}, swizzle, nan};
        for (size_t d = 1; d < rank; ++d) {
          one.dims.push_back(3);
          one.box.push_back(2);
          one.at.push_back(d % 2 ? 2 : 1);
        }
        testBox(one);
      }
}

TEST(AsyncMovement, Multicast) {
  Floats box(256);
  for (uint32_t i = 0; i < 256; ++i)
    box[i] = std::bit_cast<float>(i + 1000);
  everyRun(
      [&] {
        AsyncRun run = movement("multicast", 64);
        run.cluster(2).map("in", DType::f32, box, {32, 8}, {32, 8});
        run.tensor("piece", DType::u32, counting(256))
            .tensor("dumped", DType::u32, Words(1024), Direction::write);
        return run;
      },
      [&](const AsyncRun &run) {
        Words dumped = run.read<uint32_t>("dumped");
        for (uint32_t i = 0; i < 1024; ++i)
          EXPECT_EQ(dumped[i], i % 512 < 256 ? i % 512 + 1000 : i % 512 - 255);
      });
}

TEST(AsyncMovement, PassingOnInACluster) {
  everyRun(
      [&] {
        AsyncRun run = movement("pass_on", 32);
        run.cluster(4).tensor("in", DType::u32, counting(128));
        return run.tensor("out", DType::u32, Words(640), Direction::write);
      },
      [&](const AsyncRun &run) {
        Words out = run.read<uint32_t>("out");
        for (uint32_t rank = 0; rank < 4; ++rank)
          for (uint32_t t = 0; t < 32; ++t) {
            uint32_t before = (rank + 3) % 4 * 32 + t + 1, after = (rank + 1) % 4 * 32 + t + 1;
            const uint32_t *got = &out[rank * 160];
            EXPECT_EQ(got[t], before);
            EXPECT_EQ(got[32 + 2 * t], before);
            EXPECT_EQ(got[33 + 2 * t], ~before);
            EXPECT_EQ(got[96 + t], before + 1);
            EXPECT_EQ(got[128 + t], after);
          }
      });
}

TEST(AsyncMovement, BulkPieces) {
  for (uint32_t words : {4u, 60u, 1024u})
    everyRun(
        [&] {
          AsyncRun run = movement("bulk_copy", 64);
          run.tensor("in", DType::u32, counting(words));
          return run.tensor("out", DType::u32, Words(words), Direction::write).word("words", words);
        },
        [&](const AsyncRun &run) { EXPECT_EQ(run.read<uint32_t>("out"), counting(words, 2)); });
}

} // namespace
} // namespace sluice::test
