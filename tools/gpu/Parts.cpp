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

Row notRun(const std::string &name, const std::string &why) {
  return {name, "not run", "hardware: not run: " + why, {}};
}

/// The emulator of the chip that runs; another chip's numerics would differ where products are summed.
std::shared_ptr<Side> emulatorOf(const Suite &suite) {
  if (!suite.hardware)
    return nullptr;
  std::string chip = suite.hardware->chip();
  return makeEmulator(suite.bundle, {chip.empty() ? "hopper" : chip});
}

/// Why the kernel cannot run; "" if it can.
std::string lackOf(const Suite &suite, const KernelCase &one, const Sizes &sizes) {
  return suite.hardware ? suite.hardware->lacks(one, sizes) : suite.why;
}

Row compareProbe(const Suite &suite, const Probe &probe, Side *emulator) {
  const KernelCase &one = probe.kernel;
  if (std::string why = lackOf(suite, one, one.small); !why.empty())
    return notRun(one.name, why);
  Arrays before = one.makeArguments(one.small, 1);
  Difference difference =
      compareOutcomes(probe, before, suite.hardware->run(one, one.small, before),
                      emulator->run(one, one.small, before));
  Row row{one.name, difference.different == 0 ? "equal" : "differs", "", {}};
  row.detail = difference.different == 0 ? std::to_string(difference.elements) + " values"
                                         : std::to_string(difference.different) + " of " +
                                               std::to_string(difference.elements) + ": " + difference.first;
  return row;
}

/// On hardware against the reference, at every size.
std::string checkReferences(Hardware &hardware, const KernelCase &one) {
  for (const Sizes &sizes : one.sizes) {
    if (!hardware.lacks(one, sizes).empty())
      continue;
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

Row compareKernel(const Suite &suite, const KernelCase &one, Side *emulator) {
  Row row = compareProbe(suite, {one, Comparison::bits}, emulator);
  if (row.verdict != "equal")
    return row;
  std::string problem = checkReferences(*suite.hardware, one);
  return problem.empty() ? row : Row{one.name, "differs", "from the reference: " + problem, {}};
}

Row compareMap(const Suite &suite, const test::TensorMapCase &one) {
  if (!suite.hardware)
    return notRun(one.name, suite.why);
  // Nothing is copied: only the address counts, aligned as memory of the driver is.
  constexpr uint64_t memory = uint64_t{1} << 32;
  TensorMapSpec spec = one.spec;
  spec.base = reinterpret_cast<void *>(reinterpret_cast<uint64_t>(spec.base) + memory);
  std::string refusal;
  try {
    cuda::encodeTensorMap(suite.hardware->driver(), spec);
  } catch (const UserError &error) {
    refusal = error.what();
  }
  bool same = refusal.empty() == one.accepted;
  return {one.name,
          same ? "equal" : "differs",
          std::string("the emulator ") + (one.accepted ? "accepts" : "refuses") + ", the driver " +
              (refusal.empty() ? "accepts" : "refuses: " + refusal),
          {}};
}

Row measureRate(const Suite &suite, const KernelCase &one) {
  if (std::string why = lackOf(suite, one, one.large); !why.empty())
    return notRun(one.name, why);
  Arrays arguments = one.makeArguments(one.large, 1);
  double ms = suite.hardware->milliseconds(one, one.large, arguments, 20, false);
  Row row{one.name, "measured", gpukernels::toString(one.large), {{"ms", ms}}};
  row.figures.push_back({"GB/s of arguments", bytesOf(arguments) / ms * 1e-6});
  auto size = [&](const char *name) {
    return one.large.count(name) ? static_cast<double>(one.large.at(name)) : 0;
  };
  if (double products = size("m") * size("n") * size("k"); products > 0)
    row.figures.push_back({"TFLOP/s", 2e-9 * products / ms});
  return row;
}

Row measureLatency(const Suite &suite, const Latency &latency) {
  const KernelCase &one = latency.kernel;
  if (std::string why = lackOf(suite, one, one.large); !why.empty())
    return notRun(latency.name, why);
  Arrays arguments = one.makeArguments(one.large, 1);
  auto milliseconds = [&](const Sizes &sizes, int launches, bool inGraph) {
    return suite.hardware->milliseconds(one, sizes, arguments, launches, inGraph);
  };
  if (one.name == "latencyNothing")
    return {latency.name,
            "measured",
            "",
            {{"ns", 1e6 * milliseconds(one.large, 1000, false)},
             {"ns in a graph", 1e6 * milliseconds(one.large, 1000, true)}}};
  Sizes twice = one.large;
  twice["rounds"] *= 2;
  // The difference leaves launch and set-up out.
  double ms = milliseconds(twice, 20, true) - milliseconds(one.large, 20, true);
  return {latency.name, "measured", "", {{"ns", 1e6 * ms / static_cast<double>(one.large.at("rounds"))}}};
}

Row countKernel(const Suite &suite, const KernelCase &one) {
  Arrays arguments = one.makeArguments(one.small, 1);
  emulator::Options options;
  options.count = true;
  emulator::Counters counters = launchOnEmulator(suite.bundle, one, one.small, arguments, options).counters;
  double read = 0, written = 0, loads = 0, stores = 0;
  for (const auto &[name, traffic] : counters.read)
    read += static_cast<double>(traffic.requested);
  for (const auto &[name, traffic] : counters.written)
    written += static_cast<double>(traffic.requested);
  for (const emulator::SharedLine &line : counters.shared)
    if (!line.model)
      (line.primitive.starts_with("st") ? stores : loads) += static_cast<double>(line.wavefronts);
  Row row = notRun(one.name, "the profiler's figures are missing");
  if (std::string why = lackOf(suite, one, one.small); !why.empty())
    row = notRun(one.name, why);
  row.figures = {{"sectors read", read},
                 {"sectors written", written},
                 {"wavefronts loaded", loads},
                 {"wavefronts stored", stores}};
  return row;
}

/// A task for each hand-written kernel.
Tasks forKernels(const std::function<Row(const KernelCase &)> &run) {
  Tasks tasks;
  for (const KernelCase &one : gpukernels::kernelCases())
    tasks.push_back({one.name, [run, &one] { return run(one); }, &one});
  return tasks;
}

} // namespace

Tasks comparePrimitives(const Suite &suite) {
  Tasks tasks;
  auto emulator = emulatorOf(suite);
  for (const Probe &probe : probes())
    tasks.push_back({probe.kernel.name, [&, emulator] { return compareProbe(suite, probe, emulator.get()); },
                     &probe.kernel});
  return tasks;
}

Tasks compareKernels(const Suite &suite) {
  auto emulator = emulatorOf(suite);
  return forKernels(
      [&, emulator](const KernelCase &one) { return compareKernel(suite, one, emulator.get()); });
}

Tasks compareMaps(const Suite &suite) {
  Tasks tasks;
  for (const test::TensorMapCase &one : test::tensorMapCases())
    tasks.push_back({one.name, [&suite, one] { return compareMap(suite, one); }});
  return tasks;
}

Tasks measureRates(const Suite &suite) {
  return forKernels([&](const KernelCase &one) { return measureRate(suite, one); });
}

Tasks measureLatencies(const Suite &suite) {
  Tasks tasks;
  for (const Latency &one : latencies())
    tasks.push_back({one.name, [&] { return measureLatency(suite, one); }, &one.kernel});
  return tasks;
}

Tasks countTraffic(const Suite &suite) {
  return forKernels([&](const KernelCase &one) { return countKernel(suite, one); });
}

const std::vector<std::pair<std::string, std::function<Tasks(const Suite &)>>> &parts() {
  static const std::vector<std::pair<std::string, std::function<Tasks(const Suite &)>>> list = {
      {"primitives", comparePrimitives}, {"maps", compareMaps},     {"kernels", compareKernels},
      {"latencies", measureLatencies},   {"traffic", countTraffic}, {"rates", measureRates}};
  return list;
}

Row runTask(const Task &task) {
  try {
    return task.run();
  } catch (const std::exception &error) {
    return {task.name, "differs", error.what(), {}};
  }
}

void runOnce(const Suite &suite, const std::string &name) {
  const KernelCase &one = gpukernels::kernelCase(name);
  Outcome outcome = suite.hardware->run(one, one.small, one.makeArguments(one.small, 1));
  if (!outcome.problem.empty())
    throw UserError(outcome.problem);
}

} // namespace sluice::gpusuite
