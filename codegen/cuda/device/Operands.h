// What primitives take: typed views of shared and global memory, and the fragments of mma. Both sides share them; where
// each element of a fragment lies: Layouts.h.
#pragma once

#include "codegen/cuda/device/Types.h"

namespace sluice::device {

namespace detail {
template <class A, class B> inline constexpr bool same = false;
template <class A> inline constexpr bool same<A, A> = true;
template <class T> struct Mutable {
  using type = T;
};
template <class T> struct Mutable<const T> {
  using type = T;
};
/// T without const. As a parameter's type it is not deduced, so that literals convert.
template <class T> using Value = typename Mutable<T>::type;
template <class T> inline constexpr bool isConst = !same<T, Value<T>>;
template <class T, int N> struct Loaded {
  using type = Vec<Value<T>, N>;
};
template <class T> struct Loaded<T, 1> {
  using type = Value<T>;
};
/// Opens what the types hide, for the primitives.
struct Access;
} // namespace detail

/// Elements of type T at a 32-bit address of the shared window. Cannot be dereferenced.
template <class T> class Shared {
public:
  Shared() = default;
  SLUICE_DEVICE static Shared fromAddress(u32 address) { return Shared(address); }
  SLUICE_DEVICE u32 address() const { return at; }
  SLUICE_DEVICE Shared operator+(i32 elements) const { return Shared(at + u32(elements) * u32(sizeof(T))); }
  template <class U> SLUICE_DEVICE Shared<U> cast() const { return Shared<U>::fromAddress(at); }

private:
  SLUICE_DEVICE explicit Shared(u32 address) : at(address) {}
  u32 at;
};

/// Elements of type T in global memory. Cannot be dereferenced.
template <class T> class Global {
public:
  Global() = default;
  /// What may be written may be read.
  template <class U>
    requires(detail::same<T, const U>)
  SLUICE_DEVICE Global(Global<U> other) : at(other.at) {}
  // Integer arithmetic: an address out of bounds must reach the check.
  SLUICE_DEVICE Global operator+(i64 elements) const { return Global(at + u64(elements) * sizeof(T)); }
  template <class U> SLUICE_DEVICE Global<U> cast() const {
    static_assert(!detail::isConst<T> || detail::isConst<U>, "expected a cast that keeps const");
    return Global<U>(at);
  }
  SLUICE_DEVICE bool isNull() const { return at == 0; }

private:
  friend detail::Access;
  template <class U> friend class Global;
  SLUICE_DEVICE explicit Global(u64 address) : at(address) {}
  u64 at;
};

namespace detail {
/// Registers of one thread's part of a matrix, reached by constant indices only.
template <class Register, int Count> class Fragment {
public:
  static constexpr int count = Count;
  SLUICE_DEVICE Register &r(IndexBelow<Count> index) { return data[index.value]; }
  SLUICE_DEVICE const Register &r(IndexBelow<Count> index) const { return data[index.value]; }

private:
  friend Access;
  Register data[Count];
};
template <class T> inline constexpr bool isHalf = same<T, bf16> || same<T, f16>;
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
    unrolled<4>([&](auto i) { r(i) = value; });
  }
};
/// What ldmatrix and stmatrix move: one register for each 8 x 8 matrix.
template <int Count> struct LdRegisters : detail::Fragment<u32, Count> {};

} // namespace sluice::device
