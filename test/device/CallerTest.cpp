// Who calls a primitive is what the table says: the emulator reports the lane that a collective lacks, and no
// other primitive misses it.
#include "test/async/AsyncRun.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <fstream>
#include <set>

namespace sluice {
namespace {

using emulator::Report;

/// The parameters of the kernels that uses.py writes.
emulator::Result launch(const std::string &kernel) {
  test::AsyncRun run("callers.so", kernel, 128, 16384);
  std::vector<float> floats(4096, 1.0f);
  std::vector<uint16_t> halves(4096, 0x3c00);
  std::vector<uint32_t> words(8192, 1);
  ParameterRecord value;
  value.kind = ParameterRecord::Kind::size;
  value.value = 8;
  auto number = [&](const char *name, DType dtype) {
    value.name = name;
    value.dtype = dtype;
    run.record.parameters.push_back(value);
  };
  run.tensor("g", DType::f32, floats, Direction::readWrite).tensor("c", DType::f32, floats);
  run.tensor("gh", DType::bf16, halves, Direction::readWrite).tensor("ch", DType::bf16, halves);
  run.tensor("w", DType::u32, words, Direction::readWrite)
      .tensor("l", DType::i64, floats, Direction::readWrite);
  run.record.parameters.back().shape = {64};
  run.tensor("sink", DType::u32, words, Direction::readWrite);
  number("n", DType::i64), number("i", DType::u32), number("k", DType::i32);
  number("f", DType::i32), number("e", DType::i32); // Bits of small floats.
  run.map("map", DType::bf16, halves, {64, 64}, {8, 8});
  emulator::Options options;
  options.check = true;
  return run.launch(options);
}

TEST(Callers, AreThoseOfTheTable) {
  std::ifstream list(SLUICE_KERNELS "/callers.txt");
  std::string kernel, primitive, caller;
  std::set<std::string> callers;
  while (list >> kernel >> primitive >> caller) {
    emulator::Result result = launch(kernel);
    bool lacksALane = std::ranges::any_of(result.reports, [](const Report &report) {
      return report.kind == "exit before a collective" && report.file.ends_with("callers.cu");
    });
    EXPECT_EQ(lacksALane, caller != "thread")
        << primitive << " of " << kernel << ": "
        << (result.clean() ? "no report" : result.reports.front().text());
    callers.insert(caller);
  }
  EXPECT_EQ(callers, (std::set<std::string>{"thread", "warp", "warps", "warpgroup", "block", "cluster"}));
}

} // namespace
} // namespace sluice
