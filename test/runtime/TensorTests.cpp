// Element types and conversions.

#include "runtime/Files.h"
#include "runtime/Tensor.h"

#include <cmath>
#include <gtest/gtest.h>

namespace sluice {
namespace {

float through(DType dtype, float value) {
  char narrow[8];
  float back;
  convert(DType::f32, &value, dtype, narrow, 1);
  convert(dtype, narrow, DType::f32, &back, 1);
  return back;
}

TEST(Tensor, NamesAndSizes) {
  for (DType dtype : {DType::f32, DType::f16, DType::bf16, DType::i64, DType::f64})
    EXPECT_EQ(parseDType(nameOf(dtype)), dtype);
  EXPECT_FALSE(parseDType("f8"));
  EXPECT_EQ(sizeOf(DType::bf16), 2);
  EXPECT_EQ(toString({2, 70, 4}), "[2, 70, 4]");
  EXPECT_EQ(elementsOf({}), 1);
}

TEST(Tensor, RoundsToNearestTiesToEven) {
  EXPECT_EQ(through(DType::bf16, 1 + 1.0f / 256), 1);
  EXPECT_EQ(through(DType::bf16, 1 + 3.0f / 256), 1 + 4.0f / 256);
  EXPECT_EQ(through(DType::f16, 1 + 1.0f / 2048), 1);
  EXPECT_EQ(through(DType::f16, 1 + 3.0f / 2048), 1 + 4.0f / 2048);
  EXPECT_EQ(through(DType::f64, 1.1f), 1.1f);
}

TEST(Tensor, KeepsInfinitiesAndNaN) {
  for (DType dtype : {DType::f16, DType::bf16, DType::f64}) {
    EXPECT_EQ(through(dtype, -INFINITY), -INFINITY);
    EXPECT_TRUE(std::isnan(through(dtype, NAN)));
  }
  EXPECT_EQ(through(DType::bf16, 3.4e38f), INFINITY);
  EXPECT_EQ(through(DType::f16, 1e6f), INFINITY);
}

TEST(Tensor, ConvertsLongTensors) {
  Tensor tensor = Tensor::empty(DType::f32, {3, 1000});
  for (int64_t i = 0; i < 3000; ++i)
    tensor.data<float>()[i] = static_cast<float>(i % 256);
  Tensor back = converted(converted(tensor.view(), DType::bf16).view(), DType::f64);
  for (int64_t i = 0; i < 3000; ++i)
    ASSERT_EQ(back.data<double>()[i], static_cast<double>(i % 256));
}

TEST(Tensor, RefusesSizesBeyondMemory) {
  EXPECT_THROW(Tensor::empty(DType::f32, {int64_t(1) << 40, int64_t(1) << 40}), std::bad_alloc);
}

TEST(Hash, DependsOnEveryByte) {
  EXPECT_EQ(toHex(hash("")), "cbf29ce484222325");
  EXPECT_NE(hash("abc"), hash("acb"));
  EXPECT_NE(hash("abc", 1), hash("abc", 2));
}

} // namespace
} // namespace sluice
