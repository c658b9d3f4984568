// Tensor maps of the emulator: the rules on the shared list of cases, and boxes against a loop over elements.
#include "TensorMapCases.h"

#include "runtime/emulator/TensorMap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace sluice::emulator {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(TensorMapRules, SharedCases) {
  for (const test::TensorMapCase &each : test::tensorMapCases())
    EXPECT_EQ(validateTensorMap(each.spec).empty(), each.accepted)
        << each.name << ": " << validateTensorMap(each.spec);
}

TEST(TensorMapRules, MessagesNameTheNumber) {
  TensorMapSpec spec = test::plainTensorMap();
  spec.strides[0] = 520;
  EXPECT_EQ(validateTensorMap(spec), "expected stride of dimension 1 to be a multiple of 16 bytes, got 520");
  spec = test::plainTensorMap();
  spec.strides.clear();
  EXPECT_EQ(validateTensorMap(spec), "expected strides of the 1 outer dimensions, got 0");
  spec = test::plainTensorMap();
  spec.elementStrides = {1};
  EXPECT_EQ(validateTensorMap(spec), "expected element strides of 2 dimensions, got 1");
}

TEST(TensorMapRules, RowsNarrowerThanTheSwizzleAreALimit) {
  TensorMapSpec spec = test::plainTensorMap();
  EXPECT_THAT(tensorMapLimit(spec), IsEmpty());
  spec.swizzle = TileSwizzle::bytes128;
  EXPECT_THAT(tensorMapLimit(spec), IsEmpty());
  spec.box[0] = 32;
  EXPECT_THAT(validateTensorMap(spec), IsEmpty());
  EXPECT_THAT(tensorMapLimit(spec), HasSubstr("fill the 128 bytes of the swizzle, got 64"));
}

TEST(TensorMapRules, EncodedFieldsAndBytes) {
  TensorMapSpec spec = test::tensorMapOfRank(3);
  spec.box = {16, 3, 2};
  spec.elementStrides = {7, 2, 1};
  EncodedTensorMap map = encodeTensorMap(spec);
  EXPECT_TRUE(map.valid());
  EXPECT_EQ(map.rowBytes(), 32u);
  EXPECT_EQ(map.count(1), 2u);
  EXPECT_EQ(map.boxBytes(), 32u * 2 * 2);
  map = EncodedTensorMap{};
  EXPECT_FALSE(map.valid());
}

/// A tensor of random bits within padded strides, and a tile of shared memory.
struct Box {
  static constexpr uint32_t windowBytes = 1 << 16;
  TensorMapSpec spec;
  std::vector<uint8_t> tensor, window;
  std::vector<int32_t> coordinates;
  uint32_t address = 0;

  uint64_t elementBytes() const { return sizeOf(spec.dtype); }
  uint32_t stepOf(size_t i) const {
    return i == 0 || spec.elementStrides.empty() ? 1 : spec.elementStrides[i];
  }
  uint32_t countOf(size_t i) const { return (spec.box[i] + stepOf(i) - 1) / stepOf(i); }
};

Box randomBox(std::mt19937 &random, size_t rank, TileSwizzle swizzle, DType dtype) {
  auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  Box box;
  TensorMapSpec &spec = box.spec;
  spec.dtype = dtype;
  spec.swizzle = swizzle;
  spec.fillNan = below(2);
  uint32_t elementBytes = sizeOf(dtype);
  uint32_t rowBytes = swizzle == TileSwizzle::none ? 16 * (1 + below(9)) : 16u << static_cast<int>(swizzle);
  uint64_t stride = 0;
  for (size_t i = 0; i < rank; ++i) {
    spec.dims.push_back(1 + below(i == 0 ? 100 : 9));
    spec.box.push_back(i == 0 ? rowBytes / elementBytes : 1 + below(4));
    spec.elementStrides.push_back(1 + below(3));
    stride = i == 0 ? (spec.dims[0] * elementBytes + 15) / 16 * 16 + below(2) * 16
                    : stride * spec.dims[i] + below(2) * 16;
    if (i + 1 < rank)
      spec.strides.push_back(stride);
    box.coordinates.push_back(static_cast<int32_t>(below(spec.dims[i] + 2 * spec.box[i])) -
                              static_cast<int32_t>(spec.box[i]) - 1);
  }
  box.tensor.resize(stride + 64);
  for (uint8_t &byte : box.tensor)
    byte = static_cast<uint8_t>(random());
  uint64_t start = reinterpret_cast<uint64_t>(box.tensor.data());
  spec.base = box.tensor.data() + (16 - start % 16) % 16;
  box.window.assign(Box::windowBytes, 0xcd);
  box.address = 128 * (1 + below(40));
  return box;
}

/// Calls body(element in the tensor or null, its offset in the tile before swizzling).
template <class Body> void forEachElement(const Box &box, Body &&body) {
  size_t rank = box.spec.dims.size();
  uint32_t total = 1;
  for (size_t i = 0; i < rank; ++i)
    total *= box.countOf(i);
  for (uint32_t linear = 0; linear < total; ++linear) {
    uint32_t rest = linear;
    bool inside = true;
    int64_t offset = 0;
    for (size_t i = 0; i < rank; ++i) {
      int64_t at = box.coordinates[i] + int64_t{rest % box.countOf(i)} * box.stepOf(i);
      rest /= box.countOf(i);
      inside &= at >= 0 && at < static_cast<int64_t>(box.spec.dims[i]);
      offset += at * static_cast<int64_t>(i == 0 ? box.elementBytes() : box.spec.strides[i - 1]);
    }
    body(inside ? static_cast<uint8_t *>(box.spec.base) + offset : nullptr,
         linear * uint32_t(box.elementBytes()));
  }
}

/// The swizzle as the CUDA programming guide tabulates it: the 16-byte piece x of 128-byte line y lies at y ^
/// x, where the narrower patterns use fewer bits of a slower y.
uint32_t tabulated(TileSwizzle swizzle, uint32_t address) {
  uint32_t line = address / 128, piece = address / 16 % 8, rest = address % 16;
  uint32_t bits = swizzle == TileSwizzle::none ? 1 : 1u << static_cast<int>(swizzle);
  return line * 128 + (piece ^ line % bits) * 16 + rest;
}

std::vector<uint8_t> expectedWindow(const Box &box) {
  std::vector<uint8_t> window(Box::windowBytes, 0xcd), fill(box.elementBytes(), box.spec.fillNan ? 0xff : 0);
  if (box.spec.fillNan)
    fill.back() = 0x7f;
  forEachElement(box, [&](const uint8_t *element, uint32_t offset) {
    std::memcpy(&window[tabulated(box.spec.swizzle, box.address + offset)], element ? element : fill.data(),
                box.elementBytes());
  });
  return window;
}

struct BoxCopy : testing::TestWithParam<std::tuple<size_t, TileSwizzle, DType>> {};

TEST_P(BoxCopy, LoadsWhatALoopOverElementsLoads) {
  auto [rank, swizzle, dtype] = GetParam();
  std::mt19937 random(17);
  for (int trial = 0; trial < 20; ++trial) {
    Box box = randomBox(random, rank, swizzle, dtype);
    ASSERT_THAT(validateTensorMap(box.spec), IsEmpty());
    EncodedTensorMap map = encodeTensorMap(box.spec);
    loadBox(map, box.coordinates.data(), box.window.data(), box.address);
    EXPECT_TRUE(box.window == expectedWindow(box)) << "trial " << trial;
    for (uint32_t i = 0; i < map.boxBytes(); ++i)
      box.window[box.address + i] = 0xcd;
    EXPECT_TRUE(box.window == std::vector<uint8_t>(Box::windowBytes, 0xcd)) << "bytes beyond the tile";
  }
}

TEST_P(BoxCopy, StoresWhatALoopOverElementsStores) {
  auto [rank, swizzle, dtype] = GetParam();
  std::mt19937 random(18);
  for (int trial = 0; trial < 20; ++trial) {
    Box box = randomBox(random, rank, swizzle, dtype);
    std::vector<uint8_t> before = box.tensor;
    for (uint8_t &byte : box.window)
      byte = static_cast<uint8_t>(random());
    storeBox(encodeTensorMap(box.spec), box.coordinates.data(), box.window.data(), box.address);
    std::vector<uint8_t> after = box.tensor;
    box.tensor.assign(before.begin(), before.end());
    forEachElement(box, [&](uint8_t *element, uint32_t offset) {
      if (element)
        std::memcpy(element, &box.window[tabulated(box.spec.swizzle, box.address + offset)],
                    box.elementBytes());
    });
    EXPECT_TRUE(after == box.tensor) << "trial " << trial;
  }
}

TEST_P(BoxCopy, RowsCoverTheElementsInTheTensor) {
  auto [rank, swizzle, dtype] = GetParam();
  std::mt19937 random(19);
  for (int trial = 0; trial < 20; ++trial) {
    Box box = randomBox(random, rank, swizzle, dtype);
    uint64_t inTensor = 0, inRows = 0, offset = 0;
    forEachElement(box, [&](uint8_t *element, uint32_t) { inTensor += element ? box.elementBytes() : 0; });
    EncodedTensorMap map = encodeTensorMap(box.spec);
    forEachRow(map, box.coordinates.data(), [&](const BoxRow &row) {
      EXPECT_EQ(row.offset, offset);
      offset += map.rowBytes();
      inRows += row.end - row.begin;
    });
    EXPECT_EQ(inRows, inTensor);
    EXPECT_EQ(offset, map.boxBytes());
  }
}

INSTANTIATE_TEST_SUITE_P(All, BoxCopy,
                         testing::Combine(testing::Values(1, 2, 3, 4, 5),
                                          testing::Values(TileSwizzle::none, TileSwizzle::bytes32,
                                                          TileSwizzle::bytes64, TileSwizzle::bytes128),
                                          testing::Values(DType::bf16, DType::f32, DType::f64)));

} // namespace
} // namespace sluice::emulator
