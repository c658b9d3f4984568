// The example of codegen/cuda/device/README.md: a kernel, its launch record, and all that can be done with
// both where there is no GPU.
//
// usage: device-example [--without TEXT] [--mutants]
// --without leaves out every line of the kernel that contains the text; --mutants alters every synchronising
// call. Exit code 1 if the kernel or a mutant is not as it should be.
#include "codegen/cuda/DeviceCompiler.h"
#include "codegen/cuda/HostCompiler.h"
#include "codegen/cuda/KernelRules.h"
#include "runtime/Error.h"
#include "runtime/LaunchRecord.h"
#include "runtime/emulator/Emulator.h"
#include "test/gpukernels/Mutants.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>

using namespace sluice;

namespace {

constexpr int64_t rows = 4, columns = 512;

/// Lines that are left out stay empty, so that the numbers of the others stay.
KernelSource readKernel(const std::string &without) {
  std::ifstream file(SLUICE_SOURCE_DIR "/test/example/reverse_rows.cu");
  KernelSource source{"reverse_rows.cu", "", {}};
  bool found = without.empty();
  for (std::string line; std::getline(file, line);) {
    const bool left = !without.empty() && line.find(without) != std::string::npos;
    source.text += (left ? "" : line) + "\n";
    found |= left;
  }
  if (!found)
    throw UserError("expected a text of reverse_rows.cu after --without, got " + without);
  return source;
}

LaunchRecord makeRecord() {
  LaunchRecord record;
  record.kernel = "reverse_rows";
  record.sizes = {"rows"};
  record.grid = {"rows", 1, 1};
  record.threads = 128;
  record.sharedBytes = 512 * 4;
  record.parameters = {
      {.name = "source", .shape = {"rows", 512}},
      {.name = "target", .direction = Direction::write, .shape = {"rows", 512}},
      {.name = "scale", .kind = ParameterRecord::Kind::value}};
  return record;
}

gpukernels::Outcome run(const emulator::Kernel &kernel, const emulator::Options &options) {
  emulator::Memory source(rows * columns * 4, "source"), target(rows * columns * 4, "target");
  auto *in = static_cast<float *>(source.data()), *out = static_cast<float *>(target.data());
  for (int64_t i = 0; i < rows * columns; ++i)
    in[i] = static_cast<float>(i);
  source.markWritten();
  LaunchInputs inputs;
  inputs.sizes = {{"rows", rows}};
  inputs.tensors = {{"source", source.tensor()}, {"target", target.tensor()}};
  inputs.values = {{"scale", 2}};
  gpukernels::Outcome outcome{emulator::launch(kernel, bindLaunch(makeRecord(), inputs), options)};
  for (int64_t i = 0; i < rows * columns; ++i)
    outcome.right &= out[i] == 2 * in[i / columns * columns + columns - 1 - i % columns];
  return outcome;
}

void printCounters(const emulator::Counters &counters) {
  auto print = [](const char *what, const std::map<std::string, emulator::Traffic> &traffic) {
    for (const auto &[name, one] : traffic)
      std::cout << what << " '" << name << "': " << one.requested << " sectors requested, "
                << one.distinctPerBlock << " distinct per block, " << one.distinctPerLaunch
                << " per launch\n";
  };
  print("reads of", counters.read);
  print("writes of", counters.written);
  for (const emulator::SharedLine &line : counters.shared)
    std::cout << line.file.substr(line.file.rfind('/') + 1) << ':' << line.line << ' ' << line.primitive
              << ": " << line.instructions << " instructions, " << line.wavefronts << " wavefronts, "
              << line.conflicts << " conflicts\n";
}

bool runOnce(const emulator::Kernel &kernel) {
  emulator::Options options;
  options.seed = 1;
  options.check = options.count = true;
  options.chip = emulator::Chip::hopper;
  const gpukernels::Outcome outcome = run(kernel, options);
  for (const emulator::Report &report : outcome.result.reports)
    std::cout << report.text() << '\n';
  std::cout << outcome.result.reportCount << " reports, results " << (outcome.right ? "right" : "wrong")
            << '\n';
  if (outcome.result.clean())
    printCounters(outcome.result.counters);
  return outcome.result.clean() && outcome.right;
}

bool runMutants(const emulator::Kernel &kernel) {
  emulator::Options options;
  options.check = true;
  const auto mutants = gpukernels::runMutants(
      "reverse_rows", [&](const emulator::Options &altered) { return run(kernel, altered); }, {}, options);
  std::cout << gpukernels::tableOf(mutants);
  return std::ranges::none_of(mutants, [](const gpukernels::Mutant &one) {
    return one.verdict == gpukernels::Mutant::Verdict::missed;
  });
}

/// Compiles for a GPU, through the gates; none is needed for that.
void printResources(const KernelSource &source, const std::string &architecture) {
  DeviceCode code = compileForDevice(source, architecture);
  checkGates(code, makeRecord());
  std::cout << architecture << ": " << code.kernels.at("reverse_rows").registers << " registers, no spills\n";
}

int runExample(const std::string &without, bool mutants) {
  const KernelSource source = readKernel(without);
  for (const RuleViolation &violation : checkKernelRules(source))
    throw UserError(violation.text());
  const EmulatedObject object = compileForEmulator(source);
  const emulator::Kernel kernel = emulator::Kernel::load(object.path, "reverse_rows");
  if (mutants)
    return runMutants(kernel) ? 0 : 1;
  if (!runOnce(kernel))
    return 1;
  for (const char *architecture : {"sm_80", "sm_90a"})
    printResources(source, architecture);
  return 0;
}

} // namespace

int main(int count, char **arguments) {
  try {
    std::string without;
    bool mutants = false;
    for (int i = 1; i < count; ++i) {
      const std::string option = arguments[i];
      mutants |= option == "--mutants";
      if (option == "--without" && i + 1 < count)
        without = arguments[++i];
      else if (option != "--mutants")
        throw UserError("expected --without TEXT or --mutants, got " + option);
    }
    return runExample(without, mutants);
  } catch (const UserError &error) {
    std::cerr << "device-example: " << error.what() << "\n";
    return 2;
  }
}
