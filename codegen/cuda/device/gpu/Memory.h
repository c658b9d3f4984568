// Loads and stores, counters and atomics on global and shared memory: the GPU's side. Each access is one asm volatile
// with a memory clobber: the compiler keeps it between the barriers where it stands.
#pragma once

#include "Kernel.h"

namespace sluice::device {

namespace detail {
/// The registers of an access of so many bytes; narrower ones occupy the low bits of one.
template <int Bytes> struct Raw {
  static_assert(Bytes == 1 || Bytes == 2 || Bytes == 4 || Bytes == 8 || Bytes == 16,
                "expected an access of 1, 2, 4, 8 or 16 bytes");
  u32 word[Bytes < 4 ? 1 : Bytes / 4];
};
template <class V> SLUICE_DEVICE V fromRaw(Raw<sizeof(V)> raw) {
  if constexpr (sizeof(V) == 1)
    return __builtin_bit_cast(V, u8(raw.word[0]));
  else if constexpr (sizeof(V) == 2)
    return __builtin_bit_cast(V, u16(raw.word[0]));
  else
    return __builtin_bit_cast(V, raw);
}
template <class V> SLUICE_DEVICE Raw<sizeof(V)> toRaw(V value) {
  if constexpr (sizeof(V) == 1)
    return {{__builtin_bit_cast(u8, value)}};
  else if constexpr (sizeof(V) == 2)
    return {{__builtin_bit_cast(u16, value)}};
  else
    return __builtin_bit_cast(Raw<sizeof(V)>, value);
}
// Loads and stores of one state space: plain, and guarded by a predicate with the registers kept where it is false.
#define SLUICE_ACCESS(name, addressType, constraint, load, store)                                             \
  struct name {                                                                                               \
    using Address = addressType;                                                                              \
    SLUICE_ACCESS_WIDTH(1, ".u8 ", "%0", "%1", "%2", SLUICE_W1, constraint, load, store)                      \
    SLUICE_ACCESS_WIDTH(2, ".u16 ", "%0", "%1", "%2", SLUICE_W1, constraint, load, store)                     \
    SLUICE_ACCESS_WIDTH(4, ".u32 ", "%0", "%1", "%2", SLUICE_W1, constraint, load, store)                     \
    SLUICE_ACCESS_WIDTH(8, ".v2.u32 ", "{%0, %1}", "%2", "%3", SLUICE_W2, constraint, load, store)            \
    SLUICE_ACCESS_WIDTH(16, ".v4.u32 ", "{%0, %1, %2, %3}", "%4", "%5", SLUICE_W4, constraint, load, store)   \
  };
#define SLUICE_W1(mode) mode(raw.word[0])
#define SLUICE_W2(mode) mode(raw.word[0]), mode(raw.word[1])
#define SLUICE_W4(mode) SLUICE_W2(mode), mode(raw.word[2]), mode(raw.word[3])
#define SLUICE_ACCESS_WIDTH(bytes, type, list, address, predicate, words, constraint, load, store)            \
  SLUICE_DEVICE static void read(Raw<bytes> &raw, Address at) {                                               \
    asm volatile(load type list ", [" address "];" : words("=r") : constraint(at) : "memory");                \
  }                                                                                                           \
  SLUICE_DEVICE static void readIf(Raw<bytes> &raw, Address at, u32 condition) {                              \
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, " predicate ", 0;\n@p " load type list ", [" address "];\n}"  \
                 : words("+r") : constraint(at), "r"(condition) : "memory");                                  \
  }                                                                                                           \
  SLUICE_DEVICE static void write(Raw<bytes> raw, Address at) {                                               \
    asm volatile(store type "[" address "], " list ";" ::words("r"), constraint(at) : "memory");              \
  }                                                                                                           \
  SLUICE_DEVICE static void writeIf(Raw<bytes> raw, Address at, u32 condition) {                              \
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, " predicate ", 0;\n@p " store type "[" address "], " list ";\n}" \
                 ::words("r"), constraint(at), "r"(condition) : "memory");                                    \
  }
SLUICE_ACCESS(GlobalAll, u64, "l", "ld.global", "st.global")
SLUICE_ACCESS(GlobalLevel2, u64, "l", "ld.global.cg", "st.global.cg")
SLUICE_ACCESS(GlobalStreaming, u64, "l", "ld.global.cs", "st.global.cs")
SLUICE_ACCESS(GlobalLastUse, u64, "l", "ld.global.lu", "st.global")
SLUICE_ACCESS(SharedOwn, u32, "r", "ld.shared", "st.shared")
#if SLUICE_HAS_SM90
SLUICE_ACCESS(SharedRemote, u32, "r", "ld.shared::cluster", "st.shared::cluster")
#endif
#undef SLUICE_ACCESS
#undef SLUICE_ACCESS_WIDTH
#undef SLUICE_W1
#undef SLUICE_W2
#undef SLUICE_W4

template <Cache> struct GlobalSpace {
  using type = GlobalAll;
};
template <> struct GlobalSpace<Cache::level2> {
  using type = GlobalLevel2;
};
template <> struct GlobalSpace<Cache::streaming> {
  using type = GlobalStreaming;
};
template <> struct GlobalSpace<Cache::lastUse> {
  using type = GlobalLastUse;
};

template <class Space, class V> SLUICE_DEVICE V load(typename Space::Address at) {
  Raw<sizeof(V)> raw;
  Space::read(raw, at);
  return fromRaw<V>(raw);
}
template <class Space, class V, class T>
SLUICE_DEVICE V loadIf(typename Space::Address at, bool predicate, T otherwise) {
  V value;
  if constexpr (same<V, T>)
    value = otherwise;
  else
    for (T &element : value.data)
      element = otherwise;
  Raw<sizeof(V)> raw = toRaw(value);
  Space::readIf(raw, at, predicate);
  return fromRaw<V>(raw);
}
} // namespace detail

/// The block's dynamic shared memory from `byteOffset` on; its first byte lies at a multiple of 1024.
template <class T> SLUICE_DEVICE Shared<T> sharedMemory(u32 byteOffset) {
  extern __shared__ __align__(1024) u8 dynamicShared[];
  return Shared<T>::fromAddress(u32(__cvta_generic_to_shared(dynamicShared)) + byteOffset);
}

namespace detail {
struct Access {
  template <class T> SLUICE_DEVICE static u64 address(Global<T> global) { return global.at; }
  /// The registers of a fragment or an accumulator.
  template <class Fragment> SLUICE_DEVICE static auto &registers(Fragment &fragment) { return fragment.data; }
};
} // namespace detail

// Thread. N elements in one access, aligned to their size together. Complete on return. ld.global{.cg,.cs,.lu}.

template <int N = 1, Cache C = Cache::all, class T>
SLUICE_DEVICE typename detail::Loaded<T, N>::type loadGlobal(Global<T> source) {
  using Result = typename detail::Loaded<T, N>::type;
  return detail::load<typename detail::GlobalSpace<C>::type, Result>(detail::Access::address(source));
}
/// Without `predicate` memory is untouched and every element is `otherwise`.
template <int N = 1, Cache C = Cache::all, class T>
SLUICE_DEVICE typename detail::Loaded<T, N>::type loadGlobal(Global<T> source, bool predicate,
                                                             detail::Value<T> otherwise) {
  using Result = typename detail::Loaded<T, N>::type;
  return detail::loadIf<typename detail::GlobalSpace<C>::type, Result>(detail::Access::address(source), predicate,
                                                                       otherwise);
}

// Thread. Visible to the thread itself on return, to others after synchronisation. st.global{.cg,.cs}.

template <Cache C = Cache::all, class T>
SLUICE_DEVICE void storeGlobal(Global<T> destination, detail::Value<T> value) {
  static_assert(!detail::isConst<T>, "expected a destination that is not const");
  static_assert(C != Cache::lastUse, "expected a cache policy of stores, got lastUse");
  detail::GlobalSpace<C>::type::write(detail::toRaw(value), detail::Access::address(destination));
}
template <Cache C = Cache::all, class T>
SLUICE_DEVICE void storeGlobal(Global<T> destination, detail::Value<T> value, bool predicate) {
  static_assert(!detail::isConst<T>, "expected a destination that is not const");
  static_assert(C != Cache::lastUse, "expected a cache policy of stores, got lastUse");
  detail::GlobalSpace<C>::type::writeIf(detail::toRaw(value), detail::Access::address(destination), predicate);
}
template <Cache C = Cache::all, class T, int N>
SLUICE_DEVICE void storeGlobal(Global<T> destination, Vec<T, N> value) {
  static_assert(C != Cache::lastUse, "expected a cache policy of stores, got lastUse");
  detail::GlobalSpace<C>::type::write(detail::toRaw(value), detail::Access::address(destination));
}
template <Cache C = Cache::all, class T, int N>
SLUICE_DEVICE void storeGlobal(Global<T> destination, Vec<T, N> value, bool predicate) {
  static_assert(C != Cache::lastUse, "expected a cache policy of stores, got lastUse");
  detail::GlobalSpace<C>::type::writeIf(detail::toRaw(value), detail::Access::address(destination), predicate);
}

// Thread. As on global memory. ld.shared, st.shared.

template <int N = 1, class T> SLUICE_DEVICE typename detail::Loaded<T, N>::type loadShared(Shared<T> source) {
  return detail::load<detail::SharedOwn, typename detail::Loaded<T, N>::type>(source.address());
}
template <int N = 1, class T>
SLUICE_DEVICE typename detail::Loaded<T, N>::type loadShared(Shared<T> source, bool predicate,
                                                             detail::Value<T> otherwise) {
  return detail::loadIf<detail::SharedOwn, typename detail::Loaded<T, N>::type>(source.address(), predicate,
                                                                               otherwise);
}
template <class T> SLUICE_DEVICE void storeShared(Shared<T> destination, detail::Value<T> value) {
  detail::SharedOwn::write(detail::toRaw(value), destination.address());
}
template <class T> SLUICE_DEVICE void storeShared(Shared<T> destination, detail::Value<T> value, bool predicate) {
  detail::SharedOwn::writeIf(detail::toRaw(value), destination.address(), predicate);
}
template <class T, int N> SLUICE_DEVICE void storeShared(Shared<T> destination, Vec<T, N> value) {
  detail::SharedOwn::write(detail::toRaw(value), destination.address());
}
template <class T, int N> SLUICE_DEVICE void storeShared(Shared<T> destination, Vec<T, N> value, bool predicate) {
  detail::SharedOwn::writeIf(detail::toRaw(value), destination.address(), predicate);
}

/// Thread. A hint that brings a line into L2; changes nothing that can be observed. prefetch.global.L2.
template <class T> SLUICE_DEVICE void prefetchLevel2(Global<T> source) {
  asm volatile("prefetch.global.L2 [%0];" ::"l"(detail::Access::address(source)));
}

// Counters: words of global memory by which blocks signal each other, at the scope of the GPU.

/// Thread. ld.{relaxed,acquire}.gpu.
template <Order O = Order::relaxed> SLUICE_DEVICE u32 loadCounter(Global<const u32> counter) {
  static_assert(O == Order::relaxed || O == Order::acquire, "expected a relaxed or acquire load");
  u64 at = detail::Access::address(counter);
  u32 value;
  if constexpr (O == Order::relaxed)
    asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(at) : "memory");
  else
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(at) : "memory");
  return value;
}
/// Thread. st.{relaxed,release}.gpu.
template <Order O = Order::relaxed> SLUICE_DEVICE void storeCounter(Global<u32> counter, u32 value) {
  static_assert(O == Order::relaxed || O == Order::release, "expected a relaxed or release store");
  u64 at = detail::Access::address(counter);
  if constexpr (O == Order::relaxed)
    asm volatile("st.relaxed.gpu.global.u32 [%0], %1;" ::"l"(at), "r"(value) : "memory");
  else
    asm volatile("st.release.gpu.global.u32 [%0], %1;" ::"l"(at), "r"(value) : "memory");
}
/// Thread. Returns nothing, so it does not wait for memory. red.{relaxed,release}.gpu.add.
template <Order O = Order::relaxed> SLUICE_DEVICE void addCounter(Global<u32> counter, u32 value) {
  static_assert(O == Order::relaxed || O == Order::release, "expected a relaxed or release addition");
  u64 at = detail::Access::address(counter);
  if constexpr (O == Order::relaxed)
    asm volatile("red.relaxed.gpu.global.add.u32 [%0], %1;" ::"l"(at), "r"(value) : "memory");
  else
    asm volatile("red.release.gpu.global.add.u32 [%0], %1;" ::"l"(at), "r"(value) : "memory");
}
/// Thread. Polls with acquire until the counter is at least `atLeast` (unsigned).
SLUICE_DEVICE void waitCounter(Global<const u32> counter, u32 atLeast) {
  while (loadCounter<Order::acquire>(counter) < atLeast) {
  }
}

// Thread. Atomics return what the memory held before. atom.{relaxed,acquire,release,acq_rel}.gpu.
#define SLUICE_ATOMIC_ORDER(order, operation, type, constraint)                                               \
  asm volatile("atom." order ".gpu.global." operation " %0, [%1], %2;"                                        \
               : "=" constraint(old) : "l"(detail::Access::address(target)), constraint(value) : "memory")
#define SLUICE_ATOMIC(name, operation, type, constraint)                                                      \
  template <Order O = Order::relaxed> SLUICE_DEVICE type name(Global<type> target, type value) {              \
    type old;                                                                                                 \
    if constexpr (O == Order::relaxed)                                                                        \
      SLUICE_ATOMIC_ORDER("relaxed", operation, type, constraint);                                            \
    else if constexpr (O == Order::acquire)                                                                   \
      SLUICE_ATOMIC_ORDER("acquire", operation, type, constraint);                                            \
    else if constexpr (O == Order::release)                                                                   \
      SLUICE_ATOMIC_ORDER("release", operation, type, constraint);                                            \
    else                                                                                                      \
      SLUICE_ATOMIC_ORDER("acq_rel", operation, type, constraint);                                            \
    return old;                                                                                               \
  }
SLUICE_ATOMIC(atomicAdd, "add.u32", u32, "r")
SLUICE_ATOMIC(atomicAdd, "add.u64", u64, "l")
SLUICE_ATOMIC(atomicMin, "min.u32", u32, "r")
SLUICE_ATOMIC(atomicMax, "max.u32", u32, "r")
SLUICE_ATOMIC(atomicAnd, "and.b32", u32, "r")
SLUICE_ATOMIC(atomicOr, "or.b32", u32, "r")
SLUICE_ATOMIC(atomicXor, "xor.b32", u32, "r")
SLUICE_ATOMIC(atomicExchange, "exch.b32", u32, "r")
#undef SLUICE_ATOMIC
#undef SLUICE_ATOMIC_ORDER

template <Order O = Order::relaxed>
SLUICE_DEVICE u32 atomicCompareExchange(Global<u32> target, u32 expected, u32 desired) {
  u64 at = detail::Access::address(target);
  u32 old;
#define SLUICE_CAS(order)                                                                                     \
  asm volatile("atom." order ".gpu.global.cas.b32 %0, [%1], %2, %3;"                                          \
               : "=r"(old) : "l"(at), "r"(expected), "r"(desired) : "memory")
  if constexpr (O == Order::relaxed)
    SLUICE_CAS("relaxed");
  else if constexpr (O == Order::acquire)
    SLUICE_CAS("acquire");
  else if constexpr (O == Order::release)
    SLUICE_CAS("release");
  else
    SLUICE_CAS("acq_rel");
#undef SLUICE_CAS
  return old;
}
/// Thread. Relaxed, at the scope of the block. atom.shared.add.u32.
SLUICE_DEVICE u32 atomicAdd(Shared<u32> target, u32 value) {
  u32 old;
  asm volatile("atom.relaxed.cta.shared.add.u32 %0, [%1], %2;"
               : "=r"(old) : "r"(target.address()), "r"(value) : "memory");
  return old;
}

/// Thread. Orders its accesses before and after for the threads of its block. fence.acq_rel.cta.
SLUICE_DEVICE void fenceBlock() { asm volatile("fence.acq_rel.cta;" ::: "memory"); }
/// Thread. For all threads of the device. fence.acq_rel.gpu.
SLUICE_DEVICE void fenceDevice() { asm volatile("fence.acq_rel.gpu;" ::: "memory"); }

} // namespace sluice::device
