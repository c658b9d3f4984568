// The rules of cuTensorMapEncodeTiled (without interleaving) and the copy of one box. The rules are those of
// the CUDA driver API, section "Tensor Map Object Management", as far as the driver enforces them.
#include "runtime/emulator/TensorMap.h"

#include <bit>
#include <cstring>

namespace sluice::emulator {

namespace {

using device::Swizzle;

std::string expected(const std::string &what, uint64_t got) {
  return "expected " + what + ", got " + std::to_string(got);
}

std::string numbered(const char *what, size_t dim) { return std::string(what) + " " + std::to_string(dim); }

Swizzle swizzleOf(TileSwizzle swizzle) { return static_cast<Swizzle>(swizzle); }
static_assert(static_cast<int>(TileSwizzle::none) == static_cast<int>(Swizzle::none) &&
              static_cast<int>(TileSwizzle::bytes32) == static_cast<int>(Swizzle::bytes32) &&
              static_cast<int>(TileSwizzle::bytes64) == static_cast<int>(Swizzle::bytes64) &&
              static_cast<int>(TileSwizzle::bytes128) == static_cast<int>(Swizzle::bytes128));

std::string validateLengths(const TensorMapSpec &spec) {
  size_t rank = spec.dims.size();
  if (rank < 1 || rank > 5)
    return expected("a rank from 1 to 5", rank);
  if (spec.strides.size() != rank - 1)
    return expected("strides of the " + std::to_string(rank - 1) + " outer dimensions", spec.strides.size());
  if (spec.box.size() != rank)
    return expected("a box of rank " + std::to_string(rank), spec.box.size());
  if (!spec.elementStrides.empty() && spec.elementStrides.size() != rank)
    return expected("element strides of " + std::to_string(rank) + " dimensions", spec.elementStrides.size());
  return {};
}

std::string validateGlobal(const TensorMapSpec &spec) {
  if (std::bit_cast<uint64_t>(spec.base) % 16 != 0)
    return expected("a base address that is a multiple of 16", std::bit_cast<uint64_t>(spec.base));
  for (size_t i = 0; i < spec.dims.size(); ++i)
    if (spec.dims[i] < 1 || spec.dims[i] > uint64_t{1} << 32)
      return expected(numbered("size of dimension", i) + " from 1 to 2^32", spec.dims[i]);
  for (size_t i = 0; i < spec.strides.size(); ++i) {
    if (spec.strides[i] % 16 != 0)
      return expected(numbered("stride of dimension", i + 1) + " to be a multiple of 16 bytes",
                      spec.strides[i]);
    if (spec.strides[i] >= uint64_t{1} << 40)
      return expected(numbered("stride of dimension", i + 1) + " below 2^40 bytes", spec.strides[i]);
  }
  return {};
}

std::string validateBox(const TensorMapSpec &spec) {
  for (size_t i = 0; i < spec.box.size(); ++i)
    if (spec.box[i] < 1 || spec.box[i] > 256)
      return expected(numbered("box of dimension", i) + " from 1 to 256 elements", spec.box[i]);
  uint64_t rowBytes = spec.box[0] * static_cast<uint64_t>(sizeOf(spec.dtype));
  if (rowBytes % 16 != 0)
    return expected("rows of the box to be a multiple of 16 bytes", rowBytes);
  uint64_t span = device::layout::swizzleSpan(swizzleOf(spec.swizzle));
  if (spec.swizzle != TileSwizzle::none && rowBytes > span)
    return expected("rows of the box of at most the " + std::to_string(span) + " bytes of the swizzle",
                    rowBytes);
  for (size_t i = 0; i < spec.elementStrides.size(); ++i)
    if (spec.elementStrides[i] < 1 || spec.elementStrides[i] > 8)
      return expected(numbered("element stride of dimension", i) + " from 1 to 8", spec.elementStrides[i]);
  return {};
}

void fill(const EncodedTensorMap &map, uint8_t *to, uint32_t bytes) {
  if (!map.fillNan) {
    std::memset(to, 0, bytes);
    return;
  }
  // Pieces start at multiples of the element's size: the quiet NaN with all bits set but the sign.
  std::memset(to, 0xff, bytes);
  for (uint32_t last = map.elementBytes - 1u; last < bytes; last += map.elementBytes)
    to[last] = 0x7f;
}

/// Calls body(shared address, offset in the range, bytes) for the runs of contiguous shared bytes that the
/// bytes [begin, end) of a row at `rowAddress` occupy.
template <class Body>
void forEachPiece(Swizzle swizzle, uint32_t rowAddress, uint32_t begin, uint32_t end, Body &&body) {
  if (swizzle == Swizzle::none) {
    if (begin < end)
      body(rowAddress + begin, 0u, end - begin);
    return;
  }
  for (uint32_t at = begin; at < end;) {
    uint32_t stop = std::min(end, (at & ~15u) + 16);
    body(device::layout::swizzled(swizzle, rowAddress + at), at - begin, stop - at);
    at = stop;
  }
}

/// memcpy that is one move for the common full piece.
void copyPiece(uint8_t *to, const uint8_t *from, uint32_t bytes) {
  if (bytes == 16)
    std::memcpy(to, from, 16);
  else
    std::memcpy(to, from, bytes);
}

} // namespace

std::string validateTensorMap(const TensorMapSpec &spec) {
  for (auto *rule : {validateLengths, validateGlobal, validateBox})
    if (std::string error = rule(spec); !error.empty())
      return error;
  if (spec.fillNan && !isArgumentType(spec.dtype) && spec.dtype != DType::f64)
    return "expected a floating-point type where NaN is the fill, got " + std::string(nameOf(spec.dtype));
  return {};
}

std::string tensorMapLimit(const TensorMapSpec &spec) {
  uint64_t rowBytes = spec.box[0] * static_cast<uint64_t>(sizeOf(spec.dtype));
  uint64_t span = device::layout::swizzleSpan(swizzleOf(spec.swizzle));
  if (spec.swizzle != TileSwizzle::none && rowBytes < span)
    return expected("rows of the box to fill the " + std::to_string(span) + " bytes of the swizzle",
                    rowBytes);
  return {};
}

EncodedTensorMap encodeTensorMap(const TensorMapSpec &spec) {
  EncodedTensorMap map = {};
  map.mark = EncodedTensorMap::signature;
  map.base = std::bit_cast<uint64_t>(spec.base);
  map.rank = static_cast<uint8_t>(spec.dims.size());
  map.elementBytes = static_cast<uint8_t>(sizeOf(spec.dtype));
  map.fillNan = spec.fillNan;
  map.swizzle = swizzleOf(spec.swizzle);
  for (int i = 0; i < 5; ++i) {
    bool used = i < map.rank;
    map.dims[i] = used ? spec.dims[i] : 1;
    map.box[i] = used ? static_cast<uint16_t>(spec.box[i]) : 1;
    map.strides[i] = i == 0 ? map.elementBytes : used ? spec.strides[i - 1] : 0;
    bool stepped = used && i > 0 && !spec.elementStrides.empty();
    map.elementStrides[i] = stepped ? static_cast<uint8_t>(spec.elementStrides[i]) : 1;
  }
  return map;
}

void loadBox(const EncodedTensorMap &map, const int32_t *coordinates, uint8_t *window, uint32_t address) {
  uint32_t rowBytes = map.rowBytes();
  forEachRow(map, coordinates, [&](const BoxRow &row) {
    auto fillRange = [&](uint32_t begin, uint32_t end) {
      forEachPiece(map.swizzle, address + row.offset, begin, end,
                   [&](uint32_t to, uint32_t, uint32_t bytes) { fill(map, window + to, bytes); });
    };
    const auto *from = std::bit_cast<const uint8_t *>(row.global);
    fillRange(0, row.begin);
    forEachPiece(map.swizzle, address + row.offset, row.begin, row.end,
                 [&](uint32_t to, uint32_t at, uint32_t bytes) { copyPiece(window + to, from + at, bytes); });
    fillRange(row.end, rowBytes);
  });
}

void storeBox(const EncodedTensorMap &map, const int32_t *coordinates, const uint8_t *window,
              uint32_t address) {
  forEachRow(map, coordinates, [&](const BoxRow &row) {
    auto *to = std::bit_cast<uint8_t *>(row.global);
    forEachPiece(
        map.swizzle, address + row.offset, row.begin, row.end,
        [&](uint32_t from, uint32_t at, uint32_t bytes) { copyPiece(to + at, window + from, bytes); });
  });
}

} // namespace sluice::emulator
