// Entry points and what a thread knows of its place in the grid: the GPU's side.
#pragma once

#include "codegen/cuda/device/Operands.h"

// Primitives that an architecture lacks are not declared for it, so that their use fails in the front end. nvcc's pass
// for the host sees them all.
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
#define SLUICE_HAS_SM90 1
#else
#define SLUICE_HAS_SM90 0
#endif
#if !defined(__CUDA_ARCH__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define SLUICE_HAS_SM90A 1
#else
#define SLUICE_HAS_SM90A 0
#endif

// With SLUICE_ONE_ENTRY only the entry point becomes code for which SLUICE_ENTRY_<name> is defined as SLUICE_CHOSEN: the
// others are templates that nobody instantiates.
#ifdef SLUICE_ONE_ENTRY
#define SLUICE_CHOSEN ~, extern "C"
#define SLUICE_SECOND(first, second, ...) second
#define SLUICE_CHOOSE(...) SLUICE_SECOND(__VA_ARGS__)
#define SLUICE_LINKAGE(name) SLUICE_CHOOSE(SLUICE_ENTRY_##name, template <class = void>, ~)
#else
#define SLUICE_LINKAGE(name) extern "C"
#endif

/// An entry point of at most `threads` threads, a block by itself on its multiprocessor: SLUICE_KERNEL(name, threads)
/// (parameters) { body }. Without the 1, ptxas ignores setmaxnreg.
#define SLUICE_KERNEL(name, threads) SLUICE_LINKAGE(name) __global__ void __launch_bounds__(threads, 1) name
/// The same with `blocksPerSm` blocks at once on a multiprocessor, which the launch record then states too.
#define SLUICE_KERNEL_RESIDENT(name, threads, blocksPerSm)                                                    \
  SLUICE_LINKAGE(name) __global__ void __launch_bounds__(threads, blocksPerSm) name
/// Follows the body; the emulator finds the entry point by it.
#define SLUICE_EXPORT(name)
/// A tensor map as a parameter. Only as a grid constant has it an address that copies can be given.
#define SLUICE_TENSOR_MAP(name) const __grid_constant__ sluice::device::TensorMap name

namespace sluice::device {

/// The thread's index in its block; blocks are one-dimensional. %tid.x.
SLUICE_DEVICE u32 threadIndex() { return threadIdx.x; }
SLUICE_DEVICE u32 laneIndex() { return threadIdx.x % 32; }
SLUICE_DEVICE u32 warpIndex() { return threadIdx.x / 32; }
/// %ntid.x.
SLUICE_DEVICE u32 blockThreads() { return blockDim.x; }

/// %ctaid.
template <int Axis = 0> SLUICE_DEVICE u32 blockIndex() {
  static_assert(Axis >= 0 && Axis < 3, "expected an axis of the grid: 0, 1 or 2");
  return Axis == 0 ? blockIdx.x : Axis == 1 ? blockIdx.y : blockIdx.z;
}
/// %nctaid.
template <int Axis = 0> SLUICE_DEVICE u32 gridBlocks() {
  static_assert(Axis >= 0 && Axis < 3, "expected an axis of the grid: 0, 1 or 2");
  return Axis == 0 ? gridDim.x : Axis == 1 ? gridDim.y : gridDim.z;
}

} // namespace sluice::device
