// Launches one kernel of this folder on the emulator: arguments in the order of its parameters.
#pragma once

#include "runtime/emulator/Emulator.h"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace sluice::test {

class AsyncRun {
public:
  AsyncRun(const std::string &file, const std::string &entry, int64_t threads, int64_t sharedBytes)
      : file(std::string(SLUICE_KERNELS) + "/" + file) {
    record.kernel = entry;
    record.grid = {1, 1, 1};
    record.threads = threads;
    record.sharedBytes = sharedBytes;
  }

  AsyncRun &cluster(int64_t blocks) {
    record.grid[0] = blocks;
    record.cluster = {blocks, 1, 1};
    return *this;
  }
  /// A tensor that the kernel reads, or with `direction` writes, and starts with these elements.
  template <class T>
  AsyncRun &tensor(const std::string &name, DType dtype, const std::vector<T> &elements,
                   Direction direction = Direction::read) {
    ParameterRecord parameter = named(name, ParameterRecord::Kind::tensor, dtype, direction);
    parameter.shape = {static_cast<int64_t>(elements.size())};
    record.parameters.push_back(parameter);
    allocate(name, elements.data(), elements.size() * sizeof(T));
    return *this;
  }
  AsyncRun &word(const std::string &name, int64_t value) {
    ParameterRecord parameter = named(name, ParameterRecord::Kind::size, DType::u32, Direction::read);
    parameter.value = value;
    record.parameters.push_back(parameter);
    return *this;
  }
  /// A map over a tensor of those sizes without gaps, the innermost first.
  template <class T>
  AsyncRun &map(const std::string &name, DType dtype, const std::vector<T> &elements,
                std::vector<int64_t> dims, const std::vector<uint32_t> &box,
                TileSwizzle swizzle = TileSwizzle::none, Direction direction = Direction::read,
                bool fillNan = false) {
    ParameterRecord parameter = named(name, ParameterRecord::Kind::tensorMap, dtype, direction);
    parameter.map.argument = name;
    parameter.map.box = box;
    parameter.map.swizzle = swizzle;
    parameter.map.fillNan = fillNan;
    int64_t stride = 1;
    for (size_t i = 0; i < dims.size(); ++i) {
      parameter.map.dims.push_back(dims[i]);
      stride *= dims[i];
      if (i + 1 < dims.size())
        parameter.map.strides.push_back(stride);
    }
    record.parameters.push_back(parameter);
    allocate(name, elements.data(), elements.size() * sizeof(T));
    return *this;
  }
  AsyncRun &registers(uint32_t atLaunch) {
    record.registersAtLaunch = atLaunch;
    return *this;
  }

  emulator::Result launch(const emulator::Options &options) {
    return emulator::launch(emulator::Kernel::load(file, record.kernel), bindLaunch(record, inputs), options);
  }
  template <class T> std::vector<T> read(const std::string &name) const {
    for (const Argument &argument : arguments)
      if (argument.name == name) {
        std::vector<T> elements(argument.memory->bytes() / sizeof(T));
        std::memcpy(elements.data(), argument.memory->data(), elements.size() * sizeof(T));
        return elements;
      }
    return {};
  }

  LaunchRecord record;

private:
  struct Argument {
    std::string name;
    std::shared_ptr<emulator::Memory> memory; ///< Shared by copies of the run.
  };
  static ParameterRecord named(const std::string &name, ParameterRecord::Kind kind, DType dtype,
                               Direction direction) {
    ParameterRecord parameter;
    parameter.name = name;
    parameter.kind = kind;
    parameter.dtype = dtype;
    parameter.direction = direction;
    return parameter;
  }
  void allocate(const std::string &name, const void *data, uint64_t bytes) {
    auto memory = std::make_shared<emulator::Memory>(bytes, name);
    std::memcpy(memory->data(), data, bytes);
    memory->markWritten();
    inputs.tensors[name] = memory->tensor();
    arguments.push_back({name, memory});
  }

  std::string file;
  LaunchInputs inputs;
  std::vector<Argument> arguments;
};

/// Every order of completion with checks and counters on.
inline std::vector<emulator::Options> everyCompletion(uint64_t seeds) {
  using emulator::Completion;
  std::vector<emulator::Options> all;
  for (Completion completion : {Completion::lazy, Completion::eager, Completion::random})
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      emulator::Options options;
      options.completion = completion;
      options.seed = seed;
      options.check = true;
      options.count = seed % 2 == 0;
      all.push_back(options);
    }
  return all;
}

inline std::string textOf(const emulator::Result &result) {
  std::string text;
  for (const emulator::Report &report : result.reports)
    text += report.text() + "\n";
  return text;
}

} // namespace sluice::test
