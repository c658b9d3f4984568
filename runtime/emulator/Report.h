// Collects what is wrong with a kernel, each mistake once.
#pragma once

#include "runtime/emulator/Launch.h"
#include "runtime/emulator/Machine.h"

#include <set>
#include <string>
#include <tuple>

namespace sluice::emulator {

/// The reports of one host thread.
class ReportSink {
public:
  explicit ReportSink(uint32_t kept) : kept(kept) {}
  /// Counts a report. Whether its text is to be kept: it is the first of its kind, place and earlier place.
  bool first(std::string_view kind, Site site, uint64_t earlier);
  void keep(Report report) { batch.reports.push_back(std::move(report)); }
  /// What was collected since the last call.
  ReportBatch take(uint64_t order);

private:
  uint32_t kept;
  ReportBatch batch;
  std::set<std::tuple<std::string, const void *, uint64_t>> seen;
};

/// "(1,0,0)"
std::string positionText(const std::array<uint32_t, 3> &position);
/// A report whose text is known to be wanted.
void keepReport(Thread &thread, std::string_view kind, Site site, const std::string &message,
                const std::string &earlier);
/// A lane has left the kernel while others of its warp wait for it.
[[noreturn]] void reportExitBeforeMeeting(Thread &thread, Warp &warp);
/// A lane comes to a collective that others of its warp have left the kernel before.
[[noreturn]] void reportMeetingExited(Thread &thread, Warp &warp, const Wait &wait);
/// Lanes of one warp have come to different calls.
[[noreturn]] void reportDivergence(Thread &thread, Warp &warp, const Wait &wait);

} // namespace sluice::emulator
