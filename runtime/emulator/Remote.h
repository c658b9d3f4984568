// Shared memory of the other blocks of a cluster: addresses, and the rule that a block may not end before the
// operations that reach its shared memory are over.
#pragma once

#include "runtime/emulator/Access.h"
#include "runtime/emulator/Machine.h"

namespace sluice::emulator {

/// A place in the shared memory of a block of the cluster.
struct RemotePlace {
  Block *owner = nullptr;
  uint32_t address = 0; ///< In the owner's shared window.
};

/// Shared-window address of a peer: its rank and the address in its own window.
constexpr uint32_t remoteAddress(uint32_t rank, uint32_t address) { return (rank + 1) << 24 | address; }
/// An address that mapShared has made, or one of the thread's own block. Reports and returns null for a block
/// that the cluster does not have, and for one that has ended.
RemotePlace remotePlace(Thread &thread, uint32_t address, const char *primitive, Site site);
/// The block of that rank, if it has not ended. Reports, too, if it may not have started.
Block *livePeer(Thread &thread, uint32_t rank, const char *primitive, Site site);

/// What some thread of the block must know to be over before the block ends.
class ExitDuties : public BlockPart {
public:
  explicit ExitDuties(Block &) {}
  static void add(Block &owner, Thread &thread, Actor actor, uint32_t epoch, const char *primitive,
                  Site site);

  /// A thread of the block has passed the cluster's barrier, to which others came that knew what is in
  /// `known`.
  static void passed(Block &owner, SyncClock &known);

  void threadExits(Thread &thread) override;
  void blockEnds(Block &block) override;

private:
  void fulfil(const Clock &clock);
  struct Duty {
    Actor actor;
    uint32_t epoch;
    Thread *by;
    const char *primitive;
    Site site;
  };
  std::vector<Duty> duties; ///< The latest of each actor.
};

} // namespace sluice::emulator
