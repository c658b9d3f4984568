// Runs the hand-written kernels in the emulator.
#pragma once

#include "runtime/emulator/Emulator.h"
#include "test/gpukernels/GpuKernels.h"

#include <string>

namespace sluice::gpukernels {

struct EmulatedRun {
  emulator::Result result;
  Arrays after; ///< The arguments after the launch.
};

/// The shared object that holds a source's kernels; `variant` names one compiled with other definitions.
std::string sharedObjectOf(const KernelCase &one, const std::string &variant = "");

/// Allocates the arguments, launches and reads them back. The record may be another one than the case's.
EmulatedRun runEmulated(const emulator::Kernel &kernel, const LaunchRecord &record, const KernelCase &one,
                        const Sizes &sizes, const Arrays &arguments, const emulator::Options &options);
EmulatedRun runEmulated(const KernelCase &one, const Sizes &sizes, uint64_t inputSeed,
                        const emulator::Options &options);

/// All reports, a line each.
std::string reportText(const emulator::Result &result);

} // namespace sluice::gpukernels
