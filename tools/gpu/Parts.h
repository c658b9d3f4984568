// The parts of the suite, as tasks that give a row each; without hardware every row says so, and nothing is
// compared.
#pragma once

#include "tools/gpu/HardwareSide.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::gpusuite {

struct Row {
  std::string name;
  std::string verdict; ///< "equal", "differs", "measured", "not run".
  std::string detail;
  std::vector<std::pair<std::string, double>> figures;
};

struct Suite {
  Bundle bundle;
  Hardware *hardware = nullptr;
  std::string why; ///< There is no hardware.
};

/// One row to be. A failure throws. `suite` and the part outlive it.
struct Task {
  std::string name;
  std::function<Row()> run;
  const KernelCase *kernel = nullptr; ///< What has to be compiled for it.
};
using Tasks = std::vector<Task>;

/// Every primitive, bit for bit.
Tasks comparePrimitives(const Suite &suite);
/// The hand-written kernels: bit for bit with the emulator, and against their references.
Tasks compareKernels(const Suite &suite);
/// Which tensor maps the driver accepts.
Tasks compareMaps(const Suite &suite);
/// Rates of copies and products.
Tasks measureRates(const Suite &suite);
/// Nanoseconds per step.
Tasks measureLatencies(const Suite &suite);
/// What the emulator counts for each hand-written kernel at its small sizes; the profiler's figures are added
/// by tools/gpu-suite, which runs `runOnce` under it.
Tasks countTraffic(const Suite &suite);
/// Launches one hand-written kernel once at its small sizes.
void runOnce(const Suite &suite, const std::string &kernel);

/// "primitives", "kernels", ...
const std::vector<std::pair<std::string, std::function<Tasks(const Suite &)>>> &parts();

/// The row of a task; a failure is a difference.
Row runTask(const Task &task);

} // namespace sluice::gpusuite
