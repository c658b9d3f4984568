// A kernel that divides by zero, or the smallest integer by -1, is told so; the result is the hardware's.
#include "runtime/emulator/Emulator.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

using namespace sluice;
using emulator::Memory;

namespace {

constexpr int32_t smallest = std::numeric_limits<int32_t>::min();

struct Division {
  int32_t quotient, rest;
  emulator::Result result;
};

ParameterRecord tensor(const std::string &name, Direction direction) {
  ParameterRecord parameter;
  parameter.name = name;
  parameter.dtype = DType::i32;
  parameter.direction = direction;
  parameter.shape = {2};
  return parameter;
}

Division divide(int32_t dividend, int32_t divisor) {
  Memory pairs(8, "pairs"), results(8, "results");
  int32_t operands[] = {dividend, divisor};
  std::memcpy(pairs.data(), operands, sizeof operands);
  pairs.markWritten();
  LaunchRecord record;
  record.kernel = "divide_pair";
  record.grid = {1, 1, 1};
  record.threads = 32;
  record.parameters = {tensor("pairs", Direction::read), tensor("results", Direction::write)};
  LaunchInputs inputs;
  inputs.tensors = {{"pairs", pairs.tensor()}, {"results", results.tensor()}};
  auto kernel = emulator::Kernel::load(SLUICE_DIVISION_KERNEL, "divide_pair");
  Division division;
  division.result = emulator::launch(kernel, bindLaunch(record, inputs), {});
  std::memcpy(&division.quotient, results.data(), 4);
  std::memcpy(&division.rest, static_cast<char *>(results.data()) + 4, 4);
  return division;
}

TEST(OpenDivision, OthersAreNotReported) {
  Division division = divide(-7, 2);
  EXPECT_TRUE(division.result.clean());
  EXPECT_EQ(division.quotient, -3);
  EXPECT_EQ(division.rest, -1);
}

TEST(OpenDivision, ByZeroIsReported) {
  Division division = divide(7, 0);
  EXPECT_EQ(division.quotient, -1);
  EXPECT_EQ(division.rest, -1);
  ASSERT_EQ(division.result.reports.size(), 2u);
  const emulator::Report &report = division.result.reports[0];
  EXPECT_EQ(report.kind, "open division");
  EXPECT_EQ(report.line, 7u);
  EXPECT_EQ(report.thread, 5);
  EXPECT_EQ(report.message, "divide: expected a result that the type holds, got 7 by 0");
  EXPECT_EQ(division.result.reports[1].line, 8u);
}

TEST(OpenDivision, OfTheSmallestByMinusOneIsReported) {
  Division division = divide(smallest, -1);
  EXPECT_EQ(division.quotient, smallest);
  EXPECT_EQ(division.rest, 0);
  EXPECT_EQ(division.result.reportCount, 2u);
}

} // namespace
