// Places of tensors in scratch, for the scans of all built-in recurrences: two tensors that live at once never
// overlap, and states are updated where they are.

#include "codegen/cpu/BufferPlan.h"
#include "codegen/cpu/Passes.h"
#include "passes/recur/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <filesystem>
#include <gtest/gtest.h>

using namespace mlir;
using namespace sluice;
namespace fs = std::filesystem;

namespace {

struct Interval {
  Value value;
  int64_t from, to;  ///< Bytes.
  int first, last;   ///< Ops, `last` being the last reader.
};

/// Lifetimes found anew, by looking at every op. Ops stand at even positions, loads of arguments before them.
std::vector<Interval> intervalsOf(Block &body, const cpu::BufferPlan &plan) {
  std::vector<Interval> intervals;
  std::map<void *, size_t> indexOf;
  auto add = [&](Value value, int position) {
    if (!plan.hasPlace(value))
      return;
    int64_t offset = plan.offsetOf(value);
    indexOf[value.getAsOpaquePointer()] = intervals.size();
    intervals.push_back({value, offset, offset + cpu::bytesOf(value.getType()), position, position});
  };
  auto read = [&](Value value, int position) {
    auto found = indexOf.find(value.getAsOpaquePointer());
    if (found != indexOf.end())
      intervals[found->second].last = position;
  };
  for (BlockArgument argument : body.getArguments())
    if (Operation *user = plan.firstUser(argument))
      add(argument, 2 * int(std::distance(body.begin(), user->getIterator())) - 1);
  int position = 0;
  for (Operation &op : body.without_terminator()) {
    for (Value operand : cpu::memoryOperands(op))
      read(operand, position);
    for (Value result : op.getResults())
      add(result, position);
    position += 2;
  }
  for (Value value : cast<recur::ScanYieldOp>(body.getTerminator()).getCarried())
    read(value, position);
  return intervals;
}

/// A result may take the place of an operand that the same op reads last.
void expectDisjoint(Block &body, const cpu::BufferPlan &plan, const std::string &name) {
  std::vector<Interval> intervals = intervalsOf(body, plan);
  for (size_t i = 0; i < intervals.size(); ++i)
    for (size_t j = 0; j < i; ++j) {
      const Interval &a = intervals[i], &b = intervals[j];
      bool sameBytes = a.from < b.to && b.from < a.to;
      bool samePlace = a.from == b.from && a.to == b.to;
      bool handsOver = samePlace && (a.first == b.last || b.first == a.last) && a.first != b.first;
      bool sameTime = a.first <= b.last && b.first <= a.last;
      EXPECT_FALSE(sameBytes && sameTime && !handsOver)
          << name << ": [" << a.from << ", " << a.to << ") in " << a.first << ".." << a.last << " and [" << b.from
          << ", " << b.to << ") in " << b.first << ".." << b.last;
    }
}

/// Carried values first, as the lowering has them; returns the plan's number of results in place.
unsigned checkScan(recur::ScanOp scan) {
  Block &body = scan.getBody().front();
  auto yield = cast<recur::ScanYieldOp>(body.getTerminator());
  unsigned inputs = scan.getInputs().size();
  int64_t base = 0;
  SmallVector<cpu::PinnedArgument> pinned;
  for (auto [i, next] : llvm::enumerate(yield.getCarried())) {
    pinned.push_back({body.getArgument(inputs + i), base, next});
    base += cpu::bytesOf(next.getType());
  }
  cpu::BufferPlan plan(body, pinned, {}, base);
  EXPECT_GE(plan.end(), base);
  expectDisjoint(body, plan, scan.getSymName().str());
  return plan.inPlaceCount();
}

TEST(BufferPlan, TensorsThatLiveAtOnceDoNotOverlap) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<recur::RecurDialect, arith::ArithDialect, math::MathDialect>();
  unsigned scans = 0, inPlace = 0;
  for (const auto &file : fs::directory_iterator(fs::path(SLUICE_SOURCE_DIR) / "models" / "recurrences")) {
    auto module = parseSourceFile<ModuleOp>(file.path().string(), &context);
    ASSERT_TRUE(module) << file.path();
    auto recurrence = *module->getOps<recur::RecurrenceOp>().begin();
    ASSERT_TRUE(succeeded(recur::normalize(recurrence)));
    recur::ScanOptions options;
    SmallVector<FailureOr<recur::ScanOp>> forwards = {recur::buildStepScan(recurrence, options)};
    if (recur::classify(recurrence).chunkable)
      forwards.push_back(recur::buildChunkScan(recurrence, options));
    for (auto forward : forwards) {
      ASSERT_TRUE(succeeded(forward)) << file.path();
      ASSERT_TRUE(succeeded(recur::differentiate(*forward, options))) << file.path();
    }
    recurrence.erase();
    PassManager manager(&context);
    manager.addPass(cpu::createCpuScanToLinalg());
    ASSERT_TRUE(succeeded(manager.run(*module))) << file.path();
    for (auto scan : module->getOps<recur::ScanOp>()) {
      inPlace += checkScan(scan);
      ++scans;
    }
  }
  EXPECT_GE(scans, 58u);
  EXPECT_GE(inPlace, scans);
}

} // namespace
