// Barriers of warps and blocks, fences between the proxies, registers of a warpgroup: the emulator's side.
#pragma once

#include "codegen/cuda/device/emu/AbiAsync.h"

namespace sluice::device {

/// Block. What any thread wrote before is visible to all after.
SLUICE_DEVICE void syncThreads(Site site = Site::current()) {
  sluiceEmuBarrier(0, sluiceEmuThread->blockThreads, sluiceEmuSyncThreads, site);
}
/// `threads` of the block, whole warps: those that sync wait, those that arrive do not. Barriers are 1 to 15.
SLUICE_DEVICE void barrierSync(u32 id, u32 threads, Site site = Site::current()) {
  sluiceEmuBarrier(id, threads, sluiceEmuBarrierSync, site);
}
SLUICE_DEVICE void barrierArrive(u32 id, u32 threads, Site site = Site::current()) {
  sluiceEmuBarrier(id, threads, sluiceEmuBarrierArrive, site);
}
/// Warp. Orders the memory accesses of its lanes.
SLUICE_DEVICE void syncWarp(Site site = Site::current()) { sluiceEmuSyncWarp(site); }

/// Thread. Its earlier accesses to shared memory are ordered before later ones of the asynchronous proxy: TMA and bulk
/// copies, wgmma. fence.proxy.async.shared::cta.
SLUICE_DEVICE void fenceProxyAsyncShared(Site site = Site::current()) { sluiceEmuFenceProxyAsyncShared(site); }
/// The same on global memory. fence.proxy.async.global.
SLUICE_DEVICE void fenceProxyAsyncGlobal(Site site = Site::current()) { sluiceEmuFenceProxyAsyncGlobal(site); }
/// The same on all memory, peers' shared memory included. fence.proxy.async.
SLUICE_DEVICE void fenceProxyAsync(Site site = Site::current()) { sluiceEmuFenceProxyAsync(site); }

namespace detail {
template <int Registers> SLUICE_DEVICE constexpr void checkRegisters() {
  static_assert(Registers >= 24 && Registers <= 256 && Registers % 8 == 0,
                "expected a multiple of 8 registers from 24 to 256");
}
} // namespace detail

/// Warpgroup. Waits until the block has that many registers per thread to give. setmaxnreg.inc.sync.aligned.
template <int Registers> SLUICE_DEVICE void increaseRegisters(Site site = Site::current()) {
  detail::checkRegisters<Registers>();
  sluiceEmuIncreaseRegisters(Registers, site);
}
/// Warpgroup. Frees the registers above that number. setmaxnreg.dec.sync.aligned.
template <int Registers> SLUICE_DEVICE void decreaseRegisters(Site site = Site::current()) {
  detail::checkRegisters<Registers>();
  sluiceEmuDecreaseRegisters(Registers, site);
}

} // namespace sluice::device
