// Logs of a run: TensorBoard's framing, the report, cutting off what a resumed run repeats.

#include "TestFiles.h"

#include "models/training/Log.h"
#include "models/training/Progress.h"
#include "models/training/Report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

using namespace sluice;
using namespace sluice::models;
using namespace sluice::models::test;
using testing::HasSubstr;
using testing::Not;

namespace {

TEST(Log, ChecksumOfTheStandard) { EXPECT_EQ(crc32c("123456789"), 0xe3069283u); }

TEST(Log, TensorBoardRecordsAreFramed) {
  Folder folder;
  {
    TensorBoard board(folder.path);
    board.scalar("training/loss", 300, 1.5);
  }
  std::string bytes, name;
  for (const auto &entry : std::filesystem::directory_iterator(folder.path))
    name = entry.path().string();
  EXPECT_THAT(name, HasSubstr("events.out.tfevents."));
  bytes = readFile(name);
  auto unmasked = [](uint32_t value) { return (value - 0xa282ead8u) >> 17 | (value - 0xa282ead8u) << 15; };
  std::vector<std::string> events;
  for (size_t at = 0; at < bytes.size();) {
    uint64_t length;
    uint32_t lengthChecksum, checksum;
    ASSERT_LE(at + 12, bytes.size());
    std::memcpy(&length, &bytes[at], 8);
    std::memcpy(&lengthChecksum, &bytes[at + 8], 4);
    EXPECT_EQ(crc32c(bytes.substr(at, 8)), unmasked(lengthChecksum));
    ASSERT_LE(at + 16 + length, bytes.size());
    events.push_back(bytes.substr(at + 12, length));
    std::memcpy(&checksum, &bytes[at + 12 + length], 4);
    EXPECT_EQ(crc32c(events.back()), unmasked(checksum));
    at += 16 + length;
  }
  ASSERT_EQ(events.size(), 2u);
  EXPECT_THAT(events[0], HasSubstr("brain.Event:2"));
  // step 300 as a varint, then the tag and 1.5 as a little-endian float.
  EXPECT_THAT(events[1], HasSubstr("\x10\xac\x02"));
  EXPECT_THAT(events[1], HasSubstr(std::string("training/loss\x15\0\0\xc0\x3f", 18)));
}

TEST(Log, ResumingDropsLaterAndBrokenLines) {
  Folder folder;
  {
    Log log(folder.path, 0, false);
    for (int64_t step = 1; step <= 3; ++step)
      log.add(StepMetrics{step, 4.0 / static_cast<double>(step), 1e-3, 1, 1000});
  }
  writeFile(folder / "metrics.jsonl", readFile(folder / "metrics.jsonl") + "{\"step\":4,\"lo");
  Log log(folder.path, 2, false);
  std::vector<StepMetrics> metrics = readMetrics(folder.path);
  ASSERT_EQ(metrics.size(), 2u);
  EXPECT_EQ(metrics[1].loss, 2.0);
  EXPECT_EQ(metrics[1].learningRate, 1e-3);
}

TEST(Log, ReportHoldsTheCurves) {
  Folder folder;
  folder.write("config.toml", "[model]\n# a < b\n");
  Log log(folder.path, 0, false);
  for (int64_t step = 1; step <= 5000; ++step)
    log.add(StepMetrics{step, 8.0 / static_cast<double>(step), 1e-3, step == 7 ? NAN : 1.0, 1000});
  log.add(HeldOutMetrics{0, 4000, 3.1});
  log.add(HeldOutMetrics{5000, 100, 1.9});
  writeReport(folder.path);
  std::string page = readFile(folder / "report.html");
  for (const char *part : {"<svg", "Training loss", "nats per token", "optimizer step", "bits per byte",
                           "Learning rate", "1.9000 bits per byte", "# a &lt; b"})
    EXPECT_THAT(page, HasSubstr(part));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_LT(page.size(), 200000u);
}

TEST(Log, Durations) {
  EXPECT_EQ(duration(5.4), "5s");
  EXPECT_EQ(duration(125), "2m05s");
  EXPECT_EQ(duration(3 * 3600 + 61), "3h01m");
}

} // namespace
