// wgmma with every placement of its operands, against a triple loop on whole numbers.
#include "codegen/cuda/DeviceCompiler.h"
#include "runtime/Files.h"
#include "test/async/AsyncRun.h"

#include <gtest/gtest.h>

#include <bit>

namespace sluice::test {
namespace {

using emulator::Chip;
using emulator::Options;

struct ProductCase {
  const char *entry;
  uint32_t n;
  bool half;
  int sign; ///< Of the product, by the negated operands.
};

const ProductCase cases[] = {
    {"k_k_none", 64, false, 1},  {"k_k_32", 24, true, 1},    {"k_k_64", 136, false, -1},
    {"k_k_128", 256, false, -1}, {"mn_k_none", 8, true, 1},  {"mn_mn_none", 64, false, 1},
    {"mn_mn_32", 64, false, 1},  {"k_mn_64", 136, true, 1},  {"mn_mn_128", 256, true, 1},
    {"mn_k_128", 8, false, 1},   {"r_k_128", 64, false, 1},  {"r_mn_128", 256, true, -1},
    {"r_k_none", 24, true, -1},  {"r_mn_32", 136, false, 1},
};

/// Small whole numbers, which both formats hold and whose sums are exact.
float element(uint32_t i) { return static_cast<float>(static_cast<int>(i * 13 % 17) - 8); }

std::vector<uint16_t> matrix(uint32_t rows, uint32_t from, bool half) {
  std::vector<uint16_t> elements(rows * 16);
  for (uint32_t i = 0; i < rows * 16; ++i)
    elements[i] = half ? std::bit_cast<uint16_t>(static_cast<_Float16>(element(from + i)))
                       : static_cast<uint16_t>(std::bit_cast<uint32_t>(element(from + i)) >> 16);
  return elements;
}

class WgmmaProducts : public testing::TestWithParam<ProductCase> {};

TEST_P(WgmmaProducts, AreExact) {
  const ProductCase &one = GetParam();
  for (bool accumulate : {false, true})
    for (Options options : everyCompletion(2)) {
      options.chip = options.seed == 1 ? Chip::exact : Chip::hopper;
      AsyncRun run("products.so", one.entry, 128, 48 * 1024);
      run.tensor("a", DType::f16, matrix(64, 0, one.half))
          .tensor("b", DType::f16, matrix(one.n, 3, one.half));
      run.tensor("out", DType::f32, std::vector<float>(64 * one.n), Direction::write)
          .word("accumulate", accumulate);
      emulator::Result result = run.launch(options);
      ASSERT_TRUE(result.clean()) << textOf(result);
      if (options.count)
        EXPECT_EQ(result.counters.tensorFlops, uint64_t{2} * 2 * 64 * 16 * one.n);
      std::vector<float> out = run.read<float>("out");
      for (uint32_t i = 0; i < out.size(); ++i) {
        float sum = 0;
        for (uint32_t k = 0; k < 16; ++k)
          sum += element(i / one.n * 16 + k) * element(3 + i % one.n * 16 + k);
        ASSERT_EQ(out[i], static_cast<float>(accumulate ? 2 : 0) + 2.0f * static_cast<float>(one.sign) * sum)
            << "row " << i / one.n << " column " << i % one.n;
      }
    }
}

/// What is right on the emulator must not be serialised by ptxas.
TEST(ProductKernels, PassTheGates) {
  std::string text = readFile(std::string(SLUICE_SOURCE_DIR) + "/test/async/products.cu");
  DeviceCode code = compileForDevice({"products.cu", text, {}}, "sm_90a");
  EXPECT_EQ(code.kernels.size(), std::size(cases));
  EXPECT_NO_THROW(checkGates(code)) << code.log;
}

INSTANTIATE_TEST_SUITE_P(Kernels, WgmmaProducts, testing::ValuesIn(cases),
                         [](const auto &info) { return std::string(info.param.entry); });

} // namespace
} // namespace sluice::test
