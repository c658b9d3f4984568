// Tensor maps of the emulator: the rules by which the driver accepts one, its 128 bytes in a format of our
// own, and the copy of one box between device memory and a swizzled tile in shared memory.
//
// A box starts at signed coordinates, the innermost first. Along dimension i it has ceil(box / elementStride)
// elements, elementStride apart (along the innermost all of them: the hardware ignores its stride). Elements
// outside of the tensor are filled on load and left out on store, and count as copied on load: an mbarrier
// expects `boxBytes`. In shared memory the rows of the box follow each other without gaps and the swizzle
// permutes 16-byte pieces by their address, so a tile occupies exactly the `boxBytes` from its start on.
#pragma once

#include "codegen/cuda/device/Layouts.h"
#include "runtime/LaunchRecord.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace sluice::emulator {

/// What cuTensorMapEncodeTiled would object to, in one line; empty for a map that it accepts.
std::string validateTensorMap(const TensorMapSpec &spec);

/// What of an accepted map the emulator cannot execute, in one line; empty if nothing. (A swizzle wider than
/// the rows of the box: where the hardware puts such rows is not documented.)
std::string tensorMapLimit(const TensorMapSpec &spec);

/// A tensor map as the emulator passes it to kernels.
struct alignas(64) EncodedTensorMap {
  static constexpr uint64_t signature = 0x70616d726f736e74;
  uint64_t mark;
  uint64_t base;
  uint64_t dims[5];          ///< 1 beyond the rank.
  uint64_t strides[5];       ///< In bytes; of dimension 0 the element's size.
  uint16_t box[5];           ///< 1 beyond the rank.
  uint8_t elementStrides[5]; ///< Of dimension 0 always 1.
  uint8_t rank, elementBytes, fillNan;
  sluice::device::Swizzle swizzle;

  bool valid() const { return mark == signature; }
  uint32_t rowBytes() const { return uint32_t{box[0]} * elementBytes; }
  /// Elements of the tile along a dimension.
  uint32_t count(int dim) const { return (box[dim] + elementStrides[dim] - 1u) / elementStrides[dim]; }
  uint32_t rows() const { return count(1) * count(2) * count(3) * count(4); }
  uint32_t boxBytes() const { return rows() * rowBytes(); }
};
static_assert(sizeof(EncodedTensorMap) == 128);

/// Assumes that the map is valid.
EncodedTensorMap encodeTensorMap(const TensorMapSpec &spec);

/// Where a tile may start in shared memory, whatever its swizzle.
constexpr uint32_t tileAlignment = 128;

/// One row of a box. Its bytes [begin, end) lie in the tensor, the first of them at address `global`.
struct BoxRow {
  uint64_t global = 0;
  uint32_t offset = 0;          ///< From the start of the tile, before swizzling.
  uint32_t begin = 0, end = 0;  ///< Equal: nothing of the row is in the tensor.
};

/// Calls body(BoxRow) for each row of the box, in the order of shared memory. `coordinates` has `rank`
/// entries.
template <class Body> void forEachRow(const EncodedTensorMap &map, const int32_t *coordinates, Body &&body) {
  int64_t at[5] = {};
  std::copy_n(coordinates, map.rank, at);
  int64_t inner = map.box[0], size = static_cast<int64_t>(map.dims[0]);
  int64_t first = std::clamp<int64_t>(-at[0], 0, inner),
          last = std::clamp<int64_t>(size - at[0], first, inner);
  BoxRow row;
  auto inside = [&](int dim, int64_t c) { return c >= 0 && c < static_cast<int64_t>(map.dims[dim]); };
  auto emit = [&](int64_t c1, int64_t c2, int64_t c3, int64_t c4) {
    bool any = first < last && inside(1, c1) && inside(2, c2) && inside(3, c3) && inside(4, c4);
    row.begin = any ? static_cast<uint32_t>(first) * map.elementBytes : 0;
    row.end = any ? static_cast<uint32_t>(last) * map.elementBytes : 0;
    row.global = any ? map.base + (at[0] + first) * map.elementBytes + c1 * map.strides[1] +
                           c2 * map.strides[2] + c3 * map.strides[3] + c4 * map.strides[4]
                     : 0;
    body(static_cast<const BoxRow &>(row));
    row.offset += map.rowBytes();
  };
  for (uint32_t i4 = 0; i4 < map.count(4); ++i4)
    for (uint32_t i3 = 0; i3 < map.count(3); ++i3)
      for (uint32_t i2 = 0; i2 < map.count(2); ++i2)
        for (uint32_t i1 = 0; i1 < map.count(1); ++i1)
          emit(at[1] + int64_t{i1} * map.elementStrides[1], at[2] + int64_t{i2} * map.elementStrides[2],
               at[3] + int64_t{i3} * map.elementStrides[3], at[4] + int64_t{i4} * map.elementStrides[4]);
}

/// Copies the box into the tile at shared address `address`; `window` is where shared address 0 would lie.
/// The caller has checked both ranges.
void loadBox(const EncodedTensorMap &map, const int32_t *coordinates, uint8_t *window, uint32_t address);

/// Copies the tile into those elements of the box that lie in the tensor.
void storeBox(const EncodedTensorMap &map, const int32_t *coordinates, const uint8_t *window,
              uint32_t address);

} // namespace sluice::emulator
