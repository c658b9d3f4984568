// Who waits where when nothing can go on.
#include "runtime/emulator/Launch.h"
#include "runtime/emulator/Report.h"
#include "runtime/emulator/Scheduler.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace sluice::emulator {

namespace {

struct Group {
  uint64_t threads = 0;
  std::set<uint64_t> blocks;
  const Thread *example = nullptr;
};

std::string describe(const Thread &thread) {
  std::string text = thread.wait.primitive;
  if (thread.wait.describe)
    text += " (" + thread.wait.describe(thread) + ")";
  return text + " at " + placeOf(thread.wait.site);
}

/// "32 threads wait in syncThreads at kernel.cu:12", and where those are if several blocks are stuck.
std::string describe(const std::string &wait, const Group &group, bool severalBlocks) {
  std::string text =
      std::to_string(group.threads) + (group.threads == 1 ? " thread waits in " : " threads wait in ") + wait;
  if (severalBlocks)
    text += " in " + std::to_string(group.blocks.size()) + " blocks, for example " +
            positionText(group.example->inBlock->position);
  return text;
}

std::string notResident(const LaunchState &launch) {
  uint64_t waiting = launch.order.size() - std::min<uint64_t>(launch.next.load(), launch.order.size());
  if (!launch.cooperative || !waiting)
    return "";
  return "; " + std::to_string(waiting * launch.clusterBlocks) +
         " blocks are not resident: the launch keeps " +
         std::to_string(launch.residentClusters * launch.clusterBlocks) + " at once";
}

/// What the modules know of the block: "; in block (1,0,0): phase 0 of the mbarrier ... lacks 1 arrival".
std::string detailsOf(const Block &block, bool first, bool named) {
  std::string text;
  for (const std::unique_ptr<BlockPart> &part : block.parts)
    if (part)
      part->describeDeadlock(block, text);
  if (text.empty())
    return text;
  std::string where = named ? "in block " + positionText(block.position) + ": " : "";
  return (first ? "" : "; ") + where + text;
}

} // namespace

void Scheduler::reportDeadlock() {
  std::map<std::string, Group> groups;
  uint64_t exited = 0, stuckBlocks = 0;
  std::string details;
  for (Cluster *cluster : residents)
    for (const std::unique_ptr<Block> &block : cluster->blocks) {
      stuckBlocks += block->alive != 0;
      for (Thread &thread : block->threads) {
        if (thread.state == ThreadState::exited) {
          ++exited;
          continue;
        }
        Group &group = groups[describe(thread)];
        ++group.threads;
        group.blocks.insert(block->index);
        if (!group.example)
          group.example = &thread;
      }
      if (details.size() < 1000)
        details += detailsOf(*block, details.empty(), residents.size() * launch.clusterBlocks > 1);
    }
  std::string message;
  const Group *largest = nullptr;
  for (const auto &[text, group] : groups) {
    message += (message.empty() ? "" : "; ") + describe(text, group, stuckBlocks > 1);
    if (!largest || group.threads > largest->threads)
      largest = &group;
  }
  if (exited)
    message += "; " + std::to_string(exited) + (exited == 1 ? " thread has exited" : " threads have exited");
  message += notResident(launch);
  if (!details.empty())
    message += "; " + details;
  launch.endAt(place());
  Report report;
  report.kind = "deadlock";
  report.kernel = launch.kernelName;
  report.file = largest->example->wait.site.file_name();
  report.line = largest->example->wait.site.line();
  report.block = largest->example->inBlock->position;
  report.wholeLaunch = stuckBlocks > 1;
  report.message = message;
  if (machine.reports->first("deadlock", largest->example->wait.site, 0))
    machine.reports->keep(std::move(report));
}

} // namespace sluice::emulator
