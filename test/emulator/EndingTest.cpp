// Launches that do not end by themselves: deadlocks, polls and loops for ever, faults. Each is a report, and the host
// goes on.
#include "test/emulator/CoreRun.h"

namespace sluice::emulator {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(Core, DeadlockSaysWhoWaitsWhere) {
  Report report = mistake({"deadlocks"});
  EXPECT_EQ(report.kind, "deadlock");
  EXPECT_EQ(report.line, lineOf("deadlocks:three"));
  EXPECT_THAT(report.message,
              HasSubstr("96 threads wait in barrierSync (barrier 1) at " + placeOfLine("deadlocks:three")));
  EXPECT_THAT(report.message,
              HasSubstr("32 threads wait in barrierSync (barrier 2) at " + placeOfLine("deadlocks:one")));
  EXPECT_THAT(report.message, HasSubstr("barrier 1 has 96 of 128 threads"));
  EXPECT_THAT(report.message, Not(HasSubstr("in block")));
}

TEST_F(Core, DeadlockAcrossBlocksNamesThem) {
  Report report = mistake({"deadlocks", 2, 128, true});
  EXPECT_EQ(report.kind, "deadlock");
  EXPECT_THAT(report.message, HasSubstr("in block (0,0,0): barrier 1 has 96 of 128 threads"));
  EXPECT_THAT(report.message, HasSubstr("in block (1,0,0): barrier 1 has 96 of 128 threads"));
}

TEST_F(Core, WaitingForABlockThatCannotBeResident) {
  for (uint32_t resident : {1u, 4u, 9u}) {
    EXPECT_TRUE(run({"meets", resident, 32, true, resident}).clean());
    EXPECT_TRUE(run({"meets", resident, 32, true}).clean());
    Report report = mistake({"meets", resident + 2, 32, true, resident});
    EXPECT_EQ(report.kind, "deadlock");
    EXPECT_EQ(report.line, lineOf("meets"));
    EXPECT_THAT(report.message, HasSubstr("is " + std::to_string(resident) + ", expected at least " +
                                          std::to_string(resident + 2)));
    EXPECT_THAT(report.message, HasSubstr("2 blocks are not resident: the launch keeps " +
                                          std::to_string(resident) + " at once"));
  }
}

TEST_F(Core, PollingForABlockThatCannotBeResident) {
  for (Scheduling scheduling : {Scheduling::inOrder, Scheduling::random}) {
    options.scheduling = scheduling;
    EXPECT_TRUE(run({"meetsByPolling", 4, 128, true}).clean());
    Report report = mistake({"meetsByPolling", 4, 128, true, 2});
    EXPECT_EQ(report.kind, "deadlock");
    EXPECT_EQ(report.line, lineOf("meetsByPolling"));
    EXPECT_THAT(report.message, HasSubstr("2 threads wait in loadCounter (polls, reads 2 each time)"));
    EXPECT_THAT(report.message, HasSubstr("2 blocks are not resident"));
  }
}

TEST_F(Core, BlocksFollowAsOthersEnd) {
  options.scheduling = Scheduling::inOrder;
  EXPECT_TRUE(run({"waitsForThePrevious", 40, 32, true, 2}).clean());
}

TEST_F(Core, PollsLetTheOthersRun) {
  for (Scheduling scheduling : {Scheduling::inOrder, Scheduling::random})
    for (bool check : {false, true}) {
      options.scheduling = scheduling;
      options.check = check;
      EXPECT_TRUE(run({"polls"}).clean());
      EXPECT_TRUE(run({"polls", 1, 32}).clean());
      EXPECT_TRUE(run({"pollsForItsNeighbour", 5, 256, true}).clean());
      EXPECT_TRUE(run({"pollsByUpdates", 5, 128, true}).clean());
    }
}

TEST_F(Core, PollingForEverIsADeadlock) {
  options.check = false;
  for (Scheduling scheduling : {Scheduling::inOrder, Scheduling::random}) {
    options.scheduling = scheduling;
    Report report = mistake({"pollsForEver", 1, 32});
    EXPECT_EQ(report.kind, "deadlock");
    EXPECT_EQ(report.line, lineOf("pollsForEver"));
  }
}

TEST_F(Core, StackOverflowIsAReport) {
  for (int repetition = 0; repetition < 2; ++repetition) {
    Report report = mistake({"overflowsItsStack"});
    EXPECT_EQ(report.kind, "fault");
    EXPECT_THAT(report.message, HasSubstr("stack"));
  }
  // The host goes on: its exceptions and the next launch work.
  try {
    Kernel::load(SLUICE_KERNELS "/core.so", "missing");
    FAIL() << "expected an error";
  } catch (const UserError &error) {
    EXPECT_STREQ(error.what(), "expected an entry point 'missing' (SLUICE_EXPORT(missing) after the kernel) in "
                               SLUICE_KERNELS "/core.so, got none");
  }
  EXPECT_TRUE(run({"copies"}).clean());
}

TEST_F(Core, FaultsAreReports) {
  EXPECT_THAT(mistake({"dividesByZero"}).text(),
              HasSubstr("fault: dividesByZero, thread 5, block (0,0,0): integer"));
  EXPECT_THAT(mistake({"goesWhereCodeEnds"}).text(),
              HasSubstr("fault: goesWhereCodeEnds, thread 5, block (0,0,0)"));
  EXPECT_TRUE(run({"copies"}).clean());
}

TEST_F(Core, LoopsWithoutEndAreReports) {
  options.patience = 0.1;
  for (bool check : {false, true}) {
    options.check = check;
    Report reads = mistake({"readsForEver"});
    EXPECT_EQ(reads.kind, "endless loop");
    EXPECT_EQ(reads.line, lineOf("readsForEver"));
    EXPECT_THAT(reads.message, HasSubstr("has run for 0.1 s or more"));
    Report computes = mistake({"computesForEver"});
    EXPECT_EQ(computes.kind, "endless loop");
    EXPECT_GE(computes.thread, 0);
    EXPECT_TRUE(run({"copies"}).clean());
  }
}

TEST_F(Core, NoPatienceIsNoLimit) {
  options.patience = 0;
  for (bool check : {false, true}) {
    options.check = check;
    EXPECT_TRUE(run({"computesForLong", 1, 32}).clean());
  }
}

TEST_F(Core, MoreResidentThreadsThanAnyGpuHas) {
  EXPECT_THROW(run({"meets", 100000, 1024, true}), UserError);
}

} // namespace
} // namespace sluice::emulator
