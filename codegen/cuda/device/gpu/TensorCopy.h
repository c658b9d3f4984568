// Tensor-map and bulk copies: one thread moves a whole box or a contiguous piece. The GPU's side, sm_90 and up.
#pragma once

#include "Cluster.h"

namespace sluice::device {

/// A tensor map as the driver encodes it: 128 opaque bytes.
struct alignas(64) TensorMap {
  u64 opaque[16];
};

#if SLUICE_HAS_SM90
namespace detail {
/// What L2 does with the lines of a copy, as the operand that the instruction takes.
template <Eviction E> SLUICE_DEVICE u64 evictionPolicy() {
  u64 policy;
  if constexpr (E == Eviction::first)
    asm("createpolicy.fractional.L2::evict_first.b64 %0;" : "=l"(policy));
  else if constexpr (E == Eviction::last)
    asm("createpolicy.fractional.L2::evict_last.b64 %0;" : "=l"(policy));
  else
    asm("createpolicy.fractional.L2::evict_unchanged.b64 %0;" : "=l"(policy));
  return policy;
}
SLUICE_DEVICE u64 addressOf(const TensorMap &map) { return reinterpret_cast<u64>(&map); }
} // namespace detail

// Each rank is spelled out: its coordinates' parameters, its PTX name, and its operands from %3 (%4 after a mask) on.
#define SLUICE_FOR_EACH_RANK(DEFINE)                                                                          \
  DEFINE((i32 c0), "1d", ("r"(c0)), "{%3}", "{%4}", "%4", "%5", "{%2}", "%3")                                 \
  DEFINE((i32 c0, i32 c1), "2d", ("r"(c0), "r"(c1)), "{%3, %4}", "{%4, %5}", "%5", "%6", "{%2, %3}", "%4")    \
  DEFINE((i32 c0, i32 c1, i32 c2), "3d", ("r"(c0), "r"(c1), "r"(c2)), "{%3, %4, %5}", "{%4, %5, %6}", "%6",   \
         "%7", "{%2, %3, %4}", "%5")                                                                          \
  DEFINE((i32 c0, i32 c1, i32 c2, i32 c3), "4d", ("r"(c0), "r"(c1), "r"(c2), "r"(c3)), "{%3, %4, %5, %6}",    \
         "{%4, %5, %6, %7}", "%7", "%8", "{%2, %3, %4, %5}", "%6")                                            \
  DEFINE((i32 c0, i32 c1, i32 c2, i32 c3, i32 c4), "5d", ("r"(c0), "r"(c1), "r"(c2), "r"(c3), "r"(c4)),       \
         "{%3, %4, %5, %6, %7}", "{%4, %5, %6, %7, %8}", "%8", "%9", "{%2, %3, %4, %5, %6}", "%7")
#define SLUICE_OPEN(...) __VA_ARGS__
#define SLUICE_TENSOR_LOAD(rank)                                                                              \
  "cp.async.bulk.tensor." rank ".shared::cluster.global.tile.mbarrier::complete_tx::bytes"

/// Thread. Loads the box at the coordinates (innermost first) into shared memory; elements outside the tensor are
/// filled. Complete for whoever waits for the phase of the barrier that counts the box's bytes. The destination is
/// aligned to 128 bytes. cp.async.bulk.tensor.shared::cluster.global.tile.mbarrier::complete_tx::bytes.
#define SLUICE_DEFINE(PARAMETERS, RANK, OPERANDS, LIST, MASKED_LIST, POLICY, MASKED_POLICY, STORE_LIST, STORE_POLICY) \
  template <Eviction E = Eviction::normal, class T>                                                           \
  SLUICE_DEVICE void tensorLoad(Shared<T> destination, const TensorMap &map, Mbarrier barrier,                \
                                SLUICE_OPEN PARAMETERS) {                                                     \
    u32 to = destination.address(), bar = barrier.address();                                                  \
    u64 from = detail::addressOf(map);                                                                        \
    if constexpr (E == Eviction::normal)                                                                      \
      asm volatile(SLUICE_TENSOR_LOAD(RANK) " [%0], [%1, " LIST "], [%2];"                                    \
                   ::"r"(to), "l"(from), "r"(bar), SLUICE_OPEN OPERANDS : "memory");                          \
    else                                                                                                      \
      asm volatile(SLUICE_TENSOR_LOAD(RANK) ".L2::cache_hint [%0], [%1, " LIST "], [%2], " POLICY ";"         \
                   ::"r"(to), "l"(from), "r"(bar), SLUICE_OPEN OPERANDS, "l"(detail::evictionPolicy<E>())     \
                   : "memory");                                                                               \
  }
SLUICE_FOR_EACH_RANK(SLUICE_DEFINE)
#undef SLUICE_DEFINE

/// Thread. tensorLoad into the same place of every block of the cluster whose bit is set in the mask; each block's
/// own barrier counts. .multicast::cluster.
#define SLUICE_DEFINE(PARAMETERS, RANK, OPERANDS, LIST, MASKED_LIST, POLICY, MASKED_POLICY, STORE_LIST, STORE_POLICY) \
  template <Eviction E = Eviction::normal, class T>                                                           \
  SLUICE_DEVICE void tensorLoadMulticast(Shared<T> destination, const TensorMap &map, Mbarrier barrier,       \
                                         u16 mask, SLUICE_OPEN PARAMETERS) {                                  \
    u32 to = destination.address(), bar = barrier.address();                                                  \
    u64 from = detail::addressOf(map);                                                                        \
    if constexpr (E == Eviction::normal)                                                                      \
      asm volatile(SLUICE_TENSOR_LOAD(RANK) ".multicast::cluster [%0], [%1, " MASKED_LIST "], [%2], %3;"      \
                   ::"r"(to), "l"(from), "r"(bar), "h"(mask), SLUICE_OPEN OPERANDS : "memory");               \
    else                                                                                                      \
      asm volatile(SLUICE_TENSOR_LOAD(RANK) ".multicast::cluster.L2::cache_hint [%0], [%1, " MASKED_LIST      \
                   "], [%2], %3, " MASKED_POLICY ";"                                                          \
                   ::"r"(to), "l"(from), "r"(bar), "h"(mask), SLUICE_OPEN OPERANDS,                           \
                   "l"(detail::evictionPolicy<E>()) : "memory");                                              \
  }
SLUICE_FOR_EACH_RANK(SLUICE_DEFINE)
#undef SLUICE_DEFINE

/// Thread. Stores a box from shared memory; elements outside the tensor are dropped. Reads through the asynchronous
/// proxy; tracked by bulk groups. cp.async.bulk.tensor.global.shared::cta.tile.bulk_group.
#define SLUICE_DEFINE(PARAMETERS, RANK, OPERANDS, LIST, MASKED_LIST, POLICY, MASKED_POLICY, STORE_LIST, STORE_POLICY) \
  template <Eviction E = Eviction::normal, class T>                                                           \
  SLUICE_DEVICE void tensorStore(const TensorMap &map, Shared<T> source, SLUICE_OPEN PARAMETERS) {            \
    u32 from = source.address();                                                                              \
    u64 to = detail::addressOf(map);                                                                          \
    if constexpr (E == Eviction::normal)                                                                      \
      asm volatile("cp.async.bulk.tensor." RANK ".global.shared::cta.tile.bulk_group [%0, " STORE_LIST        \
                   "], [%1];" ::"l"(to), "r"(from), SLUICE_OPEN OPERANDS : "memory");                         \
    else                                                                                                      \
      asm volatile("cp.async.bulk.tensor." RANK ".global.shared::cta.tile.bulk_group.L2::cache_hint [%0, "    \
                   STORE_LIST "], [%1], " STORE_POLICY ";"                                                    \
                   ::"l"(to), "r"(from), SLUICE_OPEN OPERANDS, "l"(detail::evictionPolicy<E>()) : "memory");  \
  }
SLUICE_FOR_EACH_RANK(SLUICE_DEFINE)
#undef SLUICE_DEFINE
#undef SLUICE_OPEN
#undef SLUICE_FOR_EACH_RANK
#undef SLUICE_TENSOR_LOAD

/// Thread. Brings the map into the cache. prefetch.tensormap.
SLUICE_DEVICE void prefetchTensorMap(const TensorMap &map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(detail::addressOf(map)) : "memory");
}

/// Thread. Loads contiguous bytes: addresses and count are multiples of 16. Completes on the barrier.
/// cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.
template <Eviction E = Eviction::normal, class T, class U>
SLUICE_DEVICE void bulkLoad(Shared<T> destination, Global<U> source, u32 bytes, Mbarrier barrier) {
  static_assert(detail::same<T, detail::Value<U>>, "expected the same type on both sides");
  u32 to = destination.address(), bar = barrier.address();
  u64 from = detail::Access::address(source);
  if constexpr (E == Eviction::normal)
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];"
                 ::"r"(to), "l"(from), "r"(bytes), "r"(bar) : "memory");
  else
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint "
                 "[%0], [%1], %2, [%3], %4;"
                 ::"r"(to), "l"(from), "r"(bytes), "r"(bar), "l"(detail::evictionPolicy<E>()) : "memory");
}
/// Thread. bulkLoad into the same place of every block whose bit is set in the mask; each block's own barrier counts.
template <Eviction E = Eviction::normal, class T, class U>
SLUICE_DEVICE void bulkLoadMulticast(Shared<T> destination, Global<U> source, u32 bytes, Mbarrier barrier, u16 mask) {
  static_assert(detail::same<T, detail::Value<U>>, "expected the same type on both sides");
  u32 to = destination.address(), bar = barrier.address();
  u64 from = detail::Access::address(source);
#define SLUICE_MULTICAST "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster"
  if constexpr (E == Eviction::normal)
    asm volatile(SLUICE_MULTICAST " [%0], [%1], %2, [%3], %4;"
                 ::"r"(to), "l"(from), "r"(bytes), "r"(bar), "h"(mask) : "memory");
  else
    asm volatile(SLUICE_MULTICAST ".L2::cache_hint [%0], [%1], %2, [%3], %4, %5;"
                 ::"r"(to), "l"(from), "r"(bytes), "r"(bar), "h"(mask), "l"(detail::evictionPolicy<E>()) : "memory");
#undef SLUICE_MULTICAST
}
/// Thread. Stores contiguous bytes; tracked by bulk groups. cp.async.bulk.global.shared::cta.bulk_group.
template <Eviction E = Eviction::normal, class T>
SLUICE_DEVICE void bulkStore(Global<T> destination, Shared<T> source, u32 bytes) {
  u64 to = detail::Access::address(destination);
  if constexpr (E == Eviction::normal)
    asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;"
                 ::"l"(to), "r"(source.address()), "r"(bytes) : "memory");
  else
    asm volatile("cp.async.bulk.global.shared::cta.bulk_group.L2::cache_hint [%0], [%1], %2, %3;"
                 ::"l"(to), "r"(source.address()), "r"(bytes), "l"(detail::evictionPolicy<E>()) : "memory");
}
/// Thread. Copies to a block of the cluster, whose barrier counts the bytes; that phase also says that the source
/// has been read. cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes.
template <class T>
SLUICE_DEVICE void bulkCopyToPeer(RemoteShared<T> destination, Shared<T> source, u32 bytes, RemoteMbarrier barrier) {
  asm volatile("cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];"
               ::"r"(destination.address()), "r"(source.address()), "r"(bytes), "r"(barrier.address()) : "memory");
}

/// Thread. Its stores since the last commit form a group. cp.async.bulk.commit_group.
SLUICE_DEVICE void bulkCommit() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }
/// Thread. Returns when at most Pending of its youngest groups are unfinished: the others' writes are visible to it.
/// cp.async.bulk.wait_group.
template <int Pending> SLUICE_DEVICE void bulkWait() {
  static_assert(Pending >= 0, "expected a number of groups");
  asm volatile("cp.async.bulk.wait_group %0;" ::"n"(Pending) : "memory");
}
/// Thread. As bulkWait, but only the sources are free again: nothing is said of what was written.
/// cp.async.bulk.wait_group.read.
template <int Pending> SLUICE_DEVICE void bulkWaitRead() {
  static_assert(Pending >= 0, "expected a number of groups");
  asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(Pending) : "memory");
}
#endif

} // namespace sluice::device
