// Loads, stores, counters and atomics on global and shared memory: the emulator's side. An access that is in bounds,
// aligned and not watched is a copy; everything else is a call.
#pragma once

#include "codegen/cuda/device/Operands.h"
#include "codegen/cuda/device/emu/Abi.h"

namespace sluice::device {

namespace detail {
/// A value, or a vector of that value.
template <class V, class T> SLUICE_DEVICE V filled(T value) {
  if constexpr (same<V, T>) {
    return value;
  } else {
    V result;
    for (T &element : result.data)
      element = value;
    return result;
  }
}
template <class T> inline constexpr bool accessible =
    sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8 || sizeof(T) == 16;

SLUICE_DEVICE void loadGlobal(void *result, const void *address, u32 bytes, Site site) {
  const SluiceEmuThread *thread = sluiceEmuThread;
  u64 at = reinterpret_cast<u64>(address);
  const SluiceEmuRange &range = thread->ranges[__builtin_bit_cast(u64, site) / 8 % sluiceEmuRanges];
  if (__builtin_expect(!thread->observed && at - range.base + bytes <= range.bytes && at >= range.base &&
                           at % bytes == 0, 1))
    __builtin_memcpy(result, address, bytes);
  else
    sluiceEmuLoadGlobal(result, address, bytes, site);
}
SLUICE_DEVICE void storeGlobal(void *address, const void *value, u32 bytes, Site site) {
  const SluiceEmuThread *thread = sluiceEmuThread;
  u64 at = reinterpret_cast<u64>(address);
  const SluiceEmuRange &range = thread->ranges[sluiceEmuRanges + __builtin_bit_cast(u64, site) / 8 % sluiceEmuRanges];
  if (__builtin_expect(!thread->observed && at - range.base + bytes <= range.bytes && at >= range.base &&
                           at % bytes == 0, 1))
    __builtin_memcpy(address, value, bytes);
  else
    sluiceEmuStoreGlobal(address, value, bytes, site);
}
SLUICE_DEVICE void loadShared(void *result, u32 address, u32 bytes, Site site) {
  const SluiceEmuThread *thread = sluiceEmuThread;
  u64 offset = u64(address) - sluiceEmuSharedBase;
  if (__builtin_expect(!thread->observed && offset < thread->sharedBytes &&
                           offset + bytes <= thread->sharedBytes && offset % bytes == 0, 1))
    __builtin_memcpy(result, thread->shared + offset, bytes);
  else
    sluiceEmuLoadShared(result, address, bytes, site);
}
SLUICE_DEVICE void storeShared(u32 address, const void *value, u32 bytes, Site site) {
  const SluiceEmuThread *thread = sluiceEmuThread;
  u64 offset = u64(address) - sluiceEmuSharedBase;
  if (__builtin_expect(!thread->observed && offset < thread->sharedBytes &&
                           offset + bytes <= thread->sharedBytes && offset % bytes == 0, 1))
    __builtin_memcpy(thread->shared + offset, value, bytes);
  else
    sluiceEmuStoreShared(address, value, bytes, site);
}
} // namespace detail

/// The block's dynamic shared memory from `byteOffset` on; its first byte lies at a multiple of 1024.
template <class T> SLUICE_DEVICE Shared<T> sharedMemory(u32 byteOffset) {
  return Shared<T>::fromAddress(sluiceEmuSharedBase + byteOffset);
}

namespace detail {
struct Access {
  template <class T> SLUICE_DEVICE static void *pointer(Global<T> global) { return reinterpret_cast<void *>(global.at); }
  /// The registers of a fragment.
  template <class Fragment> SLUICE_DEVICE static auto &registers(Fragment &fragment) { return fragment.data; }
};

/// A lane whose predicate is false takes part in the warp's instruction without an access.
SLUICE_DEVICE void skip(int space, u32 bytes, Site site) {
  if (__builtin_expect(sluiceEmuThread->observed, 0))
    sluiceEmuSkip(space, bytes, site);
}
} // namespace detail

// Thread. N elements in one access; the address is a multiple of their size.

template <int N = 1, Cache C = Cache::all, class T>
SLUICE_DEVICE typename detail::Loaded<T, N>::type loadGlobal(Global<T> source, Site site = Site::current()) {
  using Result = typename detail::Loaded<T, N>::type;
  static_assert(detail::accessible<Result>, "expected an access of 1, 2, 4, 8 or 16 bytes");
  Result result;
  detail::loadGlobal(&result, detail::Access::pointer(source), sizeof(Result), site);
  return result;
}
/// Without `predicate` memory is untouched and every element is `otherwise`.
template <int N = 1, Cache C = Cache::all, class T>
SLUICE_DEVICE typename detail::Loaded<T, N>::type loadGlobal(Global<T> source, bool predicate,
                                                             detail::Value<T> otherwise,
                                                             Site site = Site::current()) {
  using Result = typename detail::Loaded<T, N>::type;
  static_assert(detail::accessible<Result>, "expected an access of 1, 2, 4, 8 or 16 bytes");
  Result result;
  if (predicate) {
    detail::loadGlobal(&result, detail::Access::pointer(source), sizeof(Result), site);
    return result;
  }
  detail::skip(sluiceEmuGlobalRead, sizeof(Result), site);
  return detail::filled<Result>(otherwise);
}
template <Cache C = Cache::all, class T>
SLUICE_DEVICE void storeGlobal(Global<T> destination, detail::Value<T> value, Site site = Site::current()) {
  static_assert(!detail::isConst<T>, "expected a destination that is not const");
  static_assert(C != Cache::lastUse, "expected a cache policy of stores, got lastUse");
  static_assert(detail::accessible<T>, "expected an access of 1, 2, 4, 8 or 16 bytes");
  detail::storeGlobal(detail::Access::pointer(destination), &value, sizeof(value), site);
}
template <Cache C = Cache::all, class T>
SLUICE_DEVICE void storeGlobal(Global<T> destination, detail::Value<T> value, bool predicate,
                               Site site = Site::current()) {
  static_assert(!detail::isConst<T>, "expected a destination that is not const");
  static_assert(C != Cache::lastUse, "expected a cache policy of stores, got lastUse");
  static_assert(detail::accessible<T>, "expected an access of 1, 2, 4, 8 or 16 bytes");
  if (predicate)
    detail::storeGlobal(detail::Access::pointer(destination), &value, sizeof(value), site);
  else
    detail::skip(sluiceEmuGlobalWrite, sizeof(value), site);
}
template <Cache C = Cache::all, class T, int N>
SLUICE_DEVICE void storeGlobal(Global<T> destination, Vec<T, N> value, Site site = Site::current()) {
  static_assert(C != Cache::lastUse, "expected a cache policy of stores, got lastUse");
  detail::storeGlobal(detail::Access::pointer(destination), &value, sizeof(value), site);
}
template <Cache C = Cache::all, class T, int N>
SLUICE_DEVICE void storeGlobal(Global<T> destination, Vec<T, N> value, bool predicate,
                               Site site = Site::current()) {
  static_assert(C != Cache::lastUse, "expected a cache policy of stores, got lastUse");
  if (predicate)
    detail::storeGlobal(detail::Access::pointer(destination), &value, sizeof(value), site);
  else
    detail::skip(sluiceEmuGlobalWrite, sizeof(value), site);
}

template <int N = 1, class T>
SLUICE_DEVICE typename detail::Loaded<T, N>::type loadShared(Shared<T> source, Site site = Site::current()) {
  using Result = typename detail::Loaded<T, N>::type;
  static_assert(detail::accessible<Result>, "expected an access of 1, 2, 4, 8 or 16 bytes");
  Result result;
  detail::loadShared(&result, source.address(), sizeof(Result), site);
  return result;
}
template <int N = 1, class T>
SLUICE_DEVICE typename detail::Loaded<T, N>::type loadShared(Shared<T> source, bool predicate,
                                                             detail::Value<T> otherwise,
                                                             Site site = Site::current()) {
  using Result = typename detail::Loaded<T, N>::type;
  static_assert(detail::accessible<Result>, "expected an access of 1, 2, 4, 8 or 16 bytes");
  Result result;
  if (predicate) {
    detail::loadShared(&result, source.address(), sizeof(Result), site);
    return result;
  }
  detail::skip(sluiceEmuShared, sizeof(Result), site);
  return detail::filled<Result>(otherwise);
}
template <class T>
SLUICE_DEVICE void storeShared(Shared<T> destination, detail::Value<T> value, Site site = Site::current()) {
  static_assert(detail::accessible<T>, "expected an access of 1, 2, 4, 8 or 16 bytes");
  detail::storeShared(destination.address(), &value, sizeof(value), site);
}
template <class T>
SLUICE_DEVICE void storeShared(Shared<T> destination, detail::Value<T> value, bool predicate,
                               Site site = Site::current()) {
  static_assert(detail::accessible<T>, "expected an access of 1, 2, 4, 8 or 16 bytes");
  if (predicate)
    detail::storeShared(destination.address(), &value, sizeof(value), site);
  else
    detail::skip(sluiceEmuShared, sizeof(value), site);
}
template <class T, int N>
SLUICE_DEVICE void storeShared(Shared<T> destination, Vec<T, N> value, Site site = Site::current()) {
  detail::storeShared(destination.address(), &value, sizeof(value), site);
}
template <class T, int N>
SLUICE_DEVICE void storeShared(Shared<T> destination, Vec<T, N> value, bool predicate,
                               Site site = Site::current()) {
  if (predicate)
    detail::storeShared(destination.address(), &value, sizeof(value), site);
  else
    detail::skip(sluiceEmuShared, sizeof(value), site);
}

/// A hint that brings a line into L2; changes nothing that can be observed.
template <class T> SLUICE_DEVICE void prefetchLevel2(Global<T> source, Site site = Site::current()) {
  sluiceEmuPrefetch(detail::Access::pointer(source), site);
}

// Counters: words of global memory that blocks signal each other with.

template <Order O = Order::relaxed>
SLUICE_DEVICE u32 loadCounter(Global<const u32> counter, Site site = Site::current()) {
  static_assert(O == Order::relaxed || O == Order::acquire, "expected a relaxed or acquire load");
  return sluiceEmuLoadCounter(detail::Access::pointer(counter), int(O), site);
}
template <Order O = Order::relaxed>
SLUICE_DEVICE void storeCounter(Global<u32> counter, u32 value, Site site = Site::current()) {
  static_assert(O == Order::relaxed || O == Order::release, "expected a relaxed or release store");
  sluiceEmuStoreCounter(detail::Access::pointer(counter), value, int(O), site);
}
template <Order O = Order::relaxed>
SLUICE_DEVICE void addCounter(Global<u32> counter, u32 value, Site site = Site::current()) {
  static_assert(O == Order::relaxed || O == Order::release, "expected a relaxed or release addition");
  sluiceEmuAtomicGlobal(sluiceEmuAdd, detail::Access::pointer(counter), value, 0, 4, int(O), "addCounter", site);
}
/// Waits, with acquire, until the counter is at least `atLeast` (unsigned).
SLUICE_DEVICE void waitCounter(Global<const u32> counter, u32 atLeast, Site site = Site::current()) {
  sluiceEmuWaitCounter(detail::Access::pointer(counter), atLeast, site);
}

// Atomics: each returns what the memory held before.

#define SLUICE_EMU_ATOMIC(name, type, operation)                                                              \
  template <Order O = Order::relaxed>                                                                        \
  SLUICE_DEVICE type name(Global<type> target, type value, Site site = Site::current()) {                    \
    return type(sluiceEmuAtomicGlobal(operation, detail::Access::pointer(target), value, 0, sizeof(type), int(O), #name,    \
                                      site));                                                                \
  }
SLUICE_EMU_ATOMIC(atomicAdd, u32, sluiceEmuAdd)
SLUICE_EMU_ATOMIC(atomicAdd, u64, sluiceEmuAdd)
SLUICE_EMU_ATOMIC(atomicMin, u32, sluiceEmuMin)
SLUICE_EMU_ATOMIC(atomicMax, u32, sluiceEmuMax)
SLUICE_EMU_ATOMIC(atomicAnd, u32, sluiceEmuAnd)
SLUICE_EMU_ATOMIC(atomicOr, u32, sluiceEmuOr)
SLUICE_EMU_ATOMIC(atomicXor, u32, sluiceEmuXor)
SLUICE_EMU_ATOMIC(atomicExchange, u32, sluiceEmuExchange)
#undef SLUICE_EMU_ATOMIC

template <Order O = Order::relaxed>
SLUICE_DEVICE u32 atomicCompareExchange(Global<u32> target, u32 expected, u32 desired,
                                        Site site = Site::current()) {
  return u32(sluiceEmuAtomicGlobal(sluiceEmuCompareExchange, detail::Access::pointer(target), desired, expected, 4, int(O),
                                   "atomicCompareExchange", site));
}
/// Relaxed, at the scope of the block.
SLUICE_DEVICE u32 atomicAdd(Shared<u32> target, u32 value, Site site = Site::current()) {
  return u32(sluiceEmuAtomicShared(sluiceEmuAdd, target.address(), value, 4, site));
}

/// Orders the thread's memory accesses before and after it, for the block or for the whole device.
SLUICE_DEVICE void fenceBlock(Site site = Site::current()) { sluiceEmuFence(0, site); }
SLUICE_DEVICE void fenceDevice(Site site = Site::current()) { sluiceEmuFence(1, site); }

} // namespace sluice::device
