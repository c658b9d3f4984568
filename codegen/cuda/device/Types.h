// Types that both device headers share: fixed-width names, 16-bit floats, compile-time indices, register vectors.
// Compiled by NVRTC, clang and g++; includes nothing.
#pragma once

#ifdef __CUDACC__
#define SLUICE_DEVICE __device__ __forceinline__
#else
#define SLUICE_DEVICE inline __attribute__((always_inline))
#endif

// Source that both sides share passes the caller's place on: the emulator's primitives end with that parameter.
#ifdef __CUDACC__
#define SLUICE_SITE_PARAMETER
#define SLUICE_SITE
#define SLUICE_ONLY_SITE
#else
#define SLUICE_SITE_PARAMETER , Site site = Site::current()
#define SLUICE_SITE , site
#define SLUICE_ONLY_SITE site
#endif

namespace sluice::device {

using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;
using i16 = short;
using i32 = int;
using i64 = long long;
using f32 = float;

/// The bits of a bfloat16 number: the upper half of a float32.
struct bf16 {
  u16 bits;
};
/// The bits of an IEEE binary16 number.
struct f16 {
  u16 bits;
};
/// A float32 whose low 13 fraction bits are zero: what tensor cores read of a tf32 operand.
struct tf32 {
  u32 bits;
};

/// A compile-time integer as a value: what `unrolled` hands to its body and registers are indexed by.
template <int N> struct Constant {
  static constexpr int value = N;
  SLUICE_DEVICE constexpr operator int() const { return N; }
};

/// An index of a register. Only a constant converts to it, and it keeps its value, so that no register array can end in
/// local memory.
struct Index {
  const int value;
  SLUICE_DEVICE consteval Index(int index) : value(index) {}
  template <int N> SLUICE_DEVICE constexpr Index(Constant<N>) : value(N) {}
};

namespace detail {
void indexOutOfRange(); // Not constexpr: a call in a constant expression is an error that shows its name.
}

/// An index of one of Count registers, checked where it is a constant; one that came as an Index was checked nowhere.
template <int Count> struct IndexBelow {
  const int value;
  SLUICE_DEVICE consteval IndexBelow(int index) : value(index) {
    if (index < 0 || index >= Count)
      detail::indexOutOfRange();
  }
  template <int N> SLUICE_DEVICE constexpr IndexBelow(Constant<N>) : value(N) {
    static_assert(N >= 0 && N < Count, "expected an index below the number of registers");
  }
  SLUICE_DEVICE constexpr IndexBelow(Index index) : value(index.value) {}
};

namespace detail {
/// Whether "wgmma/n<N>.h" has been included, which each use of wgmma with that N asks for.
template <int N> struct WgmmaIncluded {
  static constexpr bool value = false;
};

template <int... Is> struct Sequence {};
template <int N, int... Is> struct MakeSequence : MakeSequence<N - 1, N - 1, Is...> {};
template <int... Is> struct MakeSequence<0, Is...> {
  using type = Sequence<Is...>;
};
template <class Body, int... Is> SLUICE_DEVICE void unroll(Body &&body, Sequence<Is...>) {
  (body(Constant<Is>{}), ...);
}
} // namespace detail

/// Calls `body(Constant<0>)` to `body(Constant<N-1>)`: a loop whose index can address registers.
template <int N, class Body> SLUICE_DEVICE void unrolled(Body &&body) {
  detail::unroll(body, typename detail::MakeSequence<N>::type{});
}

/// N values of type T in registers, accessed together: 2, 4, 8 or 16 bytes.
template <class T, int N>
struct alignas((sizeof(T) * N & (sizeof(T) * N - 1)) == 0 ? sizeof(T) * N : sizeof(T)) Vec {
  static_assert(sizeof(T) * N == 2 || sizeof(T) * N == 4 || sizeof(T) * N == 8 || sizeof(T) * N == 16,
                "expected a vector of 2, 4, 8 or 16 bytes");
  T data[N];
  SLUICE_DEVICE T &operator()(IndexBelow<N> index) { return data[index.value]; }
  SLUICE_DEVICE const T &operator()(IndexBelow<N> index) const { return data[index.value]; }
};

/// Where a global access may be cached: in L1 and L2; in L2 only; streaming, evicted first; not again.
enum class Cache { all, level2, streaming, lastUse };
/// What L2 should do with lines that an asynchronous copy brings.
enum class Eviction { normal, first, last, unchanged };
/// Memory order of an access to a counter, at the scope of the whole GPU.
enum class Order { relaxed, acquire, release, acquireRelease };
/// Which dimension of a matrix operand is contiguous: the summed one (K) or the other (M or N).
enum class Major { k, mn };
/// The pattern in which 16-byte pieces of a tile are permuted, by the bytes of its rows.
enum class Swizzle { none, bytes32, bytes64, bytes128 };

} // namespace sluice::device
