// Sums of products over one 16 x 8 block of accumulators: in float32, and as the chips do it (MatrixUnit.h
// has the equations). Included once per instruction set, like MatrixTiles.h.
#pragma once

#include "runtime/emulator/MatrixTiles.h"

namespace sluice::emulator {
namespace {

//===--- In float32 -------------------------------------------------------------------------------------===//

/// A of 16 rows and up to 16 columns.
struct ExactA {
  float value[16][16];
};
/// B of up to 16 rows and 8 columns.
struct ExactB {
  Floats value[16];
};

template <Element E> SLUICE_INLINE void setRow(ExactA &a, int row, const Words &packed) {
  decodeRow<E>(packed, a.value[row]);
}
template <Element E> SLUICE_INLINE void setRow(ExactB &b, int k, const Floats &values) {
  b.value[k] = values;
}

template <int K> SLUICE_INLINE void multiplyExact(const ExactA &a, const ExactB &b, Accumulators &c) {
  // Four rows at a time hide the latency of fma and leave registers for B.
  for (int row = 0; row < 16; row += 4) {
    Floats sum[4] = {c.row[row], c.row[row + 1], c.row[row + 2], c.row[row + 3]};
    for (int k = 0; k < K; ++k)
      for (int i = 0; i < 4; ++i)
        sum[i] = __builtin_elementwise_fma(Floats(a.value[row + i][k]), b.value[k], sum[i]);
    for (int i = 0; i < 4; ++i)
      c.row[row + i] = canonicalNaN(sum[i]);
  }
}

//===--- As the chips do it -----------------------------------------------------------------------------===//

constexpr int exponentBias = 127;
/// Exponent of a zero operand: any product with it stays below `zeroExponent`.
constexpr int belowAll = -10000;

struct HardwareA {
  double value[16][16];
  int32_t exponent[16][16];
  bool special;                  ///< There may be an infinity or a NaN.
};
struct HardwareB {
  Doubles value[16];
  Ints exponent[16];
  bool special;
};

/// Bits after the point that alignment keeps, exponent of a zero, smallest exponent of the operands' type.
struct Model {
  int fractionBits, zeroExponent;
};
constexpr Model ampereModel{24, -132}, hopperModel{25, -133};

/// The biased exponent that subnormals of the type have, in float32's bias.
template <Element E> constexpr int smallestField = E == Element::f16 ? exponentBias - 14 : 1;

template <class T> SLUICE_INLINE bool anySet(const T &mask) { return __builtin_reduce_or(mask) != 0; }

SLUICE_INLINE Ints fieldOf(const Floats &values) { return (bits<Ints>(values) >> 23) & 255; }

/// Exponents of decoded operands: subnormals have the smallest one, zeros `belowAll`.
template <Element E> SLUICE_INLINE Ints exponentsOf(const Floats &values) {
  Ints exponent = __builtin_elementwise_max(fieldOf(values), Ints(smallestField<E>)) - exponentBias;
  Ints isZero = values == 0.0f;
  return (exponent & ~isZero) | (isZero & belowAll);
}

template <Element E> SLUICE_INLINE void setRow(HardwareA &a, int row, const Words &packed) {
  constexpr int columns = E == Element::tf32 ? 8 : 16;
  alignas(32) float values[16];
  decodeRow<E>(packed, values);
  for (int k = 0; k < columns; k += 8) {
    auto part = loadFrom<Floats>(values + k);
    Ints exponent = exponentsOf<E>(part);
    Doubles wide = __builtin_convertvector(part, Doubles);
    __builtin_memcpy(&a.exponent[row][k], &exponent, sizeof exponent);
    __builtin_memcpy(&a.value[row][k], &wide, sizeof wide);
    a.special |= anySet(fieldOf(part) == 255);
  }
}

template <Element E> SLUICE_INLINE void setRow(HardwareB &b, int k, const Floats &values) {
  b.value[k] = __builtin_convertvector(values, Doubles);
  b.exponent[k] = exponentsOf<E>(values);
  b.special |= anySet(fieldOf(values) == 255);
}

/// 2^exponent in float64.
SLUICE_INLINE Doubles powerOf2(Ints exponent) {
  return bits<Doubles>((__builtin_convertvector(exponent, Longs) + 1023) << 52);
}

/// Cuts to float32 towards zero; beyond the largest float32 it becomes infinite. `value` has no -0, and
/// neither has the result: small ones pass through integers.
SLUICE_INLINE Floats cutToFloat(const Doubles &value) {
  Doubles cut = bits<Doubles>(bits<Longs>(value) & ~((int64_t{1} << 29) - 1));
  Longs isSmall = __builtin_elementwise_abs(value) < 0x1p-126;
  if (anySet(isSmall)) {
    Doubles scaled = isSmall ? value * 0x1p149 : Doubles(0.0);
    Doubles small = __builtin_convertvector(__builtin_convertvector(scaled, Ints), Doubles) * 0x1p-149;
    cut = isSmall ? small : cut;
  }
  return __builtin_convertvector(cut, Floats);
}

/// One step of L products for eight accumulators of one row. `Special` is needed if an input is infinite or
/// NaN.
template <int L, bool Special>
SLUICE_INLINE Floats step(const double *a, const int32_t *exponentA, const Doubles *b, const Ints *exponentB,
                          const Floats &c, Model model) {
  Ints isZero = c == 0.0f;
  Ints exponentC = __builtin_elementwise_max(fieldOf(c), Ints(1)) - exponentBias;
  Ints largest = (exponentC & ~isZero) | (isZero & model.zeroExponent);
  for (int k = 0; k < L; ++k)
    largest = __builtin_elementwise_max(largest, exponentB[k] + exponentA[k]);
  Doubles scale = powerOf2(model.fractionBits - largest);
  Doubles wideC = __builtin_convertvector(c, Doubles);
  // Conversion to an integer cuts towards zero. The products alone stay below 16 (4 - 2^-7) 2^25, hence in 32
  // bits.
  Ints products = Ints(0);
  Doubles special = wideC;
  for (int k = 0; k < L; ++k) {
    Doubles product = b[k] * a[k];
    if (Special)
      special += product;
    products += __builtin_convertvector(product * scale, Ints);
  }
  Doubles sum = __builtin_convertvector(products, Doubles) +
                __builtin_convertvector(__builtin_convertvector(wideC * scale, Ints), Doubles);
  Floats result = cutToFloat(sum * powerOf2(largest - model.fractionBits));
  if (Special) {
    // In float64 no finite sum of such products overflows: what is not finite comes from the inputs.
    Floats infinite = canonicalNaN(__builtin_convertvector(special, Floats));
    Ints isFinite = __builtin_convertvector(__builtin_elementwise_abs(special) < __builtin_inf(), Ints);
    result = isFinite ? result : infinite;
  }
  return result;
}

/// K products in steps of L for all 16 rows.
template <int K, int L>
SLUICE_INLINE void multiplyHardware(const HardwareA &a, const HardwareB &b, Accumulators &c, Model model) {
  bool special = a.special | b.special;
  for (int row = 0; row < 16; ++row)
    for (int k = 0; k < K; k += L) {
      // An earlier step may have overflowed.
      bool here = special | anySet(fieldOf(c.row[row]) == 255);
      if (here) [[unlikely]]
        c.row[row] = step<L, true>(&a.value[row][k], &a.exponent[row][k], &b.value[k], &b.exponent[k],
                                   c.row[row], model);
      else
        c.row[row] = step<L, false>(&a.value[row][k], &a.exponent[row][k], &b.value[k], &b.exponent[k],
                                    c.row[row], model);
    }
}

} // namespace
} // namespace sluice::emulator
