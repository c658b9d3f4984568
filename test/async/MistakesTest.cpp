// Each mistake of mistakes.cu is reported, whatever the order of threads and completions; the right kernels
// are silent.
#include "test/async/AsyncRun.h"

#include <gtest/gtest.h>

#include <functional>

namespace sluice::test {
namespace {

using emulator::Options;
using emulator::Report;
using emulator::Result;

struct Mistake {
  int number;
  const char *kind;      ///< Or several, separated by commas, where it depends on the order which one it is.
  const char *says = ""; ///< Part of the report.
};

struct Subject {
  std::string entry;
  std::function<AsyncRun(int mistake)> make;
  std::vector<Mistake> mistakes;
};

std::vector<float> numbers(size_t count) {
  std::vector<float> all(count);
  for (size_t i = 0; i < count; ++i)
    all[i] = static_cast<float>(i + 1);
  return all;
}

AsyncRun plain(const std::string &entry, int64_t threads, int mistake, size_t inputs, size_t outputs,
               Direction ofInput = Direction::read) {
  AsyncRun run("mistakes.so", entry, threads, 16 * 1024);
  if (inputs)
    run.tensor("in", DType::f32, numbers(inputs), ofInput);
  run.tensor("out", DType::f32, numbers(outputs), Direction::write).word("mistake", mistake);
  return run;
}

AsyncRun tile(int mistake) {
  AsyncRun run("mistakes.so", "tensor_tile", 128, 16 * 1024);
  run.map("in", DType::f32, numbers(256), {32, 8}, {32, 8});
  run.map("result", DType::f32, numbers(256), {32, 8}, {32, 8}, TileSwizzle::none, Direction::readWrite);
  run.record.parameters.back().name = "out";
  run.tensor("result", DType::f32, numbers(256), Direction::readWrite);
  run.tensor("back", DType::f32, numbers(128), Direction::write).word("mistake", mistake);
  return run;
}

const std::vector<Subject> &subjects() {
  static const std::vector<Subject> all = {
      {"mbarrier_ring",
       [](int mistake) { return plain("mbarrier_ring", 64, mistake, 192, 192); },
       {{1, "misaligned"},
        {2, "mbarrier misuse", "expected an initialised mbarrier"},
        {3, "deadlock", "lacks 1 arrival"},
        {4, "mbarrier misuse", "initialised again"},
        {5, "race", "nothing orders it after the initialisation"},
        {6, "race,lapped waiter,deadlock"},
        {7, "mbarrier overflow", "of 32"},
        {8, "mbarrier overwritten"},
        {9, "race"},
        {10, "deadlock", "phase 0 of the mbarrier at offset 4112"},
        {11, "mbarrier overflow", "more than 1048575"},
        {12, "mbarrier misuse", "is invalidated in a phase that lacks"},
        {13, "mbarrier misuse", "mbarrierWait: expected a parity of 0 or 1, got"},
        {14, "mbarrier misuse", "mbarrierArrive: expected a count of at least 1, got 0"}}},
      {"mbarrier_lapped",
       [](int mistake) { return plain("mbarrier_lapped", 64, mistake, 0, 32); },
       {{1, "lapped waiter,deadlock"}}},
      {"mbarrier_poll", [](int mistake) { return plain("mbarrier_poll", 64, mistake, 64, 32); },
       {{2, "mbarrier misuse", "mbarrierTest: expected a parity of 0 or 1, got 2"}}},
      {"cp_async",
       [](int mistake) { return plain("cp_async", 64, mistake, 256, 64, Direction::readWrite); },
       {{1, "misaligned"},
        {2, "race", "cp.async of thread"},
        {3, "race"},
        {4, "race", "cp.async of thread"},
        {5, "race", "cp.async of thread"},
        {6, "race", "cp.async of thread"},
        {8, "in flight at exit"}}},
      {"cp_async_arrive",
       [](int mistake) { return plain("cp_async_arrive", 64, mistake, 32, 32); },
       {{1, "race", "cp.async of thread"}, {2, "deadlock", "lacks 32 arrivals"}}},
      {"tensor_tile",
       tile,
       {{1, "misaligned"},
        {2, "missing fence", "mbarrierFenceInit"},
        {3, "race", "copies on the mbarrier"},
        {4, "mbarrier bytes", "16 bytes more came than its phase expects, as seen by tensorLoad"},
        {5, "deadlock", "16 bytes"},
        {6, "tensor map misuse", "expected 2 coordinates, got 3"},
        {7, "access after exit"},
        {8, "race", "copies on the mbarrier"},
        {9, "missing proxy fence"},
        {10, "race"},
        {11, "in flight at exit"},
        {12, "race", "bulk store of thread 0"},
        {13, "race", "the source of a bulk store"},
        {14, "in flight at exit"},
        {16, "race,lapped waiter"}}},
      {"ragged_store",
       [](int mistake) {
         AsyncRun run("mistakes.so", "ragged_store", 64, 1024);
         run.map("out", DType::f32, numbers(32 * 6), {30, 6}, {32, 8}, TileSwizzle::bytes128,
                 Direction::write);
         run.record.parameters.back().map.strides = {32};
         run.word("mistake", mistake);
         return run;
       },
       {{1, "uninitialised read"}}},
      {"proxy_global",
       [](int mistake) { return plain("proxy_global", 64, mistake, 65, 64, Direction::readWrite); },
       {{1, "missing proxy fence"}, {3, "misaligned"}}},
      {"wgmma_once",
       [](int mistake) { return plain("wgmma_once", 128, mistake, 128, 128); },
       {{1, "missing proxy fence"},
        {2, "race", "wgmma of warp"},
        {3, "missing fence", "before the first wgmma"},
        {4, "missing fence", "accumulator was accessed"},
        {5, "out of bounds", "operand A"},
        {6, "wgmma misuse"},
        {7, "wgmma misuse"},
        {8, "touched in flight"},
        {9, "touched in flight", "mistakes.cu"},
        {10, "touched in flight", "mistakes.cu"},
        {11, "in flight at exit"},
        {12, "race", "wgmma of warp"},
        {13, "deadlock", "lacks warps 3"},
        {14, "missing proxy fence", "cpAsync"},
        {15, "misaligned", "multiples of 16 bytes"},
        {16, "touched in flight", "mistakes.cu"},
        {17, "touched in flight", "mistakes.cu"},
        {18, "touched in flight", "mistakes.cu"},
        {19, "touched in flight", "mistakes.cu"}}},
      {"registers",
       [](int mistake) {
         AsyncRun run = plain("registers", 256, mistake, 0, 256);
         run.registers(mistake == 5 ? 0 : 128);
         if (mistake == 4)
           run.record.roles = {{"copying", 128, 40}, {"multiplying", 128, 208}};
         return run;
       },
       {{1, "deadlock", "never freed"},
        {2, "setmaxnreg misuse", "warps 4 and 5"},
        {3, "setmaxnreg misuse", "expected at least the 216 registers"},
        {4, "setmaxnreg misuse", "ends with 216 registers per thread, the launch record says 208"},
        {5, "setmaxnreg misuse", "the 248 registers that the warp has, got 216; the most"}}},
      {"remote_store",
       [](int mistake) {
         AsyncRun run = plain("remote_store", 32, mistake, 0, 64);
         run.cluster(2);
         return run;
       },
       {{1, "cluster misuse", "storeRemote reaches block"},
        {2, "cluster misuse", "expected a rank below 2, got 5"},
        {3, "race"},
        {4, "access after exit"}}},
      {"remote_copy",
       [](int mistake) {
         AsyncRun run = plain("remote_copy", 32, mistake, 0, 32);
         run.cluster(2);
         return run;
       },
       {{1, "missing fence", "mbarrierFenceInit"},
        {2, "missing proxy fence"},
        {3, "race"},
        {4, "race,uninitialised read,access after exit"},
        {5, "mbarrier misuse", "mbarrierArriveRemote: expected a count of at least 1, got 0"}}},
  };
  return all;
}

bool reports(const Result &result, const Mistake &mistake) {
  for (const Report &report : result.reports)
    if ((',' + std::string(mistake.kind) + ',').find(',' + report.kind + ',') != std::string::npos &&
        report.text().find(mistake.says) != std::string::npos)
      return true;
  return false;
}

class AsyncMistakes : public testing::TestWithParam<size_t> {};

TEST_P(AsyncMistakes, AreReported) {
  const Subject &subject = subjects()[GetParam()];
  for (const Mistake &mistake : subject.mistakes)
    for (const Options &options : everyCompletion(2)) {
      Result result = subject.make(mistake.number).launch(options);
      EXPECT_TRUE(reports(result, mistake))
          << subject.entry << " mistake " << mistake.number << " completion "
          << static_cast<int>(options.completion) << " seed " << options.seed << ": expected \""
          << mistake.kind << "\" with \"" << mistake.says << "\", got\n"
          << textOf(result);
    }
}

TEST_P(AsyncMistakes, AreNotSeenInTheRightKernel) {
  const Subject &subject = subjects()[GetParam()];
  for (const Options &options : everyCompletion(8)) {
    Result result = subject.make(0).launch(options);
    EXPECT_TRUE(result.clean()) << subject.entry << " completion " << static_cast<int>(options.completion)
                                << " seed " << options.seed << ":\n"
                                << textOf(result);
  }
}

TEST(AsyncReports, NameThePhaseBeforeTheFirst) {
  Options options;
  options.check = true;
  options.scheduling = emulator::Scheduling::inOrder;
  Result result = plain("mbarrier_lapped", 64, 2, 0, 32).launch(options);
  EXPECT_NE(textOf(result).find("this wait for the phase before the first is over"), std::string::npos)
      << textOf(result);
}

/// The copy whose bytes are too many, not only the barrier that counts them.
TEST(AsyncReports, NameTheCopyOfTooManyBytes) {
  for (const Options &options : everyCompletion(2))
    for (const Report &report : tile(4).launch(options).reports)
      if (report.kind == "mbarrier bytes") {
        std::string initialised = "initialised at mistakes.cu:";
        EXPECT_NE(report.earlier.find(initialised), std::string::npos) << report.text();
        EXPECT_EQ(report.earlier.find(initialised + std::to_string(report.line)), std::string::npos)
            << report.text();
      }
}

INSTANTIATE_TEST_SUITE_P(Kernels, AsyncMistakes, testing::Range(size_t{0}, size_t{12}),
                         [](const auto &info) { return subjects()[info.param].entry; });

} // namespace
} // namespace sluice::test
