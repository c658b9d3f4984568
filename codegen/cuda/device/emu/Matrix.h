// mma.sync, ldmatrix and stmatrix on the emulator. Where each element lies: ../Layouts.h.
#pragma once

#include "codegen/cuda/device/emu/AbiAsync.h"
#include "codegen/cuda/device/emu/Memory.h"

namespace sluice::device {

/// Warp. D += A B; complete on return. mma.sync.aligned.m16n8k16.row.col.f32.
template <class T>
SLUICE_DEVICE void mma(MmaAccumulator &d, const MmaA<T> &a, const MmaB<T> &b, Site site = Site::current()) {
  sluiceEmuMma(matrixKind<T>, 16, detail::Access::registers(d), detail::Access::registers(a), detail::Access::registers(b), site);
}
/// Warp. D += A B; complete on return. mma.sync.aligned.m16n8k8.row.col.f32, f16 or tf32.
template <class T>
SLUICE_DEVICE void mma(MmaAccumulator &d, const MmaAK8<T> &a, const MmaBK8<T> &b,
                       Site site = Site::current()) {
  sluiceEmuMma(matrixKind<T>, 8, detail::Access::registers(d), detail::Access::registers(a), detail::Access::registers(b), site);
}

/// Warp. Loads Count 8 x 8 matrices; lane i < 8 Count gives the address of row i % 8 of matrix i / 8, a
/// multiple of 16. Complete on return. ldmatrix.sync.aligned.m8n8.
template <int Count, bool Transposed = false, class T>
SLUICE_DEVICE LdRegisters<Count> ldmatrix(Shared<T> rowAddress, Site site = Site::current()) {
  static_assert(Count == 1 || Count == 2 || Count == 4, "expected 1, 2 or 4 matrices");
  static_assert(sizeof(T) == 2, "expected 16-bit elements");
  LdRegisters<Count> registers;
  sluiceEmuLdmatrix(detail::Access::registers(registers), rowAddress.address(), Count, Transposed, site);
  return registers;
}
template <bool Transposed = false, class T>
SLUICE_DEVICE void ldmatrix(MmaA<T> &a, Shared<T> rowAddress, Site site = Site::current()) {
  sluiceEmuLdmatrix(detail::Access::registers(a), rowAddress.address(), 4, Transposed, site);
}
template <bool Transposed = false, class T>
SLUICE_DEVICE void ldmatrix(MmaB<T> &b, Shared<T> rowAddress, Site site = Site::current()) {
  sluiceEmuLdmatrix(detail::Access::registers(b), rowAddress.address(), 2, Transposed, site);
}

/// Warp. Stores Count 8 x 8 matrices, addressed as for ldmatrix. Complete on return.
/// stmatrix.sync.aligned.m8n8.
template <int Count, bool Transposed = false, class T>
SLUICE_DEVICE void stmatrix(Shared<T> rowAddress, const LdRegisters<Count> &registers,
                            Site site = Site::current()) {
  static_assert(Count == 1 || Count == 2 || Count == 4, "expected 1, 2 or 4 matrices");
  static_assert(sizeof(T) == 2, "expected 16-bit elements");
  sluiceEmuStmatrix(detail::Access::registers(registers), rowAddress.address(), Count, Transposed, site);
}

/// Thread. Keeps the compiler from moving accesses to the accumulator across this place; nothing to do here.
SLUICE_DEVICE void pin(MmaAccumulator &) {}

} // namespace sluice::device
