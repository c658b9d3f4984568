// Fragments of mma.sync and wgmma, ldmatrix and stmatrix: our layouts against the traits in CuTe's headers.
// CuTe numbers the elements of an A fragment m + M k, of B n + N k, of C m + M n, and those of a copy by
// bits.
#define CUTE_SM90_EXTENDED_MMA_SHAPES_ENABLED
#include "codegen/cuda/device/Layouts.h"

#include <cute/atom/copy_traits_sm75.hpp>
#include <cute/atom/copy_traits_sm90.hpp>
#include <cute/atom/mma_traits_sm80.hpp>
#include <cute/atom/mma_traits_sm90_gmma.hpp>
#include <gtest/gtest.h>

namespace {

namespace layout = sluice::device::layout;

enum class Operand { a, b, c };

/// Every element of the fragment lies where CuTe says, and nothing is left over.
template <class Ours, class Cute> void expectFragment(Operand operand, Cute cute) {
  ASSERT_EQ(int(size<0>(cute)), Ours::lanes);
  ASSERT_EQ(int(size<1>(cute)), Ours::registers * Ours::halves);
  for (int lane = 0; lane < Ours::lanes; ++lane)
    for (int value = 0; value < Ours::registers * Ours::halves; ++value) {
      layout::Coordinate at = Ours::coordinate(lane, value / Ours::halves, value % Ours::halves);
      int expected =
          operand == Operand::b ? at.column + Ours::columns * at.row : at.row + Ours::rows * at.column;
      EXPECT_EQ(int(cute(lane, value)), expected) << "lane " << lane << " value " << value;
    }
}

template <class Traits, class A, class B> void expectMma() {
  expectFragment<A>(Operand::a, typename Traits::ALayout{});
  expectFragment<B>(Operand::b, typename Traits::BLayout{});
  expectFragment<layout::MmaAccumulator>(Operand::c, typename Traits::CLayout{});
}

TEST(CuteFragments, MmaSync) {
  using namespace cute;
  expectMma<MMA_Traits<SM80_16x8x16_F32BF16BF16F32_TN>, layout::MmaA, layout::MmaB>();
  expectMma<MMA_Traits<SM80_16x8x16_F32F16F16F32_TN>, layout::MmaA, layout::MmaB>();
  expectMma<MMA_Traits<SM80_16x8x8_F32F16F16F32_TN>, layout::MmaAK8F16, layout::MmaBK8F16>();
  expectMma<MMA_Traits<SM80_16x8x8_F32TF32TF32F32_TN>, layout::MmaAK8Tf32, layout::MmaBK8Tf32>();
}

template <int N, class Operation> void expectAccumulator() {
  using Traits = cute::MMA_Traits<Operation>;
  static_assert(cute::size<0>(typename Traits::Shape_MNK{}) == 64 &&
                cute::size<1>(typename Traits::Shape_MNK{}) == N);
  expectFragment<layout::WgmmaAccumulator<N>>(Operand::c, typename Traits::CLayout{});
}

// One statement per width that wgmma has.
#define WIDTHS(X)                                                                                            \
  X(8)                                                                                                       \
  X(16) X(24) X(32) X(40) X(48) X(56) X(64) X(72) X(80) X(88) X(96) X(104) X(112) X(120) X(128) X(136)       \
      X(144) X(152) X(160) X(168) X(176) X(184) X(192) X(200) X(208) X(216) X(224) X(232) X(240) X(248)      \
          X(256)

TEST(CuteFragments, WgmmaFromSharedMemory) {
  using namespace cute::SM90::GMMA;
  constexpr auto k = cute::GMMA::Major::K;
#define EXPECT_WIDTH(N) expectAccumulator<N, MMA_64x##N##x16_F32BF16BF16_SS<k, k>>();
  WIDTHS(EXPECT_WIDTH)
#undef EXPECT_WIDTH
}

TEST(CuteFragments, WgmmaFromRegisters) {
  using namespace cute::SM90::GMMA;
  constexpr auto k = cute::GMMA::Major::K;
#define EXPECT_WIDTH(N)                                                                                      \
  expectAccumulator<N, MMA_64x##N##x16_F32F16F16_RS<k, k>>();                                                \
  expectFragment<layout::WgmmaA>(Operand::a, cute::MMA_Traits<MMA_64x##N##x16_F32F16F16_RS<k, k>>::ALayout{});
  WIDTHS(EXPECT_WIDTH)
#undef EXPECT_WIDTH
}

/// The rows that lanes address and the registers that elements come to (ldmatrix) or from (stmatrix).
template <int Count, class Memory, class Registers>
void expectMatrices(bool transposed, Memory memory, Registers registers) {
  for (int lane = 0; lane < Count * 8; ++lane) {
    layout::RowAddress row = layout::ldmatrixRow(lane);
    // Bits of a row follow each other; rows are numbered by the lane that addresses them.
    EXPECT_EQ(int(memory(lane, 0)), (row.matrix * 8 + row.row) * 128) << "lane " << lane;
    EXPECT_EQ(layout::ldmatrixLane(row.matrix, row.row), lane);
  }
  for (int lane = 0; lane < 32; ++lane)
    for (int matrix = 0; matrix < Count; ++matrix)
      for (int half = 0; half < 2; ++half) {
        layout::Coordinate at = layout::ldmatrixElement(lane, half, transposed);
        EXPECT_EQ(int(registers(lane, matrix * 32 + half * 16)),
                  matrix * 1024 + at.row * 128 + at.column * 16)
            << "lane " << lane << " register " << matrix << " half " << half;
      }
}

template <int Count, class Operation> void expectLoad(bool transposed) {
  using Traits = cute::Copy_Traits<Operation>;
  expectMatrices<Count>(transposed, typename Traits::SrcLayout{}, typename Traits::DstLayout{});
}

template <int Count, class Operation> void expectStore(bool transposed) {
  using Traits = cute::Copy_Traits<Operation>;
  expectMatrices<Count>(transposed, typename Traits::DstLayout{}, typename Traits::SrcLayout{});
}

TEST(CuteFragments, Ldmatrix) {
  using namespace cute;
  expectLoad<1, SM75_U32x1_LDSM_N>(false);
  expectLoad<2, SM75_U32x2_LDSM_N>(false);
  expectLoad<4, SM75_U32x4_LDSM_N>(false);
  expectLoad<1, SM75_U16x2_LDSM_T>(true);
  expectLoad<2, SM75_U16x4_LDSM_T>(true);
  expectLoad<4, SM75_U16x8_LDSM_T>(true);
}

TEST(CuteFragments, Stmatrix) {
  using namespace cute;
  expectStore<1, SM90_U32x1_STSM_N>(false);
  expectStore<2, SM90_U32x2_STSM_N>(false);
  expectStore<4, SM90_U32x4_STSM_N>(false);
  expectStore<1, SM90_U16x2_STSM_T>(true);
  expectStore<2, SM90_U16x4_STSM_T>(true);
  expectStore<4, SM90_U16x8_STSM_T>(true);
}

} // namespace
