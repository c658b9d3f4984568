// Conversions between storage types, vectorised where the machine has the instructions. Everything goes
// through float, except f64 to and from itself.
#include "runtime/Tensor.h"

#include <bit>
#include <cassert>
#include <cstring>

// The function is compiled for both machines and chosen when the program is loaded.
#if defined(__x86_64__)
#define SLUICE_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define SLUICE_CLONES
#endif

namespace sluice {

namespace {

SLUICE_CLONES void halfToFloat(const _Float16 *from, float *to, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    to[i] = static_cast<float>(from[i]);
}

SLUICE_CLONES void floatToHalf(const float *from, _Float16 *to, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    to[i] = static_cast<_Float16>(from[i]);
}

SLUICE_CLONES void brainToFloat(const uint16_t *from, float *to, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    to[i] = std::bit_cast<float>(static_cast<uint32_t>(from[i]) << 16);
}

SLUICE_CLONES void floatToBrain(const float *from, uint16_t *to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t bits = std::bit_cast<uint32_t>(from[i]);
    // Rounding would carry a NaN's mantissa into the exponent.
    uint32_t quietNaN = (bits >> 16) | 0x40;
    uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    to[i] = static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? quietNaN : rounded);
  }
}

void toFloat(DType type, const void *from, float *to, int64_t count) {
  switch (type) {
  case DType::f32:
    std::memcpy(to, from, count * sizeof(float));
    return;
  case DType::f16:
    return halfToFloat(static_cast<const _Float16 *>(from), to, count);
  case DType::bf16:
    return brainToFloat(static_cast<const uint16_t *>(from), to, count);
  case DType::f64:
    for (int64_t i = 0; i < count; ++i)
      to[i] = static_cast<float>(static_cast<const double *>(from)[i]);
    return;
  case DType::i64:
  case DType::i32:
  case DType::u32:
    assert(false && "integers are not converted");
  }
}

void fromFloat(const float *from, DType type, void *to, int64_t count) {
  switch (type) {
  case DType::f32:
    std::memcpy(to, from, count * sizeof(float));
    return;
  case DType::f16:
    return floatToHalf(from, static_cast<_Float16 *>(to), count);
  case DType::bf16:
    return floatToBrain(from, static_cast<uint16_t *>(to), count);
  case DType::f64:
    for (int64_t i = 0; i < count; ++i)
      static_cast<double *>(to)[i] = from[i];
    return;
  case DType::i64:
  case DType::i32:
  case DType::u32:
    assert(false && "integers are not converted");
  }
}

} // namespace

void convert(DType fromType, const void *from, DType toType, void *to, int64_t count) {
  if (fromType == toType) {
    std::memcpy(to, from, count * sizeOf(fromType));
    return;
  }
  constexpr int64_t block = 1024;
  float buffer[block];
  const char *source = static_cast<const char *>(from);
  char *destination = static_cast<char *>(to);
  for (int64_t done = 0; done < count; done += block) {
    int64_t now = std::min(block, count - done);
    toFloat(fromType, source + done * sizeOf(fromType), buffer, now);
    fromFloat(buffer, toType, destination + done * sizeOf(toType), now);
  }
}

Tensor converted(const TensorView &view, DType dtype) {
  Tensor result = Tensor::empty(dtype, view.shape);
  convert(view.dtype, view.data, dtype, result.data(), view.elements());
  return result;
}

} // namespace sluice
