// Matrix products in a kernel have the numerics of the chip that runs, whatever the kernel's target: the GEMM
// for sm_80 on both chips, and that for sm_90a, equal chains of the matrix unit over k, bit for bit.
#include "codegen/cuda/device/Layouts.h"
#include "runtime/emulator/MatrixUnit.h"
#include "test/gpukernels/EmulatedRun.h"

#include <gtest/gtest.h>

#include <cstring>

using namespace sluice;
using namespace sluice::emulator;
namespace layout = sluice::device::layout;

namespace {

constexpr int m = 32, n = 16, k = 192;

/// A 16-bit element of a row-major matrix.
uint16_t element(const gpukernels::Array &array, int64_t index) {
  uint16_t bits;
  std::memcpy(&bits, array.bytes.data() + 2 * index, 2);
  return bits;
}

/// C of one 16 x 8 block, from 16 elements of k after another. `rowsAreN`: B is [n, k].
void multiplyBlock(Chip chip, const gpukernels::Arrays &arrays, bool rowsAreN, int row, int column,
                   float *c) {
  float d[32][4] = {};
  for (int k0 = 0; k0 < k; k0 += 16) {
    uint32_t a[32][4] = {}, b[32][2] = {};
    for (int lane = 0; lane < 32; ++lane)
      for (int half = 0; half < 2; ++half) {
        for (int reg = 0; reg < 4; ++reg) {
          layout::Coordinate at = layout::MmaA::coordinate(lane, reg, half);
          a[lane][reg] |= element(arrays.at("a"), (row + at.row) * k + k0 + at.column) << 16 * half;
        }
        for (int reg = 0; reg < 2; ++reg) {
          layout::Coordinate at = layout::MmaB::coordinate(lane, reg, half);
          int across = column + at.column, along = k0 + at.row;
          b[lane][reg] |= element(arrays.at("b"), rowsAreN ? across * k + along : along * n + across)
                          << 16 * half;
        }
      }
    const uint32_t *lanesA[32], *lanesB[32];
    float *lanesD[32];
    for (int lane = 0; lane < 32; ++lane)
      lanesA[lane] = a[lane], lanesB[lane] = b[lane], lanesD[lane] = d[lane];
    mma(chip, MmaKind::bf16K16, lanesA, lanesB, lanesD);
  }
  for (int i = 0; i < 32 * 4; ++i) {
    layout::Coordinate at = layout::MmaAccumulator::coordinate(i / 4, i % 4);
    c[(row + at.row) * n + column + at.column] = d[i / 4][i % 4];
  }
}

std::vector<float> chained(Chip chip, const gpukernels::Arrays &arrays, bool rowsAreN) {
  std::vector<float> c(m * n);
  for (int row = 0; row < m; row += 16)
    for (int column = 0; column < n; column += 8)
      multiplyBlock(chip, arrays, rowsAreN, row, column, c.data());
  return c;
}

std::vector<float> emulated(const gpukernels::KernelCase &one, Chip chip,
                            const gpukernels::Arrays &arguments) {
  Options options;
  options.chip = chip;
  gpukernels::Sizes sizes = {{"m", m}, {"n", n}, {"k", k}};
  auto run = gpukernels::runEmulated(Kernel::load(gpukernels::sharedObjectOf(one), one.name), one.record, one,
                                     sizes, arguments, options);
  EXPECT_TRUE(run.result.clean()) << gpukernels::reportText(run.result);
  std::vector<float> c(m * n);
  std::memcpy(c.data(), run.after.at("c").bytes.data(), c.size() * sizeof(float));
  return c;
}

int differences(const std::vector<float> &a, const std::vector<float> &b) {
  int count = 0;
  for (size_t i = 0; i < a.size(); ++i)
    count += std::memcmp(&a[i], &b[i], sizeof(float)) != 0;
  return count;
}

gpukernels::Arrays argumentsOf(const gpukernels::KernelCase &one) {
  return one.makeArguments({{"m", m}, {"n", n}, {"k", k}}, 11);
}

TEST(Chip, KernelForSm80FollowsTheChipThatRuns) {
  const auto &one = gpukernels::kernelCase("gemm_sm80_bf16");
  gpukernels::Arrays arguments = argumentsOf(one);
  auto exact = emulated(one, Chip::exact, arguments), ampere = emulated(one, Chip::ampere, arguments);
  auto hopper = emulated(one, Chip::hopper, arguments);
  EXPECT_EQ(differences(exact, chained(Chip::exact, arguments, false)), 0);
  EXPECT_EQ(differences(ampere, chained(Chip::ampere, arguments, false)), 0);
  EXPECT_EQ(differences(hopper, chained(Chip::hopper, arguments, false)), 0);
  // The three round differently, so many sums of 192 products tell them apart.
  EXPECT_GT(differences(exact, ampere), m * n / 8);
  EXPECT_GT(differences(exact, hopper), m * n / 8);
  EXPECT_GT(differences(ampere, hopper), m * n / 8);
}

TEST(Chip, WgmmaSumsAsHopperDoes) {
  const auto &one = gpukernels::kernelCase("gemm_sm90_bf16_nk");
  gpukernels::Arrays arguments = argumentsOf(one);
  EXPECT_EQ(differences(emulated(one, Chip::exact, arguments), chained(Chip::exact, arguments, true)), 0);
  EXPECT_EQ(differences(emulated(one, Chip::hopper, arguments), chained(Chip::hopper, arguments, true)), 0);
}

} // namespace
