// Device memory for the arguments of one launch, and the launch.
#include "test/gpukernels/EmulatedRun.h"

#include <cstring>
#include <memory>

namespace sluice::gpukernels {

std::string sharedObjectOf(const KernelCase &one, const std::string &variant) {
  std::string stem = one.source.substr(0, one.source.find('.'));
  return std::string(SLUICE_GPU_KERNELS_DIR) + "/" + stem + variant + ".so";
}

EmulatedRun runEmulated(const emulator::Kernel &kernel, const LaunchRecord &record, const KernelCase &one,
                        const Sizes &sizes, const Arrays &arguments, const emulator::Options &options) {
  LaunchInputs inputs;
  inputs.sizes = sizes;
  inputs.values = one.values;
  std::map<std::string, emulator::Memory> memories;
  for (const auto &[name, array] : arguments) {
    const emulator::Memory &memory =
        memories.emplace(name, emulator::Memory(array.bytes.size(), name)).first->second;
    std::memcpy(memory.data(), array.bytes.data(), array.bytes.size());
    if (array.input)
      memory.markWritten();
    inputs.tensors[name] = memory.tensor();
  }
  EmulatedRun run{emulator::launch(kernel, bindLaunch(record, inputs), options), arguments};
  for (auto &[name, array] : run.after)
    std::memcpy(array.bytes.data(), memories.at(name).data(), array.bytes.size());
  return run;
}

EmulatedRun runEmulated(const KernelCase &one, const Sizes &sizes, uint64_t inputSeed,
                        const emulator::Options &options) {
  return runEmulated(emulator::Kernel::load(sharedObjectOf(one), one.name), one.record, one, sizes,
                     one.makeArguments(sizes, inputSeed), options);
}

std::string reportText(const emulator::Result &result) {
  std::string text;
  for (const emulator::Report &report : result.reports)
    text += report.text() + "\n";
  return text;
}

} // namespace sluice::gpukernels
