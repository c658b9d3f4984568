// Exact mode of the matrix units, on every instruction set of this machine: one float32 fma after another, in
// order of k. The models of the chips are compared with mmasim (compare_mmasim.py).
#include "codegen/cuda/device/Layouts.h"
#include "runtime/emulator/MatrixKernels.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

using namespace sluice::emulator;
namespace layout = sluice::device::layout;

namespace {

struct InstructionSet {
  std::string name;
  const MatrixKernels *kernels;
};

std::vector<InstructionSet> instructionSets() {
  std::vector<InstructionSet> all = {{"baseline", &baselineMatrixKernels}};
#if defined(__x86_64__)
  if (hasAvx2())
    all.push_back({"avx2", &avx2MatrixKernels});
  if (hasAvx512())
    all.push_back({"avx512", &avx512MatrixKernels});
#endif
  return all;
}

/// The value of a random pattern, rarely infinite or no number.
float valueOf(MmaKind kind, uint32_t bits) {
  if (kind == MmaKind::bf16K16)
    return std::bit_cast<float>(bits << 16);
  if (kind == MmaKind::tf32K8)
    return std::bit_cast<float>(bits & ~0x1fffu);
  return static_cast<float>(std::bit_cast<_Float16>(static_cast<uint16_t>(bits)));
}

float chain(const std::vector<float> &a, const std::vector<float> &b, float c) {
  for (size_t k = 0; k < a.size(); ++k)
    c = std::fma(a[k], b[k], c);
  return c;
}

uint32_t canonicalBits(float value) {
  return std::isnan(value) ? 0x7fffffff : std::bit_cast<uint32_t>(value);
}

class Exact : public testing::TestWithParam<InstructionSet> {
protected:
  std::mt19937 random{7};
  uint32_t draw(int bits) { return random() >> (32 - bits); }

  template <class A, class B> void expectChains(MmaKind kind) {
    const int bits = A::halves == 2 ? 16 : 32;
    uint32_t a[32 * 4] = {}, b[32 * 4] = {};
    float d[32 * 4], before[32 * 4];
    std::vector<std::vector<float>> rows(16, std::vector<float>(A::columns)), columns(8, rows[0]);
    for (int lane = 0; lane < 32; ++lane)
      for (int reg = 0; reg < 4; ++reg) {
        before[4 * lane + reg] = d[4 * lane + reg] = std::bit_cast<float>(draw(32));
        for (int half = 0; half < A::halves && reg < A::registers; ++half) {
          uint32_t value = draw(bits);
          a[4 * lane + reg] |= value << (16 * half);
          layout::Coordinate at = A::coordinate(lane, reg, half);
          rows[at.row][at.column] = valueOf(kind, value);
        }
        for (int half = 0; half < A::halves && reg < B::registers; ++half) {
          uint32_t value = draw(bits);
          b[4 * lane + reg] |= value << (16 * half);
          layout::Coordinate at = B::coordinate(lane, reg, half);
          columns[at.column][at.row] = valueOf(kind, value);
        }
      }
    const uint32_t *lanesA[32], *lanesB[32];
    float *lanesD[32];
    for (int lane = 0; lane < 32; ++lane) {
      lanesA[lane] = a + 4 * lane;
      lanesB[lane] = b + 4 * lane;
      lanesD[lane] = d + 4 * lane;
    }
    GetParam().kernels->mma(Chip::exact, kind, lanesA, lanesB, lanesD);
    for (int i = 0; i < 32 * 4; ++i) {
      layout::Coordinate at = layout::MmaAccumulator::coordinate(i / 4, i % 4);
      ASSERT_EQ(std::bit_cast<uint32_t>(d[i]),
                canonicalBits(chain(rows[at.row], columns[at.column], before[i])));
    }
  }
};

TEST_P(Exact, MmaIsOneFmaAfterAnother) {
  for (int repeat = 0; repeat < 200; ++repeat) {
    expectChains<layout::MmaA, layout::MmaB>(MmaKind::bf16K16);
    expectChains<layout::MmaA, layout::MmaB>(MmaKind::f16K16);
    expectChains<layout::MmaAK8F16, layout::MmaBK8F16>(MmaKind::f16K8);
    expectChains<layout::MmaAK8Tf32, layout::MmaBK8Tf32>(MmaKind::tf32K8);
  }
}

/// A wgmma is N / 8 times 4 instructions mma.sync m16n8k16: same operands, same bits.
TEST_P(Exact, WgmmaIsMmaOfItsBlocks) {
  for (int n : {8, 24, 64, 256})
    for (bool half : {false, true}) {
      std::vector<uint32_t> a(128 * 4);
      std::vector<uint16_t> b(16 * n);
      std::vector<float> d(128 * n / 2), expected;
      for (uint32_t &word : a)
        word = draw(32);
      for (uint16_t &word : b)
        word = static_cast<uint16_t>(draw(16));
      for (float &value : d)
        value = static_cast<float>(draw(20));
      expected = d;
      std::vector<const uint32_t *> lanesA;
      std::vector<float *> lanesD;
      for (int lane = 0; lane < 128; ++lane) {
        lanesA.push_back(&a[4 * lane]);
        lanesD.push_back(&d[n / 2 * lane]);
      }
      WgmmaOperands operands{.half = half, .n = n, .aRegisters = lanesA.data(), .b = b.data()};
      GetParam().kernels->wgmma(Chip::exact, operands, lanesD.data());
      for (int warp = 0; warp < 4; ++warp)
        for (int block = 0; block < n / 8; ++block) {
          uint32_t fragment[32][2] = {};
          const uint32_t *lanesB[32];
          float *blockD[32];
          for (int lane = 0; lane < 32; ++lane) {
            for (int i = 0; i < 4; ++i) {
              layout::Coordinate at = layout::MmaB::coordinate(lane, i / 2, i % 2);
              fragment[lane][i / 2] |= b[(8 * block + at.column) * 16 + at.row] << (16 * (i % 2));
            }
            lanesB[lane] = fragment[lane];
            blockD[lane] = &expected[n / 2 * (32 * warp + lane) + 4 * block];
          }
          GetParam().kernels->mma(Chip::exact, half ? MmaKind::f16K16 : MmaKind::bf16K16, &lanesA[32 * warp],
                                  lanesB, blockD);
        }
      for (size_t i = 0; i < d.size(); ++i)
        ASSERT_EQ(std::bit_cast<uint32_t>(d[i]), std::bit_cast<uint32_t>(expected[i])) << n << " " << i;
    }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, Exact, testing::ValuesIn(instructionSets()),
                         [](const auto &info) { return info.param.name; });

} // namespace
