// Matrix products of a warpgroup, asynchronous, with operands in shared memory: the GPU's side, sm_90a. The
// instructions with their lists of registers are generated, a header for each N: "wgmma/n<N>.h".
#pragma once

#include "Memory.h"

#include "codegen/cuda/device/Layouts.h"

#if SLUICE_HAS_SM90A
namespace sluice::device {

/// A matrix operand in shared memory: where it starts, its swizzle and two offsets whose meaning is in Layouts.h.
template <class T> struct WgmmaDescriptor {
  u64 bits;
  /// The operand that starts `bytes` further: along k within a swizzled row, or whole tiles.
  SLUICE_DEVICE WgmmaDescriptor advance(u32 bytes) const { return {layout::advanceDescriptor(bits, bytes)}; }
};

template <class T>
SLUICE_DEVICE WgmmaDescriptor<T> wgmmaDescriptor(Shared<T> start, Swizzle swizzle, u32 leadingBytes, u32 strideBytes) {
  static_assert(detail::same<T, bf16> || detail::same<T, f16>, "expected bf16 or f16");
  return {layout::encodeDescriptor({start.address(), leadingBytes, strideBytes, 0, swizzle})};
}

namespace detail {
/// wgmma.mma_async of one N, specialised by "wgmma/n<N>.h".
template <int N> struct WgmmaInstruction {
  static_assert(WgmmaIncluded<N>::value, "expected #include \"wgmma/n<N>.h\"");
};
} // namespace detail

/// 64 x N in the registers of a warpgroup.
template <int N> class WgmmaAccumulator {
  static_assert(N % 8 == 0 && N >= 8 && N <= 256, "expected N to be a multiple of 8 up to 256");

public:
  static constexpr int count = N / 2;
  SLUICE_DEVICE f32 &r(IndexBelow<N / 2> index) { return data[index.value]; }
  SLUICE_DEVICE const f32 &r(IndexBelow<N / 2> index) const { return data[index.value]; }
  SLUICE_DEVICE void fill(f32 value) {
    for (f32 &element : data)
      element = value;
  }

private:
  friend detail::Access;
  f32 data[N / 2];
};

/// The 64 x 16 operand A in registers.
template <class T> class WgmmaA {
  static_assert(detail::same<T, bf16> || detail::same<T, f16>, "expected bf16 or f16");

public:
  static constexpr int count = 4;
  SLUICE_DEVICE u32 &r(IndexBelow<4> index) { return data[index.value]; }
  SLUICE_DEVICE const u32 &r(IndexBelow<4> index) const { return data[index.value]; }

private:
  friend detail::Access;
  u32 data[4];
};

/// Warpgroup, each warp by itself. Starts D = A B (+ D if `accumulate`), both operands in shared memory, read through
/// the asynchronous proxy. D belongs to the product until wgmmaWait has covered its group.
/// wgmma.mma_async.sync.aligned.m64nNk16.f32.
template <Major A = Major::k, Major B = Major::k, bool NegateA = false, bool NegateB = false, int N, class T>
SLUICE_DEVICE void wgmma(WgmmaAccumulator<N> &d, WgmmaDescriptor<T> a, WgmmaDescriptor<T> b, bool accumulate) {
  detail::WgmmaInstruction<N>::template shared<A == Major::mn, B == Major::mn, NegateA ? -1 : 1, NegateB ? -1 : 1>(
      T{}, detail::Access::registers(d), a.bits, b.bits, accumulate);
}
/// A from registers, which belong to the product like D.
template <Major B = Major::k, bool NegateA = false, bool NegateB = false, int N, class T>
SLUICE_DEVICE void wgmma(WgmmaAccumulator<N> &d, const WgmmaA<T> &a, WgmmaDescriptor<T> b, bool accumulate) {
  // Products only know whether the signs differ. The sign stays with B: where registers of A hold constants, ptxas 13.0
  // negates 32-bit integers instead of the two numbers in each.
  detail::WgmmaInstruction<N>::template registers<B == Major::mn, 1, NegateA != NegateB ? -1 : 1>(
      T{}, detail::Access::registers(d), detail::Access::registers(a), b.bits, accumulate);
}

/// Thread. Keeps the compiler from moving accesses to the accumulator across this place.
template <int N> SLUICE_DEVICE void pin(WgmmaAccumulator<N> &accumulator) {
  for (f32 &element : detail::Access::registers(accumulator))
    asm volatile("" : "+f"(element)::"memory");
}

/// Warpgroup. Orders accesses to registers before it and by products after it. wgmma.fence.sync.aligned.
SLUICE_DEVICE void wgmmaFence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
/// Warpgroup. The products since the last commit form a group. wgmma.commit_group.sync.aligned.
SLUICE_DEVICE void wgmmaCommit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
/// Warpgroup. Returns when at most Pending of the warp's youngest groups are unfinished; the others' registers are
/// free and their operands have been read by this warp, which says nothing of the other three. The compiler may not
/// move accesses to the accumulators given above it. wgmma.wait_group.sync.aligned.
template <int Pending> SLUICE_DEVICE void wgmmaWait() {
  static_assert(Pending >= 0 && Pending <= 7, "expected 0 to 7 groups");
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Pending) : "memory");
}
template <int Pending, int N> SLUICE_DEVICE void wgmmaWait(WgmmaAccumulator<N> &a) {
  wgmmaWait<Pending>();
  pin(a);
}
template <int Pending, int N0, int N1>
SLUICE_DEVICE void wgmmaWait(WgmmaAccumulator<N0> &a, WgmmaAccumulator<N1> &b) {
  wgmmaWait<Pending>(a);
  pin(b);
}
template <int Pending, int N0, int N1, int N2>
SLUICE_DEVICE void wgmmaWait(WgmmaAccumulator<N0> &a, WgmmaAccumulator<N1> &b, WgmmaAccumulator<N2> &c) {
  wgmmaWait<Pending>(a, b);
  pin(c);
}
template <int Pending, int N0, int N1, int N2, int N3>
SLUICE_DEVICE void wgmmaWait(WgmmaAccumulator<N0> &a, WgmmaAccumulator<N1> &b, WgmmaAccumulator<N2> &c,
                             WgmmaAccumulator<N3> &d) {
  wgmmaWait<Pending>(a, b, c);
  pin(d);
}

} // namespace sluice::device
#endif
