// Comparisons and measurements.
#include "tools/gpu/Parts.h"

#include "runtime/Error.h"
#include "runtime/cuda/Kernel.h"
#include "runtime/emulator/Emulator.h"
#include "test/layouts/TensorMapCases.h"
#include "tools/gpu/Compare.h"

#include <cstring>

namespace sluice::gpusuite {

namespace {

Row notRun(const std::string &name, const std::string &why) { return {name, "not run", "hardware: not run: " + why, {}}; }

/// The emulator of the chip that runs; another chip's numerics would differ where products are summed.
std::unique_ptr<Side> emulatorOf(const Suite &suite) {
  std::string chip = suite.hardware->chip();
  return makeEmulator(suite.bundle, {chip.empty() ? "hopper" : chip});
}

Row compareProbe(const Suite &suite, const Probe &probe, Side &emulator, uint64_t seed) {
  const KernelCase &one = probe.kernel;
  if (std::string why = suite.hardware->lacks(one); !why.empty())
    return notRun(one.name, why);
  Arrays before = one.makeArguments(one.small, seed);
  Difference difference =
      compareOutcomes(probe, before, *suite.hardware, suite.hardware->run(one, one.small, before), emulator,
                      emulator.run(one, one.small, before));
  Row row{one.name, difference.different == 0 ? "equal" : "differs", "", {}};
  row.detail = difference.different == 0 ? std::to_string(difference.elements) + " values"
                                         : std::to_string(difference.different) + " of " +
                                               std::to_string(difference.elements) + ": " + difference.first;
  return row;
}

/// On hardware against the reference, at every size.
std::string checkReferences(Side &hardware, const KernelCase &one) {
  for (const Sizes &sizes : one.sizes) {
    Arrays before = one.makeArguments(sizes, 2);
    Outcome outcome = hardware.run(one, sizes, before);
    std::string problem = outcome.problem.empty()
                              ? gpukernels::compare(one.reference(sizes, before), before, outcome.after)
                              : outcome.problem;
    if (!problem.empty())
      return gpukernels::toString(sizes) + ": " + problem;
  }
  return "";
}

double bytesOf(const Arrays &arrays) {
  double bytes = 0;
  for (const auto &[name, array] : arrays)
    bytes += static_cast<double>(array.bytes.size());
  return bytes;
}

} // namespace

std::vector<Row> comparePrimitives(const Suite &suite) {
  std::vector<Row> rows;
  auto emulator = suite.hardware ? emulatorOf(suite) : nullptr;
  for (const Probe &probe : probes())
    rows.push_back(suite.hardware ? compareProbe(suite, probe, *emulator, 1) : notRun(probe.kernel.name, suite.why));
  return rows;
}

std::vector<Row> compareKernels(const Suite &suite) {
  std::vector<Row> rows;
  auto emulator = suite.hardware ? emulatorOf(suite) : nullptr;
  for (const KernelCase &one : gpukernels::kernelCases()) {
    if (!suite.hardware) {
      rows.push_back(notRun(one.name, suite.why));
      continue;
    }
    Row row = compareProbe(suite, {one, Comparison::bits}, *emulator, 1);
    if (row.verdict == "equal")
      if (std::string problem = checkReferences(*suite.hardware, one); !problem.empty())
        row = {one.name, "differs", "from the reference: " + problem, {}};
    rows.push_back(row);
  }
  return rows;
}

std::vector<Row> compareMaps(const Suite &suite) {
  std::vector<Row> rows;
  // Nothing is copied: only the address counts, aligned as memory of the driver is.
  constexpr uint64_t memory = uint64_t{1} << 32;
  for (test::TensorMapCase one : test::tensorMapCases()) {
    if (!suite.hardware) {
      rows.push_back(notRun(one.name, suite.why));
      continue;
    }
    one.spec.base = reinterpret_cast<void *>(reinterpret_cast<uint64_t>(one.spec.base) + memory);
    std::string refusal;
    try {
      cuda::encodeTensorMap(suite.hardware->driver(), one.spec);
    } catch (const UserError &error) {
      refusal = error.what();
    }
    bool same = refusal.empty() == one.accepted;
    rows.push_back({one.name, same ? "equal" : "differs",
                    std::string("the emulator ") + (one.accepted ? "accepts" : "refuses") + ", the driver " +
                        (refusal.empty() ? "accepts" : "refuses: " + refusal),
                    {}});
  }
  return rows;
}

std::vector<Row> measureRates(const Suite &suite) {
  std::vector<Row> rows;
  for (const KernelCase &one : gpukernels::kernelCases()) {
    std::string why = suite.hardware ? suite.hardware->lacks(one) : suite.why;
    if (!why.empty()) {
      rows.push_back(notRun(one.name, why));
      continue;
    }
    Arrays arguments = one.makeArguments(one.large, 1);
    double ms = suite.hardware->milliseconds(one, one.large, arguments, 20, false);
    Row row{one.name, "measured", gpukernels::toString(one.large), {{"ms", ms}}};
    row.figures.push_back({"GB/s of arguments", bytesOf(arguments) / ms * 1e-6});
    if (one.large.count("m") && one.large.count("n") && one.large.count("k"))
      row.figures.push_back(
          {"TFLOP/s", 2e-9 * static_cast<double>(one.large.at("m") * one.large.at("n") * one.large.at("k")) / ms});
    rows.push_back(row);
  }
  return rows;
}

std::vector<Row> measureLatencies(const Suite &suite) {
  std::vector<Row> rows;
  for (const auto &[name, one] : latencies()) {
    std::string why = suite.hardware ? suite.hardware->lacks(one) : suite.why;
    if (!why.empty()) {
      rows.push_back(notRun(name, why));
      continue;
    }
    Arrays arguments = one.makeArguments(one.large, 1);
    Row row{name, "measured", "", {}};
    if (one.name == "latencyNothing") {
      row.figures = {{"ns", 1e6 * suite.hardware->milliseconds(one, one.large, arguments, 1000, false)},
                     {"ns in a graph", 1e6 * suite.hardware->milliseconds(one, one.large, arguments, 1000, true)}};
    } else {
      Sizes twice = one.large;
      twice["rounds"] *= 2;
      // The difference leaves launch and set-up out.
      double ms = suite.hardware->milliseconds(one, twice, arguments, 20, true) -
                  suite.hardware->milliseconds(one, one.large, arguments, 20, true);
      row.figures = {{"ns", 1e6 * ms / static_cast<double>(one.large.at("rounds"))}};
    }
    rows.push_back(row);
  }
  return rows;
}

std::vector<Row> countTraffic(const Suite &suite) {
  std::vector<Row> rows;
  for (const KernelCase &one : gpukernels::kernelCases()) {
    Arrays arguments = one.makeArguments(one.small, 1);
    emulator::Options options;
    options.count = true;
    emulator::Counters counters =
        launchOnEmulator(suite.bundle, one, one.small, arguments, options).counters;
    Row row{one.name, "not run", "hardware: not run: the profiler's figures are missing", {}};
    double read = 0, written = 0, loads = 0, stores = 0;
    for (const auto &[name, traffic] : counters.read)
      read += static_cast<double>(traffic.requested);
    for (const auto &[name, traffic] : counters.written)
      written += static_cast<double>(traffic.requested);
    for (const emulator::SharedLine &line : counters.shared)
      if (!line.model)
        (line.primitive.starts_with("st") ? stores : loads) += static_cast<double>(line.wavefronts);
    row.figures = {{"sectors read", read}, {"sectors written", written}, {"wavefronts loaded", loads},
                   {"wavefronts stored", stores}};
    rows.push_back(row);
  }
  return rows;
}

void runOnce(const Suite &suite, const std::string &name) {
  const KernelCase &one = gpukernels::kernelCase(name);
  Outcome outcome = suite.hardware->run(one, one.small, one.makeArguments(one.small, 1));
  if (!outcome.problem.empty())
    throw UserError(outcome.problem);
}

} // namespace sluice::gpusuite
