// Runs one kernel of core.cu on the emulator.
#pragma once

#include "runtime/Error.h"
#include "runtime/emulator/Emulator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <numeric>

namespace sluice::emulator {

/// The line of core.cu that carries the mark.
inline uint32_t lineOf(const std::string &mark) {
  std::ifstream file(SLUICE_SOURCE_DIR "/test/emulator/core.cu");
  std::string line, wanted = "// " + mark;
  for (uint32_t number = 1; std::getline(file, line); ++number)
    if (line.ends_with(wanted))
      return number;
  ADD_FAILURE() << "no line of core.cu is marked " << mark;
  return 0;
}

inline std::string placeOfLine(const std::string &mark) { return "core.cu:" + std::to_string(lineOf(mark)); }

struct Shape {
  std::string kernel;
  uint32_t blocks = 1, threads = 128;
  bool cooperative = false;
  uint64_t resident = 0;
  Direction counter = Direction::readWrite;
  uint32_t blocksPerSm = 1;
};

class Core : public testing::Test {
protected:
  Core() : in(512, "in"), out(16384, "out"), counters(4096, "counters") {
    auto *values = static_cast<float *>(in.data());
    std::iota(values, values + 128, 1.0f);
    in.markWritten();
    options.check = true;
  }

  Result run(const Shape &shape) {
    std::memset(counters.data(), 0, counters.bytes());
    counters.markWritten();
    out.markUndefined();
    BoundLaunch bound;
    bound.kernel = shape.kernel;
    bound.grid = {shape.blocks, 1, 1};
    bound.threads = shape.threads;
    bound.blocksPerSm = shape.blocksPerSm;
    bound.sharedBytes = 1024;
    bound.residency = shape.cooperative ? Residency::cooperative : Residency::independent;
    bound.residentBlocks = shape.resident;
    bound.parameters = {pointer("in", in, Direction::read), pointer("out", out, Direction::write),
                        pointer("counter", counters, shape.counter)};
    return launch(Kernel::load(SLUICE_KERNELS "/core.so", shape.kernel), bound, options);
  }

  /// The only report.
  Report mistake(const Shape &shape) {
    Result result = run(shape);
    EXPECT_EQ(result.reports.size(), 1u) << (result.reports.empty() ? "" : result.reports.back().text());
    return result.reports.empty() ? Report() : result.reports.front();
  }

  uint32_t counterAt(int index) const { return static_cast<const uint32_t *>(counters.data())[index]; }
  float outAt(int index) const { return static_cast<const float *>(out.data())[index]; }

  static BoundParameter pointer(const char *name, const Memory &memory, Direction direction) {
    BoundParameter parameter;
    parameter.name = name;
    parameter.direction = direction;
    void *data = memory.data();
    std::memcpy(parameter.bytes.data(), &data, sizeof data);
    return parameter;
  }

  Memory in, out, counters;
  Options options;
};

} // namespace sluice::emulator
