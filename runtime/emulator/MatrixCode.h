// mma and wgmma themselves, compiled once for each instruction set by a file that names the result:
//   #define SLUICE_MATRIX_KERNELS avx2MatrixKernels
//   #include "runtime/emulator/MatrixCode.h"
#include "runtime/emulator/MatrixArithmetic.h"

namespace sluice::emulator {
namespace {

/// Decoded operands. Kept out of the stacks, since every thread of a block has its own.
struct Scratch {
  ExactA exactA[4];
  ExactB exactB;
  HardwareA hardwareA[4];
  HardwareB hardwareB;
};
thread_local Scratch scratch;

//===--- mma.sync ---------------------------------------------------------------------------------------===//

template <Element E, class A> SLUICE_INLINE void decodeA(const uint32_t *const *lanes, int registers, A &a) {
  for (int g = 0; g < 8; ++g) {
    RowPair rows = rowsOf(lanes + 4 * g, registers);
    setRow<E>(a, g, rows.upper);
    setRow<E>(a, g + 8, rows.lower);
  }
}

template <Element E, class B> SLUICE_INLINE void decodeB(const uint32_t *const *lanes, int registers, B &b) {
  ColumnPairs columns;
  loadColumns(lanes, registers, columns);
  constexpr int halves = E == Element::tf32 ? 1 : 2;
  for (int pair = 0; pair < 4 * registers; ++pair)
    for (int half = 0; half < halves; ++half)
      setRow<E>(b, pair * halves + half, decodeHalf<E>(columns.pair[pair], half));
}

template <Element E, int K>
void mmaOf(Chip chip, const uint32_t *const *a, const uint32_t *const *b, float *const *d) {
  constexpr int perRegister = E == Element::tf32 ? 1 : 2;
  constexpr int registersB = K / 4 / perRegister, registersA = 2 * registersB;
  Accumulators c;
  loadAccumulators(d, 0, c);
  Scratch &space = scratch;
  if (chip == Chip::exact) {
    decodeA<E>(a, registersA, space.exactA[0]);
    decodeB<E>(b, registersB, space.exactB);
    multiplyExact<K>(space.exactA[0], space.exactB, c);
  } else {
    space.hardwareA[0].special = space.hardwareB.special = false;
    decodeA<E>(a, registersA, space.hardwareA[0]);
    decodeB<E>(b, registersB, space.hardwareB);
    constexpr int ampereStep = E == Element::tf32 ? 4 : 8;
    if (chip == Chip::ampere)
      multiplyHardware<K, ampereStep>(space.hardwareA[0], space.hardwareB, c, ampereModel);
    else
      multiplyHardware<K, K>(space.hardwareA[0], space.hardwareB, c, hopperModel);
  }
  storeAccumulators(c, d, 0);
}

void mmaKernel(Chip chip, MmaKind kind, const uint32_t *const *a, const uint32_t *const *b, float *const *d) {
  switch (kind) {
  case MmaKind::bf16K16:
    return mmaOf<Element::bf16, 16>(chip, a, b, d);
  case MmaKind::f16K16:
    return mmaOf<Element::f16, 16>(chip, a, b, d);
  case MmaKind::f16K8:
    return mmaOf<Element::f16, 8>(chip, a, b, d);
  case MmaKind::tf32K8:
    return mmaOf<Element::tf32, 8>(chip, a, b, d);
  }
}

//===--- wgmma ------------------------------------------------------------------------------------------===//

constexpr uint32_t signBits(bool negate) { return negate ? 0x80008000u : 0; }

/// The 16 rows of warp `warp`, decoded.
template <Element E, class A> SLUICE_INLINE void decodeWgmmaA(const WgmmaOperands &operands, int warp, A &a) {
  uint32_t sign = signBits(operands.negateA);
  if (operands.aRegisters) {
    for (int g = 0; g < 8; ++g) {
      RowPair rows = rowsOf(operands.aRegisters + 32 * warp + 4 * g, 4);
      setRow<E>(a, g, rows.upper ^ sign);
      setRow<E>(a, g + 8, rows.lower ^ sign);
    }
    return;
  }
  alignas(32) uint16_t gathered[16];
  for (int row = 0; row < 16; ++row) {
    const uint16_t *from = operands.a + (16 * warp + row) * 16;
    if (operands.majorA == device::Major::mn) {
      for (int k = 0; k < 16; ++k)
        gathered[k] = operands.a[64 * k + 16 * warp + row];
      from = gathered;
    }
    setRow<E>(a, row, loadFrom<Words>(from) ^ sign);
  }
}

/// Eight columns from `column` on, decoded.
template <Element E, class B>
SLUICE_INLINE void decodeWgmmaB(const WgmmaOperands &operands, int column, B &b) {
  uint32_t sign = signBits(operands.negateB);
  if (operands.majorB == device::Major::mn) {
    for (int k = 0; k < 16; ++k) {
      auto packed = loadFrom<Vector<uint16_t, 8>>(operands.b + k * operands.n + column);
      setRow<E>(b, k, decodeHalf<E>(__builtin_convertvector(packed, Words) ^ (sign & 0xffffu), 0));
    }
    return;
  }
  // Pairs of rows, column by column: a transposition of 8 x 8 words.
  alignas(32) uint32_t words[8][8];
  for (int n = 0; n < 8; ++n) {
    auto packed = loadFrom<Words>(operands.b + (column + n) * 16) ^ sign;
    for (int pair = 0; pair < 8; ++pair)
      words[pair][n] = packed[pair];
  }
  for (int pair = 0; pair < 8; ++pair)
    for (int half = 0; half < 2; ++half)
      setRow<E>(b, 2 * pair + half, decodeHalf<E>(loadFrom<Words>(words[pair]), half));
}

SLUICE_INLINE void multiplyBlock(const ExactA &a, const ExactB &b, Accumulators &c) {
  multiplyExact<16>(a, b, c);
}
SLUICE_INLINE void multiplyBlock(const HardwareA &a, const HardwareB &b, Accumulators &c) {
  multiplyHardware<16, 16>(a, b, c, hopperModel);
}
SLUICE_INLINE void clearSpecial(ExactA &) {}
SLUICE_INLINE void clearSpecial(ExactB &) {}
template <class Operand> SLUICE_INLINE void clearSpecial(Operand &operand) { operand.special = false; }

template <Element E, class A, class B>
SLUICE_INLINE void wgmmaOf(const WgmmaOperands &operands, A *a, B &b, float *const *d) {
  for (int warp = 0; warp < 4; ++warp) {
    clearSpecial(a[warp]);
    decodeWgmmaA<E>(operands, warp, a[warp]);
  }
  for (int column = 0; column < operands.n; column += 8) {
    clearSpecial(b);
    decodeWgmmaB<E>(operands, column, b);
    for (int warp = 0; warp < 4; ++warp) {
      Accumulators c;
      if (operands.accumulate)
        loadAccumulators(d + 32 * warp, column / 2, c);
      else
        c = Accumulators{};
      multiplyBlock(a[warp], b, c);
      storeAccumulators(c, d + 32 * warp, column / 2);
    }
  }
}

template <Element E> void wgmmaOfType(Chip chip, const WgmmaOperands &operands, float *const *d) {
  if (chip == Chip::exact)
    wgmmaOf<E>(operands, scratch.exactA, scratch.exactB, d);
  else
    wgmmaOf<E>(operands, scratch.hardwareA, scratch.hardwareB, d);
}

void wgmmaKernel(Chip chip, const WgmmaOperands &operands, float *const *d) {
  if (operands.half)
    wgmmaOfType<Element::f16>(chip, operands, d);
  else
    wgmmaOfType<Element::bf16>(chip, operands, d);
}

} // namespace

const MatrixKernels SLUICE_MATRIX_KERNELS = {mmaKernel, wgmmaKernel};

} // namespace sluice::emulator
