// The products that warpgroups have in flight. Each warp issues, commits and waits by itself: what a wait
// says of the operands in shared memory holds for the reads of that warp only, which are one agent of the
// clocks.
#pragma once

#include "runtime/emulator/WgmmaProduct.h"

#include <deque>

namespace sluice::emulator {

/// Four warps.
class Warpgroup {
public:
  Warpgroup(Block &block, uint32_t index) : block(block), index(index) {}
  /// What has not landed when the block is gone never does.
  ~Warpgroup() {
    for (const std::shared_ptr<WgmmaProduct> &one : products)
      one->landed = true;
  }
  Warpgroup(const Warpgroup &) = delete;
  Warpgroup &operator=(const Warpgroup &) = delete;

  void fence(Warp &warp) { ++of(warp).fences; }
  void issue(Warp &warp);
  void commit(Warp &warp) { ++of(warp).committed; }
  /// Whether at most `pending` of the warp's groups are left; if not, `goOn` follows when the other warps
  /// have come.
  bool wait(Warp &warp, uint32_t pending);
  /// Products land in the order of issue.
  void computeThrough(uint64_t number);
  const uint32_t *fences(const Warp &warp) { return &of(warp).fences; }
  /// The youngest product in flight that uses the registers; null if none does.
  WgmmaProduct *user(const device::AsyncRegisters *registers);
  void vanish(const device::AsyncRegisters *registers);
  void reportUnfinished(Thread &thread);
  void describe(std::string &text) const;

private:
  struct WarpState {
    uint32_t fences = 1;               ///< Fragments count from 0: never touched.
    uint64_t issued = 0, released = 0; ///< Numbers of the next products.
    uint32_t committed = 0;            ///< Groups; products belong to `committed + 1`.
    uint32_t wanted = 0;               ///< Waits for groups up to this one; 0: does not wait.
    Actor agent = 0;
  };
  WarpState &of(const Warp &warp) { return warps[warp.index % 4]; }
  WgmmaProduct &product(uint64_t number) { return *products[number - first]; }
  WgmmaProduct &begin(const device::WgmmaCall &call, Site site);
  void checkFences(Warp &warp);
  void recordReads(Warp &warp, const WgmmaProduct &issued);
  void completed(WgmmaProduct &last);
  /// Releases the warp's products up to a group if all warps have issued them.
  bool release(Warp &warp, uint32_t upTo);

  Block &block;
  uint32_t index;
  std::array<WarpState, 4> warps;
  std::deque<std::shared_ptr<WgmmaProduct>> products; ///< From number `first` on.
  std::vector<std::shared_ptr<WgmmaProduct>> spare;
  uint64_t first = 0, computed = 0;
};

} // namespace sluice::emulator
