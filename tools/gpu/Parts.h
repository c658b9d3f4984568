// The parts of the suite. Each returns rows; without hardware every row says so, and nothing is compared.
#pragma once

#include "tools/gpu/HardwareSide.h"

#include <string>
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

/// Every primitive, bit for bit.
std::vector<Row> comparePrimitives(const Suite &suite);
/// The hand-written kernels: bit for bit with the emulator, and against their references.
std::vector<Row> compareKernels(const Suite &suite);
/// Which tensor maps the driver accepts.
std::vector<Row> compareMaps(const Suite &suite);
/// Rates of copies and products.
std::vector<Row> measureRates(const Suite &suite);
/// Nanoseconds per step.
std::vector<Row> measureLatencies(const Suite &suite);
/// What the emulator counts for each hand-written kernel at its small sizes; the profiler's figures are added by
/// tools/gpu-suite, which runs `runOnce` under it.
std::vector<Row> countTraffic(const Suite &suite);
/// Launches one hand-written kernel once at its small sizes.
void runOnce(const Suite &suite, const std::string &kernel);

} // namespace sluice::gpusuite
