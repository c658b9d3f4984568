// Layouts by themselves: coordinates and slots are inverse and cover the matrix, fragments chain, rows for
// ldmatrix give the fragment of mma, descriptors round.
#include "codegen/cuda/device/Layouts.h"

#include <gtest/gtest.h>

#include <set>

namespace sluice::device::layout {
namespace {

template <class L> class Fragment : public testing::Test {};
using Fragments = testing::Types<MmaA, MmaB, MmaAccumulator, MmaAK8F16, MmaBK8F16, MmaAK8Tf32, MmaBK8Tf32,
                                 WgmmaA, WgmmaAccumulator<8>, WgmmaAccumulator<24>, WgmmaAccumulator<256>>;
TYPED_TEST_SUITE(Fragment, Fragments);

TYPED_TEST(Fragment, SlotIsTheInverseOfCoordinate) {
  using L = TypeParam;
  static_assert(L::rows * L::columns == L::lanes * L::registers * L::halves);
  for (i32 row = 0; row < L::rows; ++row)
    for (i32 column = 0; column < L::columns; ++column) {
      Slot slot = L::slot(row, column);
      EXPECT_TRUE(slot.lane >= 0 && slot.lane < L::lanes && slot.reg >= 0 && slot.reg < L::registers &&
                  slot.half >= 0 && slot.half < L::halves);
      EXPECT_EQ(L::coordinate(slot.lane, slot.reg, slot.half), (Coordinate{row, column}));
    }
}

TEST(Layouts, AccumulatorsBecomeOperandsInTheirLanes) {
  for (i32 step = 0; step < 4; ++step)
    for (i32 lane = 0; lane < WgmmaA::lanes; ++lane)
      for (i32 reg = 0; reg < 4; ++reg)
        for (i32 half = 0; half < 2; ++half) {
          Coordinate operand = WgmmaA::coordinate(lane, reg, half);
          Coordinate source = WgmmaAccumulator<64>::coordinate(lane, accumulatorOfOperand(step, reg, half));
          EXPECT_EQ(source, (Coordinate{operand.row, operand.column + 16 * step}));
        }
}

/// The element that `lane` receives in (reg, half) if the lanes address the rows that `rowOf` says, in the
/// coordinates of the tile as it is stored.
template <class RowOf> Coordinate received(RowOf rowOf, i32 lane, i32 reg, i32 half, bool transposed) {
  Coordinate element = ldmatrixElement(lane, half, transposed);
  Coordinate row = rowOf(ldmatrixLane(reg, element.row));
  return {row.row, row.column + element.column};
}

TEST(Layouts, RowsForLdmatrixGiveTheFragments) {
  for (i32 lane = 0; lane < 32; ++lane)
    for (i32 reg = 0; reg < 4; ++reg)
      for (i32 half = 0; half < 2; ++half) {
        Coordinate a = MmaA::coordinate(lane, reg, half);
        EXPECT_EQ(received(ldmatrixRowOfA, lane, reg, half, false), a);
        EXPECT_EQ(received(ldmatrixRowOfTransposedA, lane, reg, half, true), (Coordinate{a.column, a.row}));
        if (reg >= MmaB::registers)
          continue;
        Coordinate b = MmaB::coordinate(lane, reg, half);
        EXPECT_EQ(received(ldmatrixRowOfB, lane, reg, half, false), (Coordinate{b.column, b.row}));
        EXPECT_EQ(received(ldmatrixRowOfTransposedB, lane, reg, half, true), b);
      }
}

TEST(Layouts, LdmatrixSlotIsTheInverseOfElement) {
  for (bool transposed : {false, true})
    for (i32 lane = 0; lane < 32; ++lane)
      for (i32 half = 0; half < 2; ++half) {
        Coordinate at = ldmatrixElement(lane, half, transposed);
        EXPECT_EQ(ldmatrixSlot(3, at.row, at.column, transposed), (Slot{lane, 3, half}));
      }
}

TEST(Layouts, SwizzlesPermuteWithinTheirPeriod) {
  for (Swizzle swizzle : {Swizzle::none, Swizzle::bytes32, Swizzle::bytes64, Swizzle::bytes128}) {
    std::set<u32> seen;
    for (u32 address = 5 * 1024; address < 6 * 1024; ++address) {
      u32 at = swizzled(swizzle, address);
      EXPECT_EQ(swizzled(swizzle, at), address);
      EXPECT_EQ(at / swizzleSpan(swizzle), address / swizzleSpan(swizzle));
      EXPECT_EQ(at - address,
                swizzled(swizzle, address % swizzlePeriod(swizzle)) - address % swizzlePeriod(swizzle));
      seen.insert(at);
    }
    EXPECT_EQ(seen.size(), 1024u);
  }
}

/// Eight rows of one column of 16 bytes touch all banks: what the widest swizzle is for.
TEST(Layouts, ColumnsOfSwizzledTilesTouchEveryBank) {
  for (u32 column = 0; column < 64; column += 8) {
    std::set<u32> banks;
    for (u32 row = 0; row < 8; ++row)
      banks.insert(tileOffset(Swizzle::bytes128, 128, row, column, 2) / 16 % 8);
    EXPECT_EQ(banks.size(), 8u);
  }
}

TEST(Layouts, PatternCountsFromTheBaseOffset) {
  // The same tile, 384 bytes further, with the pattern moved along.
  Descriptor aligned{8192, 16, 1024, 0, Swizzle::bytes128}, moved{8192 + 384, 16, 1024, 3, Swizzle::bytes128};
  for (u32 mn = 0; mn < 64; ++mn)
    for (u32 k = 0; k < 16; ++k)
      EXPECT_EQ(operandAddress(moved, Major::k, mn, k), operandAddress(aligned, Major::k, mn, k) + 384);
}

TEST(Layouts, AreConstantExpressions) {
  static_assert(MmaA::slot(9, 3) == Slot{5, 1, 1});
  static_assert(WgmmaAccumulator<64>::coordinate(33, 6) == Coordinate{24, 10});
  static_assert(decodeDescriptor(encodeDescriptor({4096, 16, 1024, 0, Swizzle::bytes128})).strideBytes ==
                1024);
  static_assert(operandAddress({1024, 16, 1024, 0, Swizzle::bytes128}, Major::k, 1, 0) == 1024 + 128 + 16);
}

} // namespace
} // namespace sluice::device::layout
