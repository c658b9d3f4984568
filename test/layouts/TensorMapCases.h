// Tensor maps and whether cuTensorMapEncodeTiled takes them: the same list is checked here against the
// emulator's rules and on a GPU against the driver. Each differs in one respect from a map that is accepted.
#pragma once

#include "runtime/LaunchRecord.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sluice::test {

/// `spec.base` is an offset, to be added to memory that is aligned to 256 bytes; nothing is copied.
struct TensorMapCase {
  std::string name;
  bool accepted;
  TensorMapSpec spec;
};

/// bf16, 256 columns and 128 rows, boxes of 64 columns and 32 rows, no swizzle.
inline TensorMapSpec plainTensorMap() {
  TensorMapSpec spec;
  spec.argument = "x";
  spec.dtype = DType::bf16;
  spec.dims = {256, 128};
  spec.strides = {512};
  spec.box = {64, 32};
  spec.elementStrides = {1, 1};
  return spec;
}

/// A map of this rank, all boxes 16 x 1 x ... x 1.
inline TensorMapSpec tensorMapOfRank(size_t rank) {
  TensorMapSpec spec;
  spec.argument = "x";
  spec.dtype = DType::f16;
  for (size_t i = 0; i < rank; ++i) {
    spec.dims.push_back(i == 0 ? 64 : 3);
    spec.box.push_back(i == 0 ? 16 : 1);
    if (i > 0)
      spec.strides.push_back(i == 1 ? 128 : spec.strides.back() * 3);
  }
  return spec;
}

inline std::vector<TensorMapCase> tensorMapCases() {
  std::vector<TensorMapCase> cases;
  using Change = std::function<void(TensorMapSpec &)>;
  auto add = [&](bool accepted, const std::string &name, const Change &change) {
    cases.push_back({name, accepted, plainTensorMap()});
    change(cases.back().spec);
  };
  auto base = [](uint64_t offset) {
    return [offset](TensorMapSpec &s) { s.base = reinterpret_cast<void *>(offset); };
  };
  auto stride = [](uint64_t bytes) { return [bytes](TensorMapSpec &s) { s.strides[0] = bytes; }; };
  auto dim = [](size_t i, uint64_t size) { return [=](TensorMapSpec &s) { s.dims[i] = size; }; };
  auto box = [](size_t i, uint32_t size) { return [=](TensorMapSpec &s) { s.box[i] = size; }; };
  auto step = [](size_t i, uint32_t size) { return [=](TensorMapSpec &s) { s.elementStrides[i] = size; }; };
  auto swizzled = [](TileSwizzle swizzle, uint32_t columns) {
    return [=](TensorMapSpec &s) {
      s.swizzle = swizzle;
      s.box[0] = columns;
    };
  };

  add(true, "plain", [](TensorMapSpec &) {});
  for (size_t rank = 1; rank <= 5; ++rank)
    add(true, "rank " + std::to_string(rank), [rank](TensorMapSpec &s) { s = tensorMapOfRank(rank); });
  add(false, "rank 0", [](TensorMapSpec &s) { s = tensorMapOfRank(0); });
  add(false, "rank 6", [](TensorMapSpec &s) { s = tensorMapOfRank(6); });

  add(true, "base at 16", base(16));
  add(false, "base at 8", base(8));
  add(false, "base at 2", base(2));

  add(false, "dimension of 0", dim(1, 0));
  add(true, "dimension of 1", dim(1, 1));
  add(true, "dimension below the box", dim(1, 5));
  add(true, "ragged inner dimension", dim(0, 250));
  add(true, "dimension of 2^32", dim(1, uint64_t{1} << 32));
  add(false, "dimension above 2^32", dim(1, (uint64_t{1} << 32) + 1));

  add(true, "padded stride", stride(528));
  add(false, "stride of 8 bytes too many", stride(520));
  add(false, "stride of 2 bytes too many", stride(514));
  add(true, "stride of 2^40 - 16", stride((uint64_t{1} << 40) - 16));
  add(false, "stride of 2^40", stride(uint64_t{1} << 40));

  add(false, "box of 0", box(1, 0));
  add(true, "box of 256", box(1, 256));
  add(false, "box of 257", box(1, 257));
  add(false, "inner box of 257 elements", [](TensorMapSpec &s) {
    s.dims[0] = 1024;
    s.strides[0] = 2048;
    s.box[0] = 264;
  });
  add(true, "inner box of 16 bytes", box(0, 8));
  add(false, "inner box of 8 bytes", box(0, 4));
  add(false, "inner box of 24 bytes", box(0, 12));
  add(true, "inner box of 48 bytes", box(0, 24));

  add(true, "element stride of 2", step(1, 2));
  add(true, "element stride of 8", step(1, 8));
  add(false, "element stride of 9", step(1, 9));
  add(false, "element stride of 0", step(1, 0));

  add(true, "swizzle of 32 bytes", swizzled(TileSwizzle::bytes32, 16));
  add(false, "64 bytes in a swizzle of 32", swizzled(TileSwizzle::bytes32, 32));
  add(true, "swizzle of 64 bytes", swizzled(TileSwizzle::bytes64, 32));
  add(true, "32 bytes in a swizzle of 64", swizzled(TileSwizzle::bytes64, 16));
  add(false, "128 bytes in a swizzle of 64", swizzled(TileSwizzle::bytes64, 64));
  add(true, "swizzle of 128 bytes", swizzled(TileSwizzle::bytes128, 64));
  add(true, "16 bytes in a swizzle of 128", swizzled(TileSwizzle::bytes128, 8));
  add(false, "144 bytes in a swizzle of 128", swizzled(TileSwizzle::bytes128, 72));

  for (DType dtype : {DType::bf16, DType::f16, DType::f32, DType::f64})
    add(true, std::string("NaN fill of ") + nameOf(dtype), [dtype](TensorMapSpec &s) {
      s.dtype = dtype;
      s.strides[0] = 4096;
      s.fillNan = true;
    });
  auto integers = [](bool fillNan) {
    return [fillNan](TensorMapSpec &s) {
      s.dtype = DType::i64;
      s.strides[0] = 4096;
      s.fillNan = fillNan;
    };
  };
  add(true, "zero fill of integers", integers(false));
  add(false, "NaN fill of integers", integers(true));
  return cases;
}

} // namespace sluice::test
