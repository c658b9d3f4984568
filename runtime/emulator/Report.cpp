// The texts of reports and the collection of those that are kept.
#include "runtime/emulator/Report.h"

#include "runtime/emulator/Scheduler.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

namespace sluice::emulator {

std::string positionText(const std::array<uint32_t, 3> &position) {
  return "(" + std::to_string(position[0]) + "," + std::to_string(position[1]) + "," +
         std::to_string(position[2]) + ")";
}

std::string Report::text() const {
  std::string text = kind + ": " + kernel;
  if (line)
    text += " at " + file + ":" + std::to_string(line);
  if (thread >= 0)
    text += ", thread " + std::to_string(thread);
  if (!wholeLaunch)
    text += ", block " + positionText(block);
  text += ": " + message;
  if (!earlier.empty())
    text += "; earlier: " + earlier;
  return text;
}

std::string placeOf(Site site) {
  std::string_view file = site.file_name();
  if (file.empty())
    return "an unknown place";
  return std::string(file.substr(file.rfind('/') + 1)) + ":" + std::to_string(site.line());
}

std::string nameOf(const Thread &thread) {
  return "thread " + std::to_string(thread.thread) + " of block " + positionText(thread.inBlock->position);
}

bool ReportSink::first(std::string_view kind, Site site, uint64_t earlier) {
  ++batch.count;
  if (seen.size() >= kept || !seen.emplace(kind, identity(site), earlier).second)
    return false;
  return true;
}

ReportBatch ReportSink::take(uint64_t order) {
  batch.order = order;
  seen.clear();
  return std::exchange(batch, ReportBatch());
}

bool wanted(Thread &thread, std::string_view kind, Site site, uint64_t earlier) {
  return thread.machine->reports->first(kind, site, earlier);
}

void keepReport(Thread &thread, std::string_view kind, Site site, const std::string &message,
                const std::string &earlier) {
  Report report;
  report.kind = kind;
  report.kernel = thread.machine->launch.kernelName;
  report.file = site.file_name();
  report.line = site.line();
  report.block = thread.inBlock->position;
  report.thread = static_cast<int32_t>(thread.thread);
  report.message = message;
  report.earlier = earlier;
  thread.machine->reports->keep(std::move(report));
}

void report(Thread &thread, std::string_view kind, Site site, const std::string &message,
            const std::string &earlier) {
  if (wanted(thread, kind, site, std::hash<std::string>()(earlier)))
    keepReport(thread, kind, site, message, earlier);
}

void reportBlock(const Block &block, std::string_view kind, Site site, const std::string &message) {
  ReportSink &sink = *block.machine->reports;
  if (!sink.first(kind, site, std::hash<std::string>()(message)))
    return;
  Report report;
  report.kind = kind;
  report.kernel = block.machine->launch.kernelName;
  report.file = site.file_name();
  report.line = site.line();
  report.block = block.position;
  report.message = message;
  sink.keep(std::move(report));
}

void fatal(Thread &thread, std::string_view kind, Site site, const std::string &message,
           const std::string &earlier) {
  report(thread, kind, site, message, earlier);
  thread.machine->scheduler->abandon();
}

void reportExitBeforeMeeting(Thread &thread, Warp &warp) {
  std::string message = nameOf(thread) + " leaves the kernel while " +
                        std::to_string(std::popcount(warp.arrived)) + " lanes of its warp wait for it in " +
                        warp.primitive + " at " + placeOf(warp.site);
  fatal(thread, "exit before a collective", warp.site, message);
}

void reportMeetingExited(Thread &thread, Warp &warp, const Wait &wait) {
  fatal(thread, "exit before a collective", wait.site,
        nameOf(thread) + " comes to " + wait.primitive + ", but " +
            std::to_string(std::popcount(warp.exited)) + " lanes of its warp have left the kernel, lane " +
            std::to_string(std::countr_zero(warp.exited)) + " among them");
}

void reportDivergence(Thread &thread, Warp &warp, const Wait &wait) {
  unsigned lane = static_cast<unsigned>(std::countr_zero(warp.arrived));
  fatal(thread, "divergent collective", wait.site,
        std::string("lane ") + std::to_string(thread.lane) + " of warp " + std::to_string(warp.index) +
            " comes to " + wait.primitive + ", expected " + warp.primitive + " at " + placeOf(warp.site),
        nameOf(warp.thread(lane)) + " in " + warp.primitive + " at " + placeOf(warp.site));
}

void LaunchState::addBatch(ReportBatch batch) {
  if (!batch.count)
    return;
  std::lock_guard lock(mutex);
  batches.push_back(std::move(batch));
}

void LaunchState::collectReports(Result &result) {
  std::sort(batches.begin(), batches.end(),
            [](const ReportBatch &a, const ReportBatch &b) { return a.order < b.order; });
  std::set<std::tuple<std::string, std::string, uint32_t, std::string>> seen;
  for (ReportBatch &batch : batches) {
    // What ran beside the place where the launch ended depends on the host.
    if (batch.order > last.load())
      continue;
    result.reportCount += batch.count;
    for (Report &report : batch.reports) {
      // Of the earlier access only its place tells reports apart, not the thread.
      std::string earlier =
          report.earlier.substr(std::min(report.earlier.size(), report.earlier.rfind(" at ")));
      if (result.reports.size() < options.maxReports &&
          seen.emplace(report.kind, report.file, report.line, earlier).second)
        result.reports.push_back(std::move(report));
    }
  }
}

} // namespace sluice::emulator
