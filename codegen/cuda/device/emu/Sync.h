// Barriers of warps, groups of warps, blocks and clusters: the emulator's side.
#pragma once

#include "codegen/cuda/device/emu/Abi.h"

namespace sluice::device {

/// Block. What any thread wrote before is visible to all after.
SLUICE_DEVICE void syncThreads(Site site = Site::current()) {
  sluiceEmuBarrier(0, sluiceEmuThread->blockThreads, sluiceEmuSyncThreads, site);
}
/// `threads` of the block, whole warps: those that sync wait, those that arrive do not. Barriers are 0 to 15.
SLUICE_DEVICE void barrierSync(u32 id, u32 threads, Site site = Site::current()) {
  sluiceEmuBarrier(id, threads, sluiceEmuBarrierSync, site);
}
SLUICE_DEVICE void barrierArrive(u32 id, u32 threads, Site site = Site::current()) {
  sluiceEmuBarrier(id, threads, sluiceEmuBarrierArrive, site);
}
/// Warp. Orders the memory accesses of its lanes.
SLUICE_DEVICE void syncWarp(Site site = Site::current()) { sluiceEmuSyncWarp(site); }

} // namespace sluice::device
