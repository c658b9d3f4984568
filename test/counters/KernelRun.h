// Runs one kernel of this folder on the emulator with the counters on, and insists that the figures depend
// neither on the order of threads nor on how many of the host's threads run blocks.
#pragma once

#include "runtime/emulator/Emulator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <list>

namespace sluice::test {

struct KernelRun {
  LaunchRecord record;
  LaunchInputs inputs;
  std::string file;
  std::list<emulator::Memory> memories;

  /// `file` lies in the folder of the kernels that CMake builds.
  KernelRun(const std::string &file, const std::string &entry)
      : file(std::string(SLUICE_KERNELS) + "/" + file) {
    record.kernel = entry;
    record.grid = {1, 1, 1};
  }

  /// A tensor of zeros whose first `offset` elements the kernel does not get to see.
  KernelRun &tensor(const std::string &name, DType dtype, Direction direction, int64_t elements,
                    int64_t offset = 0) {
    allocate(name, elements * sizeOf(dtype));
    ParameterRecord parameter;
    parameter.name = name;
    parameter.dtype = dtype;
    parameter.direction = direction;
    parameter.shape = {elements - offset};
    parameter.offset = offset;
    record.parameters.push_back(parameter);
    return *this;
  }

  KernelRun &size(const std::string &name, int64_t value, DType dtype = DType::i64) {
    ParameterRecord parameter;
    parameter.name = name;
    parameter.kind = ParameterRecord::Kind::size;
    parameter.dtype = dtype;
    parameter.value = value;
    record.parameters.push_back(parameter);
    return *this;
  }
  KernelRun &word(const std::string &name, int64_t value) { return size(name, value, DType::u32); }

  /// Rows, or pages of them, seen through a tensor map with the 128-byte swizzle; dims and box begin with the
  /// columns.
  KernelRun &map(const std::string &name, DType dtype, Direction direction, std::vector<int64_t> dims,
                 int64_t pitch, std::vector<uint32_t> box) {
    int64_t rows = 1;
    for (size_t axis = 1; axis < dims.size(); ++axis)
      rows *= dims[axis];
    allocate(name, rows * pitch * sizeOf(dtype));
    ParameterRecord parameter;
    parameter.name = name;
    parameter.kind = ParameterRecord::Kind::tensorMap;
    parameter.dtype = dtype;
    parameter.direction = direction;
    parameter.map.argument = name;
    for (size_t axis = 0; axis < dims.size(); ++axis)
      parameter.map.dims.push_back(dims[axis]);
    for (size_t axis = 1; axis < dims.size(); pitch *= dims[axis++])
      parameter.map.strides.push_back(pitch);
    parameter.map.box = std::move(box);
    parameter.map.swizzle = TileSwizzle::bytes128;
    record.parameters.push_back(parameter);
    return *this;
  }

  emulator::Counters counters() {
    emulator::Kernel kernel = emulator::Kernel::load(file, record.kernel);
    emulator::Counters first = once(kernel, 1, 1);
    for (uint64_t seed : {2, 3})
      EXPECT_TRUE(same(first, once(kernel, seed, static_cast<int>(seed)))) << "seed " << seed;
    return first;
  }

private:
  void allocate(const std::string &name, int64_t bytes) {
    emulator::Memory &memory = memories.emplace_back(bytes, name);
    std::memset(memory.data(), 0, bytes);
    memory.markWritten();
    inputs.tensors[name] = memory.tensor();
  }

  emulator::Counters once(const emulator::Kernel &kernel, uint64_t seed, int threads) {
    emulator::Options options;
    options.seed = seed;
    options.threads = threads;
    options.count = true;
    options.check = seed == 3;
    emulator::Result result = emulator::launch(kernel, bindLaunch(record, inputs), options);
    for (const emulator::Report &report : result.reports)
      ADD_FAILURE() << report.text();
    return result.counters;
  }

  static bool same(const emulator::Traffic &a, const emulator::Traffic &b) {
    return a.requested == b.requested && a.distinctPerBlock == b.distinctPerBlock &&
           a.distinctPerLaunch == b.distinctPerLaunch;
  }
  using ByName = std::map<std::string, emulator::Traffic>;
  static bool same(const ByName &a, const ByName &b) {
    return std::ranges::equal(
        a, b, [](auto &x, auto &y) { return x.first == y.first && same(x.second, y.second); });
  }
  static bool same(const emulator::Counters &a, const emulator::Counters &b) {
    auto line = [](const emulator::SharedLine &x, const emulator::SharedLine &y) {
      return x.file == y.file && x.line == y.line && x.primitive == y.primitive &&
             x.instructions == y.instructions && x.wavefronts == y.wavefronts && x.conflicts == y.conflicts &&
             x.model == y.model;
    };
    return same(a.read, b.read) && same(a.written, b.written) && a.tensorFlops == b.tensorFlops &&
           a.barriers == b.barriers && std::ranges::equal(a.shared, b.shared, line);
  }
};

} // namespace sluice::test
