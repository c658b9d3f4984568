// Asynchronous matrix products of a warpgroup on the emulator. Fragments know while a product owns them.
#pragma once

#include "codegen/cuda/device/Layouts.h"
#include "codegen/cuda/device/emu/AbiAsync.h"
#include "codegen/cuda/device/emu/Matrix.h"
#include "codegen/cuda/device/emu/Memory.h"

namespace sluice::device {

namespace detail {
/// A bit that descriptors leave unused: here it says that bits were lost, as addresses are kept in units of
/// 16 bytes.
SLUICE_DEVICE constexpr u64 lostBits(u32 bytes) { return bytes % 16 != 0 ? descriptorLostBits : 0; }
} // namespace detail

/// A matrix operand in shared memory: where it starts, its swizzle and two offsets whose meaning is in
/// ../Layouts.h.
template <class T> struct WgmmaDescriptor {
  u64 bits;
  /// The operand that starts `bytes` further: along k within a swizzled row, or whole tiles.
  SLUICE_DEVICE WgmmaDescriptor advance(u32 bytes) const {
    return {layout::advanceDescriptor(bits, bytes) | detail::lostBits(bytes)};
  }
};

template <class T>
SLUICE_DEVICE WgmmaDescriptor<T> wgmmaDescriptor(Shared<T> start, Swizzle swizzle, u32 leadingBytes,
                                                 u32 strideBytes) {
  static_assert(detail::isHalf<T>, "expected bf16 or f16");
  return {layout::encodeDescriptor({start.address(), leadingBytes, strideBytes, 0, swizzle}) |
          detail::lostBits(start.address() | strideBytes)};
}

namespace detail {
struct AsyncFragmentAccess {
  template <class F> static SLUICE_DEVICE AsyncRegisters *state(F &fragment) { return &fragment.state; }
};
/// A fragment to copy from and where that is done: an assignment has no parameter for its place, but what its
/// operand is converted to has.
template <class Fragment> struct CopiedFrom {
  const Fragment &fragment;
  Site site;
  SLUICE_DEVICE CopiedFrom(const Fragment &fragment, Site site = Site::current())
      : fragment(fragment), site(site) {}
};
/// Registers that asynchronous products use. Every access by ordinary code passes through `touch`; copies
/// too.
template <class Register, int Count> class AsyncFragment {
public:
  static constexpr int count = Count;
  SLUICE_DEVICE AsyncFragment() { state.fences = sluiceEmuWgmmaFences(); }
  AsyncFragment(const AsyncFragment &) = delete;
  AsyncFragment &operator=(const AsyncFragment &) = delete;
  SLUICE_DEVICE ~AsyncFragment() {
    if (state.inFlight != 0)
      sluiceEmuWgmmaVanished(&state);
  }
  SLUICE_DEVICE Register &r(IndexBelow<Count> index, Site site = Site::current()) {
    touch(site);
    return data[index.value];
  }
  SLUICE_DEVICE const Register &r(IndexBelow<Count> index, Site site = Site::current()) const {
    touch(site);
    return data[index.value];
  }

protected:
  SLUICE_DEVICE void copy(const AsyncFragment &other, Site site) {
    touch(site);
    other.touch(site);
    for (int i = 0; i < Count; ++i)
      data[i] = other.data[i];
  }
  SLUICE_DEVICE void touch(Site site) const {
    if (state.inFlight != 0)
      sluiceEmuWgmmaTouched(&state, site);
    state.touchedAt = *state.fences;
  }

private:
  friend Access;
  friend AsyncFragmentAccess;
  mutable AsyncRegisters state;
  Register data[Count];
};
} // namespace detail

/// 64 x N in the registers of a warpgroup.
template <int N> struct WgmmaAccumulator : detail::AsyncFragment<f32, N / 2> {
  static_assert(N % 8 == 0 && N >= 8 && N <= 256, "expected N to be a multiple of 8 up to 256");
  SLUICE_DEVICE WgmmaAccumulator() = default;
  SLUICE_DEVICE WgmmaAccumulator(const WgmmaAccumulator &other, Site site = Site::current()) {
    this->copy(other, site);
  }
  // Never chosen: without it the compiler would make one that knows no place.
  WgmmaAccumulator &operator=(const WgmmaAccumulator &) requires(N < 0);
  SLUICE_DEVICE WgmmaAccumulator &operator=(detail::CopiedFrom<WgmmaAccumulator> from) {
    this->copy(from.fragment, from.site);
    return *this;
  }
  SLUICE_DEVICE void fill(f32 value, Site site = Site::current()) {
    this->touch(site);
    for (f32 &element : detail::Access::registers(*this))
      element = value;
  }
};

/// The 64 x 16 operand A in registers.
template <class T> struct WgmmaA : detail::AsyncFragment<u32, 4> {
  static_assert(detail::isHalf<T>, "expected bf16 or f16");
  SLUICE_DEVICE WgmmaA() = default;
  SLUICE_DEVICE WgmmaA(const WgmmaA &other, Site site = Site::current()) { this->copy(other, site); }
  WgmmaA &operator=(const WgmmaA &) requires(sizeof(T) == 0); // As in WgmmaAccumulator.
  SLUICE_DEVICE WgmmaA &operator=(detail::CopiedFrom<WgmmaA> from) {
    this->copy(from.fragment, from.site);
    return *this;
  }
};

/// Warpgroup, each warp by itself. Starts D = A B (+ D if `accumulate`), both operands in shared memory, read
/// through the asynchronous proxy. D belongs to the product until wgmmaWait has covered its group.
/// wgmma.mma_async.sync.aligned.m64nNk16.f32.
template <Major A = Major::k, Major B = Major::k, bool NegateA = false, bool NegateB = false, int N, class T>
SLUICE_DEVICE void wgmma(WgmmaAccumulator<N> &d, WgmmaDescriptor<T> a, WgmmaDescriptor<T> b, bool accumulate,
                         Site site = Site::current()) {
  static_assert(detail::WgmmaIncluded<N>::value, "expected #include \"wgmma/n<N>.h\"");
  WgmmaCall call{detail::AsyncFragmentAccess::state(d),
                 detail::Access::registers(d),
                 nullptr,
                 nullptr,
                 a.bits,
                 b.bits,
                 N,
                 matrixKind<T>,
                 A,
                 B,
                 NegateA,
                 NegateB,
                 accumulate};
  sluiceEmuWgmma(&call, site);
}
/// A from registers, which belong to the product like D.
template <Major B = Major::k, bool NegateA = false, bool NegateB = false, int N, class T>
SLUICE_DEVICE void wgmma(WgmmaAccumulator<N> &d, const WgmmaA<T> &a, WgmmaDescriptor<T> b, bool accumulate,
                         Site site = Site::current()) {
  static_assert(detail::WgmmaIncluded<N>::value, "expected #include \"wgmma/n<N>.h\"");
  WgmmaCall call{detail::AsyncFragmentAccess::state(d),
                 detail::Access::registers(d),
                 detail::AsyncFragmentAccess::state(a),
                 detail::Access::registers(a),
                 0,
                 b.bits,
                 N,
                 matrixKind<T>,
                 Major::k,
                 B,
                 NegateA,
                 NegateB,
                 accumulate};
  sluiceEmuWgmma(&call, site);
}

/// Warpgroup. Orders accesses to registers before it and by products after it. wgmma.fence.sync.aligned.
SLUICE_DEVICE void wgmmaFence(Site site = Site::current()) { sluiceEmuWgmmaFence(site); }
/// Warpgroup. The products since the last commit form a group. wgmma.commit_group.sync.aligned.
SLUICE_DEVICE void wgmmaCommit(Site site = Site::current()) { sluiceEmuWgmmaCommit(site); }
/// Warpgroup. Returns when at most Pending of the warp's youngest groups are unfinished; the others'
/// registers are free and their operands have been read by this warp, which says nothing of the other three.
/// wgmma.wait_group.sync.aligned.
template <int Pending> SLUICE_DEVICE void wgmmaWait(Site site = Site::current()) {
  static_assert(Pending >= 0 && Pending <= 7, "expected 0 to 7 groups");
  sluiceEmuWgmmaWait(Pending, site);
}
/// The same; the compiler may not move accesses to these accumulators above it.
template <int Pending, int N>
SLUICE_DEVICE void wgmmaWait(WgmmaAccumulator<N> &, Site site = Site::current()) {
  wgmmaWait<Pending>(site);
}
template <int Pending, int N0, int N1>
SLUICE_DEVICE void wgmmaWait(WgmmaAccumulator<N0> &, WgmmaAccumulator<N1> &, Site site = Site::current()) {
  wgmmaWait<Pending>(site);
}
template <int Pending, int N0, int N1, int N2>
SLUICE_DEVICE void wgmmaWait(WgmmaAccumulator<N0> &, WgmmaAccumulator<N1> &, WgmmaAccumulator<N2> &,
                             Site site = Site::current()) {
  wgmmaWait<Pending>(site);
}
template <int Pending, int N0, int N1, int N2, int N3>
SLUICE_DEVICE void wgmmaWait(WgmmaAccumulator<N0> &, WgmmaAccumulator<N1> &, WgmmaAccumulator<N2> &,
                             WgmmaAccumulator<N3> &, Site site = Site::current()) {
  wgmmaWait<Pending>(site);
}

/// Thread. Keeps the compiler from moving accesses to the accumulator across this place; nothing to do here.
template <int N> SLUICE_DEVICE void pin(WgmmaAccumulator<N> &) {}

} // namespace sluice::device
