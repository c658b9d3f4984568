// Operands and accumulators of the matrix unit as vectors: unpacked from the lanes' registers, decoded,
// packed again. Included once per instruction set, by files compiled for it: everything here is local to the
// including file, and nothing inline of the standard library is used, which the linker would share between
// them.
#pragma once

#include "runtime/emulator/MatrixKernels.h"

namespace sluice::emulator {
namespace {

#define SLUICE_INLINE inline __attribute__((always_inline))

template <class T, int N> using Vector __attribute__((ext_vector_type(N))) = T;
using Floats = Vector<float, 8>;
using Doubles = Vector<double, 8>;
using Ints = Vector<int32_t, 8>;
using Longs = Vector<int64_t, 8>;
using Quad = Vector<uint32_t, 4>;
using Words = Vector<uint32_t, 8>;     ///< Eight registers: 16 elements of 16 bits, or eight tf32.

enum class Element { bf16, f16, tf32 };

template <class To, class From> SLUICE_INLINE To bits(const From &from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}

template <class T> SLUICE_INLINE T loadFrom(const void *from) {
  T value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}

SLUICE_INLINE Quad loadPart(const uint32_t *from, int registers) {
  if (registers == 4)
    return loadFrom<Quad>(from);
  return Quad{from[0], from[1], 0, 0};
}

/// Rows g and g + 8 of an operand A, as the four lanes of group g hold them. Registers 0 and 2 are of row g.
struct RowPair {
  Words upper, lower;
};
SLUICE_INLINE RowPair rowsOf(const uint32_t *const *lanes, int registers) {
  Quad lane0 = loadPart(lanes[0], registers), lane1 = loadPart(lanes[1], registers);
  Quad lane2 = loadPart(lanes[2], registers), lane3 = loadPart(lanes[3], registers);
  // Pairs of lanes, register by register: 00 11 and 22 33.
  Quad early01 = __builtin_shufflevector(lane0, lane1, 0, 4, 1, 5);
  Quad early23 = __builtin_shufflevector(lane2, lane3, 0, 4, 1, 5);
  Quad late01 = __builtin_shufflevector(lane0, lane1, 2, 6, 3, 7);
  Quad late23 = __builtin_shufflevector(lane2, lane3, 2, 6, 3, 7);
  Quad upperEarly = __builtin_shufflevector(early01, early23, 0, 1, 4, 5);
  Quad lowerEarly = __builtin_shufflevector(early01, early23, 2, 3, 6, 7);
  Quad upperLate = __builtin_shufflevector(late01, late23, 0, 1, 4, 5);
  Quad lowerLate = __builtin_shufflevector(late01, late23, 2, 3, 6, 7);
  return {__builtin_shufflevector(upperEarly, upperLate, 0, 1, 2, 3, 4, 5, 6, 7),
          __builtin_shufflevector(lowerEarly, lowerLate, 0, 1, 2, 3, 4, 5, 6, 7)};
}

/// The values of eight registers, K by K: halves of the registers alternate for the 16-bit types.
template <Element E> SLUICE_INLINE void decodeRow(const Words &packed, float *values) {
  if constexpr (E == Element::tf32) {
    Words kept = packed & ~0x1fffu;
    __builtin_memcpy(values, &kept, sizeof kept);
    return;
  }
  if constexpr (E == Element::bf16) {
    auto wide = __builtin_convertvector(bits<Vector<uint16_t, 16>>(packed), Vector<uint32_t, 16>) << 16;
    __builtin_memcpy(values, &wide, sizeof wide);
  }
  if constexpr (E == Element::f16) {
    auto wide = __builtin_convertvector(bits<Vector<_Float16, 16>>(packed), Vector<float, 16>);
    __builtin_memcpy(values, &wide, sizeof wide);
  }
}

/// Eight values from one half of eight registers.
template <Element E> SLUICE_INLINE Floats decodeHalf(const Words &packed, int half) {
  if constexpr (E == Element::tf32)
    return bits<Floats>(packed & ~0x1fffu);
  if constexpr (E == Element::bf16)
    return bits<Floats>(half ? packed & 0xffff0000u : packed << 16);
  Vector<uint16_t, 8> narrow =
      __builtin_convertvector(half ? packed >> 16 : packed & 0xffffu, Vector<uint16_t, 8>);
  return __builtin_convertvector(bits<Vector<_Float16, 8>>(narrow), Floats);
}

/// Sixteen rows of eight float32 accumulators.
struct Accumulators {
  Floats row[16];
};

/// Of 32 lanes, each with the four registers of one 16 x 8 block at `d[lane] + offset`.
SLUICE_INLINE void loadAccumulators(float *const *d, int offset, Accumulators &to) {
  for (int g = 0; g < 8; ++g) {
    using Four = Vector<float, 4>;
    Four lane0 = loadFrom<Four>(d[4 * g] + offset), lane1 = loadFrom<Four>(d[4 * g + 1] + offset);
    Four lane2 = loadFrom<Four>(d[4 * g + 2] + offset), lane3 = loadFrom<Four>(d[4 * g + 3] + offset);
    auto first = __builtin_shufflevector(lane0, lane1, 0, 1, 2, 3, 4, 5, 6, 7);
    auto second = __builtin_shufflevector(lane2, lane3, 0, 1, 2, 3, 4, 5, 6, 7);
    to.row[g] = __builtin_shufflevector(first, second, 0, 1, 4, 5, 8, 9, 12, 13);
    to.row[g + 8] = __builtin_shufflevector(first, second, 2, 3, 6, 7, 10, 11, 14, 15);
  }
}

SLUICE_INLINE void storeAccumulators(const Accumulators &from, float *const *d, int offset) {
  for (int g = 0; g < 8; ++g) {
    Floats upper = from.row[g], lower = from.row[g + 8];
    auto first = __builtin_shufflevector(upper, lower, 0, 1, 8, 9, 2, 3, 10, 11);
    auto second = __builtin_shufflevector(upper, lower, 4, 5, 12, 13, 6, 7, 14, 15);
    __builtin_memcpy(d[4 * g] + offset, &first, 16);
    __builtin_memcpy(d[4 * g + 1] + offset, reinterpret_cast<const char *>(&first) + 16, 16);
    __builtin_memcpy(d[4 * g + 2] + offset, &second, 16);
    __builtin_memcpy(d[4 * g + 3] + offset, reinterpret_cast<const char *>(&second) + 16, 16);
  }
}

/// The 8 columns of operand B as 32 lanes hold them: `pair[p]` has register p % 4 of the lanes' quads, column
/// by column. For 16-bit types that is rows 2 p and 2 p + 1 of B, for tf32 row p.
struct ColumnPairs {
  Words pair[8];
};
SLUICE_INLINE void loadColumns(const uint32_t *const *b, int registers, ColumnPairs &to) {
  alignas(32) uint32_t words[8][8];
  for (int lane = 0; lane < 32; ++lane)
    for (int r = 0; r < registers; ++r)
      words[r * 4 + lane % 4][lane / 4] = b[lane][r];
  __builtin_memcpy(&to, words, sizeof(Words) * 4 * registers);
}

SLUICE_INLINE Floats canonicalNaN(Floats values) {
  Ints isNaN = values != values;
  return bits<Floats>((bits<Ints>(values) & ~isNaN) | (isNaN & 0x7fffffff));
}

} // namespace
} // namespace sluice::emulator
