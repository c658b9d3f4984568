// mma.sync, ldmatrix and stmatrix on the emulator. Where each element lies: ../Layouts.h.
#pragma once

#include "codegen/cuda/device/emu/AbiAsync.h"
#include "codegen/cuda/device/emu/Memory.h"

namespace sluice::device {

namespace detail {
/// The registers themselves, for the primitives.
struct FragmentAccess {
  template <class F> static SLUICE_DEVICE auto &registers(F &fragment) { return fragment.data; }
};
/// Registers of one thread's part of a matrix, reached by constant indices only.
template <class Register, int Count> class Fragment {
public:
  static constexpr int count = Count;
  SLUICE_DEVICE Register &r(IndexBelow<Count> index) { return data[index.value]; }
  SLUICE_DEVICE const Register &r(IndexBelow<Count> index) const { return data[index.value]; }

private:
  friend FragmentAccess;
  Register data[Count];
};
template <class T> inline constexpr bool isHalf = same<T, bf16> || same<T, f16>;
template <class F> SLUICE_DEVICE auto &registers(F &fragment) { return FragmentAccess::registers(fragment); }
} // namespace detail

/// A of m16n8k16: 16 x 16.
template <class T> struct MmaA : detail::Fragment<u32, 4> {
  static_assert(detail::isHalf<T>, "expected bf16 or f16");
};
/// B of m16n8k16: 16 x 8.
template <class T> struct MmaB : detail::Fragment<u32, 2> {
  static_assert(detail::isHalf<T>, "expected bf16 or f16");
};
/// A of m16n8k8: 16 x 8.
template <class T> struct MmaAK8 : detail::Fragment<u32, detail::same<T, f16> ? 2 : 4> {
  static_assert(detail::same<T, f16> || detail::same<T, tf32>, "expected f16 or tf32");
};
/// B of m16n8k8: 8 x 8.
template <class T> struct MmaBK8 : detail::Fragment<u32, detail::same<T, f16> ? 1 : 2> {
  static_assert(detail::same<T, f16> || detail::same<T, tf32>, "expected f16 or tf32");
};
/// C and D of every mma: 16 x 8.
struct MmaAccumulator : detail::Fragment<f32, 4> {
  SLUICE_DEVICE void fill(f32 value) {
    for (f32 &element : detail::registers(*this))
      element = value;
  }
};
/// What ldmatrix and stmatrix move: one register for each 8 x 8 matrix.
template <int Count> struct LdRegisters : detail::Fragment<u32, Count> {};

/// Warp. D += A B; complete on return. mma.sync.aligned.m16n8k16.row.col.f32.
template <class T>
SLUICE_DEVICE void mma(MmaAccumulator &d, const MmaA<T> &a, const MmaB<T> &b, Site site = Site::current()) {
  sluiceEmuMma(matrixKind<T>, 16, detail::registers(d), detail::registers(a), detail::registers(b), site);
}
/// Warp. D += A B; complete on return. mma.sync.aligned.m16n8k8.row.col.f32, f16 or tf32.
template <class T>
SLUICE_DEVICE void mma(MmaAccumulator &d, const MmaAK8<T> &a, const MmaBK8<T> &b,
                       Site site = Site::current()) {
  sluiceEmuMma(matrixKind<T>, 8, detail::registers(d), detail::registers(a), detail::registers(b), site);
}

/// Warp. Loads Count 8 x 8 matrices; lane i < 8 Count gives the address of row i % 8 of matrix i / 8, a
/// multiple of 16. Complete on return. ldmatrix.sync.aligned.m8n8.
template <int Count, bool Transposed = false, class T>
SLUICE_DEVICE LdRegisters<Count> ldmatrix(Shared<T> rowAddress, Site site = Site::current()) {
  static_assert(Count == 1 || Count == 2 || Count == 4, "expected 1, 2 or 4 matrices");
  static_assert(sizeof(T) == 2, "expected 16-bit elements");
  LdRegisters<Count> registers;
  sluiceEmuLdmatrix(detail::registers(registers), rowAddress.address(), Count, Transposed, site);
  return registers;
}
template <bool Transposed = false, class T>
SLUICE_DEVICE void ldmatrix(MmaA<T> &a, Shared<T> rowAddress, Site site = Site::current()) {
  sluiceEmuLdmatrix(detail::registers(a), rowAddress.address(), 4, Transposed, site);
}
template <bool Transposed = false, class T>
SLUICE_DEVICE void ldmatrix(MmaB<T> &b, Shared<T> rowAddress, Site site = Site::current()) {
  sluiceEmuLdmatrix(detail::registers(b), rowAddress.address(), 2, Transposed, site);
}

/// Warp. Stores Count 8 x 8 matrices, addressed as for ldmatrix. Complete on return.
/// stmatrix.sync.aligned.m8n8.
template <int Count, bool Transposed = false, class T>
SLUICE_DEVICE void stmatrix(Shared<T> rowAddress, const LdRegisters<Count> &registers,
                            Site site = Site::current()) {
  static_assert(Count == 1 || Count == 2 || Count == 4, "expected 1, 2 or 4 matrices");
  static_assert(sizeof(T) == 2, "expected 16-bit elements");
  sluiceEmuStmatrix(detail::registers(registers), rowAddress.address(), Count, Transposed, site);
}

/// Thread. Keeps the compiler from moving accesses to the accumulator across this place; nothing to do here.
SLUICE_DEVICE void pin(MmaAccumulator &) {}

} // namespace sluice::device
