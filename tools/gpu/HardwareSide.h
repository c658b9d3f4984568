// Kernels on a GPU: compiled by NVRTC for its architecture, launched through the driver.
#pragma once

#include "tools/gpu/Sides.h"

#include <memory>
#include <string>
#include <vector>

namespace sluice::cuda {
class Driver;
}

namespace sluice::gpusuite {

class Hardware : public Side {
public:
  /// The first device. Null where there is none, with the reason in `why`.
  static std::unique_ptr<Hardware> open(const Bundle &bundle, std::string &why);

  /// Of the driver, and of the chip as the emulator calls it: "ampere", "hopper"; "" if it knows no such
  /// chip.
  virtual std::string driverVersion() const = 0;
  virtual std::string architecture() const = 0;
  virtual std::string chip() const = 0;
  virtual const cuda::Driver &driver() const = 0;

  /// Why this device cannot run the kernel at these sizes: another architecture, less shared memory in a
  /// block, or not all blocks of a launch whose blocks wait for each other are resident at once. "" if it
  /// can.
  virtual std::string lacks(const KernelCase &one, const Sizes &sizes) = 0;
  /// Compiles the kernels' sources on all cores; one that does not compile fails where it is run.
  virtual void compile(const std::vector<const KernelCase *> &kernels) = 0;
  /// Whether anything can still be launched: after a fault of a kernel nothing can.
  virtual bool works() = 0;

  /// Milliseconds of one launch: the mean over `launches` of them, one after the other, on a GPU that has
  /// been busy with them. In a graph they are recorded and handed over at once, so that the host's time per
  /// launch does not count.
  virtual double milliseconds(const KernelCase &one, const Sizes &sizes, const Arrays &arguments,
                              int launches, bool inGraph) = 0;
};

} // namespace sluice::gpusuite
