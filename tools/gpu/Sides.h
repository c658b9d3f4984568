// The two sides that run kernels: a GPU, and the emulator.
#pragma once

#include "tools/gpu/Probes.h"

#include "runtime/emulator/Emulator.h"

#include <memory>
#include <string>

namespace sluice::gpusuite {

/// What a kernel left in its arguments.
struct Outcome {
  std::string side; ///< Name of the side that ran it.
  Arrays after;
  std::string problem; ///< A report of the emulator, or a failure: one line.
};

class Side {
public:
  virtual ~Side() = default;
  /// "NVIDIA H200", "emulator (hopper)".
  virtual std::string name() const = 0;
  virtual Outcome run(const KernelCase &one, const Sizes &sizes, const Arrays &arguments) = 0;
};

/// Where things lie: sources of kernels, and their objects for the emulator.
struct Bundle {
  std::string folder;
  /// The text of a source by its file name, with the headers that lie beside it in their places. Throws
  /// UserError.
  std::string source(const std::string &file) const;
  std::string object(const std::string &file) const;
};

/// An emulator of the numerics of one chip ("ampere", "hopper" or "exact").
struct EmulatorChoice {
  std::string chip = "hopper";
  bool check = true;
  uint64_t seed = 1;
};
std::unique_ptr<Side> makeEmulator(const Bundle &bundle, const EmulatorChoice &choice);
/// Runs the kernel on the arrays.
emulator::Result launchOnEmulator(const Bundle &bundle, const KernelCase &one, const Sizes &sizes,
                                  Arrays &arrays, const emulator::Options &options);

} // namespace sluice::gpusuite
