// Threads, memory, barriers and counters: what is right stays silent, each mistake is reported with its
// place, and everything depends on the seed alone.
#include "test/emulator/CoreRun.h"

#include <array>

namespace sluice::emulator {
namespace {

using testing::HasSubstr;

TEST_F(Core, CopiesInSilence) {
  EXPECT_TRUE(run({"copies"}).clean());
  EXPECT_EQ(std::memcmp(in.data(), out.data(), 512), 0);
}

TEST_F(Core, RaceNamesBothSides) {
  Result result = run({"races", 3});
  ASSERT_FALSE(result.clean());
  for (const Report &report : result.reports) {
    EXPECT_EQ(report.kind, "race");
    EXPECT_EQ(report.kernel, "races");
    // Which side comes second depends on the order.
    bool load = report.line == lineOf("races");
    EXPECT_TRUE(load || report.line == lineOf("races:earlier"));
    EXPECT_THAT(report.file, HasSubstr("core.cu"));
    EXPECT_EQ(report.thread < 32, load);
    EXPECT_THAT(report.message, HasSubstr(load ? "loadShared" : "storeShared"));
    EXPECT_THAT(report.earlier, HasSubstr("of block ("));
    EXPECT_THAT(report.earlier, HasSubstr(placeOfLine(load ? "races:earlier" : "races")));
    EXPECT_THAT(report.text(), HasSubstr("race: races at "));
  }
}

TEST_F(Core, UninitialisedSharedMemory) {
  Report report = mistake({"readsUnwritten"});
  EXPECT_EQ(report.kind, "uninitialised read");
  EXPECT_EQ(report.line, lineOf("readsUnwritten"));
  EXPECT_THAT(report.message, HasSubstr("shared offset 0x40"));
}

TEST_F(Core, UninitialisedGlobalMemory) {
  in.markUndefined();
  EXPECT_EQ(mistake({"copies"}).kind, "uninitialised read");
}

TEST_F(Core, WhatAnUncheckedLaunchWroteIsInitialised) {
  options.check = false;
  Memory first(512, "first");
  BoundLaunch bound;
  bound.kernel = "copies";
  bound.threads = 128;
  bound.parameters = {pointer("in", in, Direction::read), pointer("out", first, Direction::write),
                      pointer("counter", counters, Direction::read)};
  Kernel kernel = Kernel::load(SLUICE_KERNELS "/core.so", "copies");
  EXPECT_TRUE(launch(kernel, bound, options).clean());
  options.check = true;
  bound.parameters[0] = pointer("in", first, Direction::read);
  bound.parameters[1] = pointer("out", out, Direction::write);
  EXPECT_TRUE(launch(kernel, bound, options).clean());
}

TEST_F(Core, OutOfBoundsByDistance) {
  for (bool check : {false, true}) {
    options.check = check;
    Report report = mistake({"readsPastTheEnd"});
    EXPECT_EQ(report.kind, "out of bounds");
    EXPECT_EQ(report.line, lineOf("readsPastTheEnd"));
    EXPECT_EQ(report.thread, 127);
    EXPECT_THAT(report.message, HasSubstr("4 bytes past the end of 'in' of 512 bytes"));
  }
}

TEST_F(Core, Misaligned) {
  for (bool check : {false, true}) {
    options.check = check;
    Report report = mistake({"storesMisaligned"});
    EXPECT_EQ(report.kind, "misaligned");
    EXPECT_EQ(report.line, lineOf("storesMisaligned"));
    EXPECT_EQ(report.thread, 5);
  }
}

TEST_F(Core, InputsAreNotWritten) {
  Shape shape{"writesItsInput"};
  EXPECT_TRUE(run(shape).clean());
  shape.counter = Direction::read;
  for (bool check : {false, true}) {
    options.check = check;
    EXPECT_EQ(mistake(shape).kind, "write to an input");
  }
}

TEST_F(Core, DivergenceNamesBothCalls) {
  Report report = mistake({"diverges", 1, 32});
  EXPECT_EQ(report.kind, "divergent collective");
  bool one = report.line == lineOf("diverges:one");
  EXPECT_TRUE(one || report.line == lineOf("diverges:other"));
  EXPECT_THAT(report.message, HasSubstr(placeOfLine(one ? "diverges:other" : "diverges:one")));
}

TEST_F(Core, CollectivesConvergeByPlace) {
  EXPECT_TRUE(run({"convergesByPlace"}).clean());
  // Each half of the warp returns to another address.
  EXPECT_TRUE(run({"convergesAcrossCopies"}).clean());
  EXPECT_EQ(outAt(3), 3.0f + 16 + 200);
  EXPECT_EQ(outAt(19), 3.0f + 100);
}

TEST_F(Core, ExitBeforeACollective) {
  Report report = mistake({"leavesEarly", 1, 32});
  EXPECT_EQ(report.kind, "exit before a collective");
  EXPECT_EQ(report.line, lineOf("leavesEarly"));
}

TEST_F(Core, BarrierMisuse) {
  for (const char *kernel :
       {"oddBarrier", "unknownBarrier", "reservedBarrier", "wideBarrier", "disagreesOnBarrier", "arrivesTwice"}) {
    Report report = mistake({kernel});
    EXPECT_EQ(report.kind, "barrier misuse") << kernel;
    EXPECT_EQ(report.line, lineOf(kernel));
    EXPECT_GE(report.thread, 0);
  }
  Report mixed = mistake({"mixedBarrier"});
  EXPECT_EQ(mixed.kind, "barrier misuse");
  bool second = mixed.line == lineOf("mixedBarrier:second");
  EXPECT_THAT(mixed.earlier, HasSubstr(placeOfLine(second ? "mixedBarrier:first" : "mixedBarrier:second")));
}

TEST_F(Core, IndependentBlocksMustNotWait) {
  EXPECT_TRUE(run({"waitsForThePrevious", 1, 32}).clean());
  Result result = run({"waitsForThePrevious", 2, 32});
  ASSERT_FALSE(result.clean());
  EXPECT_EQ(result.reports.front().kind, "undeclared communication");
}

TEST_F(Core, IndependentBlocksMustNotWriteTheSame) {
  EXPECT_TRUE(run({"writesItsOwn", 8}).clean());
  EXPECT_TRUE(run({"writesTheSame", 1}).clean());
  std::string first;
  for (int threads : {1, 2, 4}) {
    options.threads = threads;
    Report report = mistake({"writesTheSame", 16});
    EXPECT_EQ(report.kind, "race");
    EXPECT_EQ(report.line, lineOf("writesTheSame"));
    EXPECT_EQ(report.thread, 3);
    EXPECT_THAT(report.earlier, HasSubstr("thread 3 of block (0,0,0)"));
    if (first.empty())
      first = report.text();
    EXPECT_EQ(report.text(), first);
  }
}

TEST_F(Core, IndependentBlocksMustNotReadEachOther) {
  Result result = run({"readsOthers", 2});
  ASSERT_FALSE(result.clean());
  const Report &report = result.reports.back();
  EXPECT_EQ(report.kind, "race");
  EXPECT_EQ(report.line, lineOf("readsOthers:read"));
  EXPECT_THAT(report.earlier, HasSubstr(placeOfLine("readsOthers:write")));
}

TEST_F(Core, MemoryThatIsNoArgumentIsOutOfBounds) {
  Memory other(512, "other");
  other.markWritten();
  out.markUndefined();
  BoundLaunch bound;
  bound.kernel = "readsElsewhere";
  bound.parameters = {pointer("in", in, Direction::read), pointer("out", out, Direction::write),
                      pointer("counter", counters, Direction::read)};
  int64_t distance = (static_cast<char *>(other.data()) - static_cast<char *>(in.data())) / 4;
  std::memcpy(counters.data(), &distance, sizeof distance);
  counters.markWritten();
  Kernel kernel = Kernel::load(SLUICE_KERNELS "/core.so", "readsElsewhere");
  for (bool check : {false, true}) {
    options.check = check;
    Result result = launch(kernel, bound, options);
    ASSERT_EQ(result.reports.size(), 1u);
    EXPECT_EQ(result.reports.front().kind, "out of bounds");
    EXPECT_EQ(result.reports.front().line, lineOf("readsElsewhere"));
    EXPECT_THAT(result.reports.front().message, HasSubstr("lies in 'other', to which no parameter"));
  }
}

TEST_F(Core, MemoryOfTheHostIsOutOfBounds) {
  std::array<float, 128> host{};
  BoundLaunch bound;
  bound.kernel = "copies";
  bound.sharedBytes = 1024;
  bound.parameters = {pointer("in", in, Direction::read), pointer("out", out, Direction::write),
                      pointer("counter", counters, Direction::read)};
  void *data = host.data();
  std::memcpy(bound.parameters[0].bytes.data(), &data, sizeof data);
  Result result = launch(Kernel::load(SLUICE_KERNELS "/core.so", "copies"), bound, options);
  ASSERT_FALSE(result.clean());
  EXPECT_EQ(result.reports.front().kind, "out of bounds");
  EXPECT_THAT(result.reports.front().message, HasSubstr("lies in no device memory"));
}

TEST_F(Core, ALaunchOfAnotherKernelIsRefused) {
  BoundLaunch bound;
  bound.kernel = "copies";
  Kernel other = Kernel::load(SLUICE_KERNELS "/core.so", "counts");
  try {
    launch(other, bound, options);
    FAIL() << "expected a launch of another kernel to be refused";
  } catch (const UserError &error) {
    EXPECT_THAT(error.what(), HasSubstr("counts: expected a launch of this kernel, got one of 'copies'"));
  }
}

TEST_F(Core, AWordThatALargeGridUpdates) {
  EXPECT_TRUE(run({"counts", 100000, 32}).clean());
  EXPECT_EQ(counterAt(0), 100000u);
}

TEST_F(Core, OrderDependsOnTheSeed) {
  options.check = false;
  auto order = [&](uint64_t seed) {
    options.seed = seed;
    EXPECT_TRUE(run({"records"}).clean());
    return std::vector<uint32_t>(static_cast<uint32_t *>(counters.data()) + 1,
                                 static_cast<uint32_t *>(counters.data()) + 129);
  };
  EXPECT_EQ(order(1), order(1));
  EXPECT_NE(order(1), order(2));
  options.scheduling = Scheduling::inOrder;
  std::vector<uint32_t> ascending(128);
  std::iota(ascending.begin(), ascending.end(), 0u);
  EXPECT_EQ(order(1), ascending);
  EXPECT_EQ(order(2), ascending);
}

TEST_F(Core, ReportsDependOnTheSeedAlone) {
  for (const char *kernel : {"races", "deadlocks", "diverges", "readsPastTheEnd"}) {
    std::string first;
    for (int threads : {1, 2, 3, 1}) {
      options.threads = threads;
      std::string text;
      Result result = run({kernel, 12});
      for (const Report &report : result.reports)
        text += report.text() + " of " + std::to_string(result.reportCount) + "\n";
      EXPECT_FALSE(text.empty());
      if (first.empty())
        first = text;
      EXPECT_EQ(text, first) << kernel;
    }
  }
}

TEST_F(Core, SumsOfTheBlock) {
  EXPECT_TRUE(run({"sums"}).clean());
  for (int i = 0; i < 128; ++i)
    EXPECT_EQ(outAt(i), (i + 1) * (i + 2) / 2.0f);
  for (int warp = 0; warp < 4; ++warp)
    EXPECT_EQ(outAt(128 + warp), 128 * 129 / 2.0f);
}

TEST_F(Core, LanesExchange) {
  EXPECT_TRUE(run({"exchanges"}).clean());
  for (int thread = 0; thread < 128; ++thread)
    EXPECT_EQ(counterAt(thread), 1u);
}

TEST_F(Core, AtomicsUpdate) {
  EXPECT_TRUE(run({"updates"}).clean());
  EXPECT_EQ(counterAt(0), 128u * 127 / 2);
  EXPECT_EQ(counterAt(1), 127u);
  EXPECT_EQ(counterAt(2), ~0u);
  EXPECT_EQ(counterAt(3), 0u);
  EXPECT_EQ(counterAt(4), counterAt(5));
  EXPECT_NE(counterAt(4), 0u);
  EXPECT_EQ(counterAt(6), 0u);
  EXPECT_EQ(counterAt(7), 0u);
}

TEST_F(Core, BlocksOf1024Threads) {
  options.threads = 2;
  EXPECT_TRUE(run({"writesItsOwn", 4, 1024}).clean());
  EXPECT_EQ(outAt(4095), 1.0f);
}

TEST_F(Core, LaunchesThatNoGpuAccepts) {
  EXPECT_THROW(run({"copies", 1, 2048}), UserError);
  Shape pair{"copies"};
  pair.blocksPerSm = 2;
  EXPECT_THROW(run(pair), UserError);
  options.mutation = Mutation{"core.cu", 1, 1, "syncThreads", "no such kind"};
  EXPECT_THROW(run({"copies"}), UserError);
}

TEST_F(Core, ParametersHaveTheSizesOfTheKernels) {
  Kernel kernel = Kernel::load(SLUICE_KERNELS "/core.so", "copies");
  BoundLaunch bound;
  bound.kernel = "copies";
  bound.parameters = {pointer("in", in, Direction::read), pointer("out", out, Direction::write)};
  auto error = [&] {
    try {
      launch(kernel, bound, options);
    } catch (const UserError &error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(error(), "kernel copies: expected 3 parameters, got 2 in the launch record");
  bound.parameters.push_back(pointer("scale", out, Direction::read));
  bound.parameters[2].kind = ParameterRecord::Kind::value;
  bound.parameters[2].byteCount = 4;
  EXPECT_EQ(error(), "kernel copies: expected a parameter 'scale' of 8 bytes, got 4 in the launch record");
  bound.parameters[2].kind = ParameterRecord::Kind::tensorMap;
  EXPECT_EQ(error(), "kernel copies: expected a parameter 'scale' of 8 bytes, got 128 in the launch record");
}

TEST_F(Core, SitesAreRecorded) {
  options.recordSites = true;
  Result result = run({"synchronises", 4, 128, true});
  EXPECT_TRUE(result.clean()) << result.reports.front().text();
  for (const char *primitive :
       {"syncThreads", "barrierSync", "syncWarp", "barrierArrive", "addCounter", "waitCounter"}) {
    uint32_t line = lineOf(std::string("mutate:") + primitive);
    auto site = std::ranges::find_if(result.sites, [&](const CallSite &each) { return each.line == line; });
    ASSERT_NE(site, result.sites.end()) << primitive;
    EXPECT_EQ(site->primitive, primitive);
    bool one = std::string(primitive).ends_with("Counter");
    EXPECT_EQ(site->executions, one ? 4u : std::string(primitive) == "barrierArrive" ? 4u * 32 : 4u * 128);
  }
}

TEST_F(Core, MutationsAreReported) {
  const std::pair<const char *, const char *> mutations[] = {{"syncThreads", "skip"},
                                                             {"syncThreads", "moreArrivals"},
                                                             {"barrierSync", "skip"},
                                                             {"barrierSync", "moreArrivals"},
                                                             {"syncWarp", "skip"},
                                                             {"barrierArrive", "skip"},
                                                             {"barrierArrive", "moreArrivals"},
                                                             {"addCounter", "relaxed"},
                                                             {"addCounter", "skip"},
                                                             {"waitCounter", "skip"},
                                                             {"waitCounter", "relaxed"},
                                                             {"waitCounter", "fewerArrivals"}};
  options.recordSites = true;
  Result clean = run({"synchronises", 4, 128, true});
  options.recordSites = false;
  for (const auto &[primitive, kind] : mutations) {
    uint32_t line = lineOf(std::string("mutate:") + primitive);
    auto site = std::ranges::find_if(clean.sites, [&](const CallSite &each) { return each.line == line; });
    ASSERT_NE(site, clean.sites.end());
    options.mutation = Mutation{site->file, line, site->column, primitive, kind};
    for (uint64_t seed : {1, 2, 3}) {
      options.seed = seed;
      EXPECT_FALSE(run({"synchronises", 4, 128, true}).clean())
          << primitive << " " << kind << " seed " << seed;
    }
  }
}

} // namespace
} // namespace sluice::emulator
