// Calls from the kernels' header into the emulator: matrix units, asynchronous copies, mbarriers, clusters.
// Shared addresses are those of the block's shared window, or of a peer's, as mapShared returns them.
#pragma once

#include "codegen/cuda/device/emu/Abi.h"

namespace sluice::device {

/// What the emulator knows of registers that asynchronous products use: first member of the wgmma fragments.
struct AsyncRegisters {
  const u32 *fences; ///< How many wgmmaFence the warp has executed.
  u32 touchedAt = 0; ///< That number at the last touch by ordinary code.
  u32 inFlight = 0;  ///< Products that use these registers and have not been waited for.
};

/// Element types of matrix operands.
enum class MatrixKind : u32 { bf16, f16, tf32 };
template <class T> inline constexpr MatrixKind matrixKind = MatrixKind::bf16;
template <> inline constexpr MatrixKind matrixKind<f16> = MatrixKind::f16;
template <> inline constexpr MatrixKind matrixKind<tf32> = MatrixKind::tf32;

/// Set in a descriptor whose start or stride is no multiple of 16 bytes.
inline constexpr u64 descriptorLostBits = u64{1} << 47;

/// One wgmma as one thread issues it.
struct WgmmaCall {
  AsyncRegisters *accumulator;
  f32 *values;                ///< n / 2 of them.
  AsyncRegisters *aRegisters; ///< Null: A comes from shared memory.
  const u32 *aValues;
  u64 a, b; ///< Descriptors.
  u32 n;
  MatrixKind kind;
  Major majorA, majorB;
  bool negateA, negateB, accumulate;
};

/// A box of a tensor map.
struct TensorBox {
  const void *map;
  u32 rank;
  i32 coordinates[5];
};

extern "C" {
// mma.sync, ldmatrix, stmatrix: the warp together.
void sluiceEmuMma(MatrixKind kind, u32 k, f32 *d, const u32 *a, const u32 *b, Site site);
void sluiceEmuLdmatrix(u32 *registers, u32 address, u32 count, bool transposed, Site site);
void sluiceEmuStmatrix(const u32 *registers, u32 address, u32 count, bool transposed, Site site);

// cp.async
void sluiceEmuCpAsync(u32 destination, const void *source, u32 bytes, u32 sourceBytes, Site site);
void sluiceEmuCpAsyncCommit(Site site);
void sluiceEmuCpAsyncWait(u32 pending, Site site);
void sluiceEmuCpAsyncArrive(u32 barrier, Site site);

// mbarriers
void sluiceEmuMbarrierInit(u32 barrier, u32 count, Site site);
void sluiceEmuMbarrierInvalidate(u32 barrier, Site site);
void sluiceEmuMbarrierFenceInit(Site site);
void sluiceEmuMbarrierArrive(u32 barrier, u32 count, Site site);
void sluiceEmuMbarrierExpect(u32 barrier, u32 bytes, Site site);
void sluiceEmuMbarrierArriveExpect(u32 barrier, u32 bytes, Site site);
void sluiceEmuMbarrierWait(u32 barrier, u32 parity, Site site);
void sluiceEmuMbarrierWaitCluster(u32 barrier, u32 parity, Site site);
bool sluiceEmuMbarrierTest(u32 barrier, u32 parity, Site site);

// Tensor and bulk copies. A mask of blocks makes a load a multicast.
void sluiceEmuTensorLoad(u32 destination, const TensorBox *box, u32 barrier, Site site);
void sluiceEmuTensorLoadMulticast(u32 destination, const TensorBox *box, u32 barrier, u32 mask, Site site);
void sluiceEmuTensorStore(const TensorBox *box, u32 source, Site site);
void sluiceEmuPrefetchTensorMap(const void *map, Site site);
void sluiceEmuBulkLoad(u32 destination, const void *source, u32 bytes, u32 barrier, Site site);
void sluiceEmuBulkLoadMulticast(u32 destination, const void *source, u32 bytes, u32 barrier, u32 mask,
                                Site site);
void sluiceEmuBulkStore(void *destination, u32 source, u32 bytes, Site site);
void sluiceEmuBulkCopyToPeer(u32 destination, u32 source, u32 bytes, u32 barrier, Site site);
void sluiceEmuBulkCommit(Site site);
void sluiceEmuBulkWait(u32 pending, Site site);
void sluiceEmuBulkWaitRead(u32 pending, Site site);

// wgmma: every warp of the warpgroup.
const u32 *sluiceEmuWgmmaFences();
void sluiceEmuWgmma(const WgmmaCall *call, Site site);
void sluiceEmuWgmmaFence(Site site);
void sluiceEmuWgmmaCommit(Site site);
void sluiceEmuWgmmaWait(u32 pending, Site site);
/// The registers are touched, or vanish, while a product owns them.
void sluiceEmuWgmmaTouched(AsyncRegisters *registers, Site site);
void sluiceEmuWgmmaVanished(AsyncRegisters *registers);

// setmaxnreg and proxy fences
void sluiceEmuIncreaseRegisters(u32 registers, Site site);
void sluiceEmuDecreaseRegisters(u32 registers, Site site);
void sluiceEmuFenceProxyAsyncShared(Site site);
void sluiceEmuFenceProxyAsyncGlobal(Site site);
void sluiceEmuFenceProxyAsync(Site site);

// Shared memory of other blocks of the cluster
u32 sluiceEmuMapShared(u32 address, u32 rank, Site site);
void sluiceEmuLoadRemote(void *value, u32 address, u32 bytes, Site site);
void sluiceEmuStoreRemote(u32 address, const void *value, u32 bytes, Site site);
void sluiceEmuStoreAsync(u32 address, const void *value, u32 bytes, u32 barrier, Site site);
void sluiceEmuMbarrierArriveRemote(u32 barrier, u32 count, Site site);
void sluiceEmuMbarrierExpectRemote(u32 barrier, u32 bytes, Site site);
}

} // namespace sluice::device
