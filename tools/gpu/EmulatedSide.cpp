// Kernels on the emulator.
#include "tools/gpu/Sides.h"

#include "runtime/Error.h"
#include "runtime/Files.h"
#include "runtime/emulator/Emulator.h"

#include <cstring>
#include <filesystem>
#include <map>
#include <sstream>

namespace sluice::gpusuite {

namespace {

emulator::Chip chipOf(const std::string &name) {
  if (name == "ampere")
    return emulator::Chip::ampere;
  if (name == "hopper")
    return emulator::Chip::hopper;
  if (name == "exact")
    return emulator::Chip::exact;
  throw UserError("expected the chip ampere, hopper or exact, got '" + name + "'");
}

} // namespace

emulator::Result launchOnEmulator(const Bundle &bundle, const KernelCase &one, const Sizes &sizes,
                                  Arrays &arrays, const emulator::Options &options) {
  LaunchInputs inputs;
  inputs.sizes = sizes;
  inputs.values = one.values;
  std::map<std::string, emulator::Memory> memories;
  for (const auto &[name, array] : arrays) {
    const auto &memory = memories.emplace(name, emulator::Memory(array.bytes.size(), name)).first->second;
    std::memcpy(memory.data(), array.bytes.data(), array.bytes.size());
    if (array.input)
      memory.markWritten();
    inputs.tensors[name] = memory.tensor();
  }
  const emulator::Kernel kernel = emulator::Kernel::load(bundle.object(one.source), one.record.kernel);
  emulator::Result result = emulator::launch(kernel, bindLaunch(one.record, inputs), options);
  for (auto &[name, array] : arrays)
    std::memcpy(array.bytes.data(), memories.at(name).data(), array.bytes.size());
  return result;
}

namespace {

class EmulatedSide : public Side {
public:
  EmulatedSide(const Bundle &bundle, const EmulatorChoice &choice) : bundle(bundle), choice(choice) {
    options.chip = chipOf(choice.chip);
    options.check = choice.check;
    options.seed = choice.seed;
  }
  std::string name() const override { return "emulator (" + choice.chip + ")"; }

  Outcome run(const KernelCase &one, const Sizes &sizes, const Arrays &arguments) override {
    Outcome outcome{name(), arguments, ""};
    emulator::Result result = launchOnEmulator(bundle, one, sizes, outcome.after, options);
    if (!result.clean())
      outcome.problem = result.reports.front().text();
    return outcome;
  }

private:
  Bundle bundle;
  EmulatorChoice choice;
  emulator::Options options;
};

} // namespace

std::string Bundle::source(const std::string &file) const {
  std::istringstream lines(readFile(folder + "/sources/" + file));
  std::string text;
  int number = 0;
  for (std::string line; std::getline(lines, line); text += line + "\n") {
    ++number;
    std::string own = line.starts_with("#include \"") ? line.substr(10, line.size() - 11) : "";
    if (std::string path = folder + "/sources/" + own; !own.empty() && std::filesystem::is_regular_file(path))
      line = "#line 1 \"" + own + "\"\n" + readFile(path) + "#line " + std::to_string(number + 1) + " \"" +
             file + "\"";
  }
  return text;
}

std::string Bundle::object(const std::string &file) const {
  return folder + "/kernels/" + std::filesystem::path(file).stem().string() + ".so";
}

std::unique_ptr<Side> makeEmulator(const Bundle &bundle, const EmulatorChoice &choice) {
  return std::make_unique<EmulatedSide>(bundle, choice);
}

} // namespace sluice::gpusuite
