// Entry points and what a thread knows of its place in the grid: the emulator's side.
#pragma once

#include "codegen/cuda/device/emu/Abi.h"

namespace sluice::device {

struct TensorMap;

namespace detail {
template <class T> struct Unreferenced {
  using type = T;
};
template <class T> struct Unreferenced<T &> {
  using type = T;
};
/// Calls a kernel with arguments given as pointers, as cuLaunchKernel takes them.
template <class... Parameters> struct Invoke {
  static constexpr u32 count = sizeof...(Parameters);
  template <int... Is> static void call(void (*kernel)(Parameters...), void **arguments, Sequence<Is...>) {
    kernel(*static_cast<typename Unreferenced<Parameters>::type *>(arguments[Is])...);
  }
};
template <class... Parameters> constexpr u32 parameterCount(void (*)(Parameters...)) {
  return sizeof...(Parameters);
}
template <class... Parameters>
inline constexpr u32 sizesOf[] = {sizeof(typename Unreferenced<Parameters>::type)..., 0};
template <class... Parameters> constexpr const u32 *parameterBytes(void (*)(Parameters...)) {
  return sizesOf<Parameters...>;
}
template <class... Parameters> void invoke(void (*kernel)(Parameters...), void **arguments) {
  Invoke<Parameters...>::call(kernel, arguments, typename MakeSequence<sizeof...(Parameters)>::type{});
}
} // namespace detail

/// The thread's index in its block; blocks are one-dimensional.
SLUICE_DEVICE u32 threadIndex() { return sluiceEmuThread->thread; }
SLUICE_DEVICE u32 laneIndex() { return sluiceEmuThread->thread % 32; }
SLUICE_DEVICE u32 warpIndex() { return sluiceEmuThread->thread / 32; }
SLUICE_DEVICE u32 blockThreads() { return sluiceEmuThread->blockThreads; }
template <int Axis = 0> SLUICE_DEVICE u32 blockIndex() {
  static_assert(Axis >= 0 && Axis < 3, "expected an axis of the grid: 0, 1 or 2");
  return sluiceEmuThread->block[Axis];
}
template <int Axis = 0> SLUICE_DEVICE u32 gridBlocks() {
  static_assert(Axis >= 0 && Axis < 3, "expected an axis of the grid: 0, 1 or 2");
  return sluiceEmuThread->grid[Axis];
}

} // namespace sluice::device

#define SLUICE_KERNEL_RESIDENT(name, threads, blocksPerSm)                                                    \
  inline constexpr unsigned name##_threads = threads, name##_blocksPerSm = blocksPerSm;                      \
  extern "C" void name
#define SLUICE_KERNEL(name, threads) SLUICE_KERNEL_RESIDENT(name, threads, 1)

#define SLUICE_EXPORT(name)                                                                                   \
  static void name##_run(void **arguments) { sluice::device::detail::invoke(&name, arguments); }             \
  extern "C" __attribute__((visibility("default"), used)) const SluiceEmuKernel sluiceEmuKernel_##name = {   \
      sluiceEmuVersion, name##_threads, name##_blocksPerSm, sluice::device::detail::parameterCount(&name),   \
      &name##_run, sluice::device::detail::parameterBytes(&name)};

/// A tensor map as a parameter: the launcher's copy itself, since its address identifies it.
#define SLUICE_TENSOR_MAP(name) const sluice::device::TensorMap &name
