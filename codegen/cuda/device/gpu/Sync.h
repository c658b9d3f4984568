// Barriers of warps and blocks, fences between the proxies, registers of a warpgroup: the GPU's side.
#pragma once

#include "Kernel.h"

namespace sluice::device {

/// Block. What any thread wrote before is visible to all after. barrier.sync.aligned 0.
SLUICE_DEVICE void syncThreads() { __syncthreads(); }
/// `threads` of the block, whole warps: waits for all of them. Barriers are 1 to 15. barrier.sync.aligned.
SLUICE_DEVICE void barrierSync(u32 id, u32 threads) {
  asm volatile("barrier.sync.aligned %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
/// The same without waiting: orders this thread's earlier accesses before what follows the barrier elsewhere.
/// barrier.arrive.aligned.
SLUICE_DEVICE void barrierArrive(u32 id, u32 threads) {
  asm volatile("barrier.arrive.aligned %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
/// Warp. Orders the memory accesses of its lanes. bar.warp.sync.
SLUICE_DEVICE void syncWarp() { __syncwarp(); }

#if SLUICE_HAS_SM90
/// Thread. Its earlier accesses to shared memory are ordered before later ones of the asynchronous proxy: TMA and bulk
/// copies, wgmma. fence.proxy.async.shared::cta.
SLUICE_DEVICE void fenceProxyAsyncShared() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
/// The same on global memory. fence.proxy.async.global.
SLUICE_DEVICE void fenceProxyAsyncGlobal() { asm volatile("fence.proxy.async.global;" ::: "memory"); }
/// The same on all memory, peers' shared memory included. fence.proxy.async.
SLUICE_DEVICE void fenceProxyAsync() { asm volatile("fence.proxy.async;" ::: "memory"); }
#endif

#if SLUICE_HAS_SM90A
namespace detail {
template <int Registers> SLUICE_DEVICE constexpr void checkRegisters() {
  static_assert(Registers >= 24 && Registers <= 256 && Registers % 8 == 0,
                "expected a multiple of 8 registers from 24 to 256");
}
} // namespace detail

/// Warpgroup. Waits until the block has that many registers per thread to give. setmaxnreg.inc.sync.aligned.
template <int Registers> SLUICE_DEVICE void increaseRegisters() {
  detail::checkRegisters<Registers>();
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(Registers));
}
/// Warpgroup. Frees the registers above that number. setmaxnreg.dec.sync.aligned.
template <int Registers> SLUICE_DEVICE void decreaseRegisters() {
  detail::checkRegisters<Registers>();
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(Registers));
}
#endif

} // namespace sluice::device
