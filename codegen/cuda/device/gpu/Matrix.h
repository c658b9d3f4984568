// mma.sync, ldmatrix and stmatrix: the GPU's side. Where each element lies: Layouts.h.
#pragma once

#include "Memory.h"

namespace sluice::device {

namespace detail {
// D is read and written in place: the same four registers.
#define SLUICE_MMA(instruction, aList, bList, aWords, bWords)                                                 \
  asm volatile("mma.sync.aligned." instruction " {%0, %1, %2, %3}, " aList ", " bList ", {%0, %1, %2, %3};"   \
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : aWords, bWords)
#define SLUICE_WORDS1(x) "r"(x[0])
#define SLUICE_WORDS2(x) SLUICE_WORDS1(x), "r"(x[1])
#define SLUICE_WORDS4(x) SLUICE_WORDS2(x), "r"(x[2]), "r"(x[3])
SLUICE_DEVICE void mmaK16(bf16, f32 (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
  SLUICE_MMA("m16n8k16.row.col.f32.bf16.bf16.f32", "{%4, %5, %6, %7}", "{%8, %9}", SLUICE_WORDS4(a), SLUICE_WORDS2(b));
}
SLUICE_DEVICE void mmaK16(f16, f32 (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
  SLUICE_MMA("m16n8k16.row.col.f32.f16.f16.f32", "{%4, %5, %6, %7}", "{%8, %9}", SLUICE_WORDS4(a), SLUICE_WORDS2(b));
}
SLUICE_DEVICE void mmaK8(f16, f32 (&d)[4], const u32 (&a)[2], const u32 (&b)[1]) {
  SLUICE_MMA("m16n8k8.row.col.f32.f16.f16.f32", "{%4, %5}", "{%6}", SLUICE_WORDS2(a), SLUICE_WORDS1(b));
}
SLUICE_DEVICE void mmaK8(tf32, f32 (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
  SLUICE_MMA("m16n8k8.row.col.f32.tf32.tf32.f32", "{%4, %5, %6, %7}", "{%8, %9}", SLUICE_WORDS4(a), SLUICE_WORDS2(b));
}
#undef SLUICE_MMA
#undef SLUICE_WORDS1
#undef SLUICE_WORDS2
#undef SLUICE_WORDS4

// The row's address is the lane's own: lanes 0 to 7 address the first matrix, 8 to 15 the second, and so on.
#define SLUICE_LDMATRIX(shape, list, at, ...)                                                                 \
  if constexpr (Transposed)                                                                                   \
    asm volatile("ldmatrix.sync.aligned.m8n8." shape ".trans.shared.b16 " list ", [" at "];"                  \
                 : __VA_ARGS__ : "r"(address) : "memory");                                                    \
  else                                                                                                        \
    asm volatile("ldmatrix.sync.aligned.m8n8." shape ".shared.b16 " list ", [" at "];"                        \
                 : __VA_ARGS__ : "r"(address) : "memory")
template <bool Transposed> SLUICE_DEVICE void ldmatrixTo(u32 (&to)[1], u32 address) {
  SLUICE_LDMATRIX("x1", "{%0}", "%1", "=r"(to[0]));
}
template <bool Transposed> SLUICE_DEVICE void ldmatrixTo(u32 (&to)[2], u32 address) {
  SLUICE_LDMATRIX("x2", "{%0, %1}", "%2", "=r"(to[0]), "=r"(to[1]));
}
template <bool Transposed> SLUICE_DEVICE void ldmatrixTo(u32 (&to)[4], u32 address) {
  SLUICE_LDMATRIX("x4", "{%0, %1, %2, %3}", "%4", "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3]));
}
#undef SLUICE_LDMATRIX
} // namespace detail

/// Warp. D += A B; complete on return. mma.sync.aligned.m16n8k16.row.col.f32.
template <class T> SLUICE_DEVICE void mma(MmaAccumulator &d, const MmaA<T> &a, const MmaB<T> &b) {
  using detail::Access;
  detail::mmaK16(T{}, Access::registers(d), Access::registers(a), Access::registers(b));
}
/// Warp. D += A B; complete on return. mma.sync.aligned.m16n8k8.row.col.f32.
template <class T> SLUICE_DEVICE void mma(MmaAccumulator &d, const MmaAK8<T> &a, const MmaBK8<T> &b) {
  using detail::Access;
  detail::mmaK8(T{}, Access::registers(d), Access::registers(a), Access::registers(b));
}

/// Warp. Loads Count 8 x 8 matrices; lane i < 8 Count gives the address of row i % 8 of matrix i / 8, a multiple of
/// 16. Complete on return. ldmatrix.sync.aligned.m8n8.
template <int Count, bool Transposed = false, class T>
SLUICE_DEVICE LdRegisters<Count> ldmatrix(Shared<T> rowAddress) {
  static_assert(Count == 1 || Count == 2 || Count == 4, "expected 1, 2 or 4 matrices");
  static_assert(sizeof(T) == 2, "expected 16-bit elements");
  LdRegisters<Count> registers;
  detail::ldmatrixTo<Transposed>(detail::Access::registers(registers), rowAddress.address());
  return registers;
}
template <bool Transposed = false, class T> SLUICE_DEVICE void ldmatrix(MmaA<T> &a, Shared<T> rowAddress) {
  detail::ldmatrixTo<Transposed>(detail::Access::registers(a), rowAddress.address());
}
template <bool Transposed = false, class T> SLUICE_DEVICE void ldmatrix(MmaB<T> &b, Shared<T> rowAddress) {
  detail::ldmatrixTo<Transposed>(detail::Access::registers(b), rowAddress.address());
}

#if SLUICE_HAS_SM90
namespace detail {
#define SLUICE_STMATRIX(shape, list, ...)                                                                     \
  if constexpr (Transposed)                                                                                   \
    asm volatile("stmatrix.sync.aligned.m8n8." shape ".trans.shared.b16 [%0], " list ";" ::"r"(address),      \
                 __VA_ARGS__ : "memory");                                                                     \
  else                                                                                                        \
    asm volatile("stmatrix.sync.aligned.m8n8." shape ".shared.b16 [%0], " list ";" ::"r"(address),          \
                 __VA_ARGS__ : "memory")
template <bool Transposed> SLUICE_DEVICE void stmatrixFrom(u32 address, const u32 (&from)[1]) {
  SLUICE_STMATRIX("x1", "{%1}", "r"(from[0]));
}
template <bool Transposed> SLUICE_DEVICE void stmatrixFrom(u32 address, const u32 (&from)[2]) {
  SLUICE_STMATRIX("x2", "{%1, %2}", "r"(from[0]), "r"(from[1]));
}
template <bool Transposed> SLUICE_DEVICE void stmatrixFrom(u32 address, const u32 (&from)[4]) {
  SLUICE_STMATRIX("x4", "{%1, %2, %3, %4}", "r"(from[0]), "r"(from[1]), "r"(from[2]), "r"(from[3]));
}
#undef SLUICE_STMATRIX
} // namespace detail

/// Warp. Stores Count 8 x 8 matrices, addressed as for ldmatrix. Complete on return. stmatrix.sync.aligned.m8n8.
template <int Count, bool Transposed = false, class T>
SLUICE_DEVICE void stmatrix(Shared<T> rowAddress, const LdRegisters<Count> &registers) {
  static_assert(Count == 1 || Count == 2 || Count == 4, "expected 1, 2 or 4 matrices");
  static_assert(sizeof(T) == 2, "expected 16-bit elements");
  detail::stmatrixFrom<Transposed>(rowAddress.address(), detail::Access::registers(registers));
}
#endif

/// Thread. Keeps the compiler from moving accesses to the accumulator across this place.
SLUICE_DEVICE void pin(MmaAccumulator &accumulator) {
  for (f32 &element : detail::Access::registers(accumulator))
    asm volatile("" : "+f"(element)::"memory");
}

} // namespace sluice::device
