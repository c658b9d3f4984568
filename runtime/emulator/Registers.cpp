// setmaxnreg, with the pool of registers of a block, and the fences between the proxies.
#include "codegen/cuda/device/emu/AbiAsync.h"
#include "runtime/emulator/Machine.h"
#include "runtime/emulator/Mbarrier.h"

#include <algorithm>

namespace sluice::emulator {
namespace {

constexpr uint32_t registersOfMultiprocessor = 65536;

/// What ptxas may give each thread when the launch bounds are all that is known.
uint32_t registersByBounds(const BoundLaunch &launch) {
  uint32_t perThread = registersOfMultiprocessor / (launch.threads * std::max(1u, launch.blocksPerSm));
  return std::min(perThread / 8 * 8, 248u);
}

/// The registers of one block: what each warp owns and what none does.
class RegisterPool : public BlockPart {
public:
  explicit RegisterPool(Block &block) : warps(block.warps.size()) {
    const BoundLaunch &launch = block.machine->bound();
    uint32_t atLaunch = launch.registersAtLaunch ? launch.registersAtLaunch : registersByBounds(launch);
    for (WarpRegisters &warp : warps)
      warp.owned = (atLaunch + 7) / 8 * 8;
  }

  /// Whether the warp has them at once.
  bool change(Warp &warp, uint32_t registers, bool increase) {
    WarpRegisters &own = warps[warp.index];
    own.changes.push_back({registers, warp.site});
    checkDirection(warp, own, registers, increase);
    if (registers <= own.owned) {
      available += own.owned - registers;
      own.owned = registers;
      grant(*warp.block);
      return true;
    }
    own.wanted = registers;
    grantOne(own);
    return own.wanted == 0;
  }

  void blockEnds(Block &block) override {
    checkRoles(block);
    for (size_t group = 0; group < warps.size(); group += 4)
      for (size_t i = group + 1; i < std::min(group + 4, warps.size()); ++i)
        if (!(warps[i].changes == warps[group].changes)) {
          const auto &longer =
              warps[i].changes.size() > warps[group].changes.size() ? warps[i] : warps[group];
          reportBlock(block, "setmaxnreg misuse", longer.changes.back().site,
                      "warps " + std::to_string(group) + " and " + std::to_string(i) +
                          " of one warpgroup do not execute the same changes of their registers");
          break;
        }
  }

  void describeDeadlock(const Block &, std::string &text) override {
    for (size_t i = 0; i < warps.size(); ++i)
      if (warps[i].wanted)
        text += (text.empty() ? "warp " : "; warp ") + std::to_string(i) + " wants " +
                std::to_string(warps[i].wanted - warps[i].owned) + " more registers per thread, " +
                std::to_string(available) + " are free: never freed by the others";
  }

private:
  struct Change {
    uint32_t registers;
    Site site;
    bool operator==(const Change &other) const { return registers == other.registers; }
  };
  struct WarpRegisters {
    uint32_t owned = 0, wanted = 0;
    std::vector<Change> changes;
  };

  void checkDirection(Warp &warp, const WarpRegisters &own, uint32_t registers, bool increase) {
    if (increase ? registers < own.owned : registers > own.owned)
      report(warp.thread(0), "setmaxnreg misuse", warp.site,
             std::string("expected at ") + (increase ? "least" : "most") + " the " +
                 std::to_string(own.owned) + " registers that the warp has, got " +
                 std::to_string(registers) + assumption(*warp.block, own));
  }

  /// Said with a number of registers that the warp has from its launch, if that is not the compiler's.
  static std::string assumption(const Block &block, const WarpRegisters &own) {
    const BoundLaunch &launch = block.machine->bound();
    if (launch.registersAtLaunch != 0 || own.changes.size() != 1)
      return {};
    return "; the most that the launch bounds allow is assumed at launch, as the record's registersAtLaunch "
           "is 0";
  }

  /// A change by the warp or, failing that, by another.
  Site anySite(size_t warp) const {
    for (size_t i = 0; i < warps.size(); ++i)
      if (const auto &changes = warps[(warp + i) % warps.size()].changes; !changes.empty())
        return changes.back().site;
    return Site();
  }

  /// The record says how many registers each role may use; ptxas relies on it.
  void checkRoles(Block &block) {
    size_t warp = 0;
    for (const RoleRecord &role : block.machine->bound().roles)
      for (int64_t thread = 0; thread < role.threads && warp < warps.size(); thread += 32, ++warp)
        if (role.registers != 0 && warps[warp].owned != role.registers)
          reportBlock(block, "setmaxnreg misuse", anySite(warp),
                      "warp " + std::to_string(warp) + " of role '" + role.name + "' ends with " +
                          std::to_string(warps[warp].owned) +
                          " registers per thread, the launch record says " + std::to_string(role.registers));
  }

  bool grantOne(WarpRegisters &own) {
    if (own.wanted - own.owned > available)
      return false;
    available -= own.wanted - own.owned;
    own.owned = own.wanted;
    own.wanted = 0;
    return true;
  }

  void grant(Block &block) {
    for (size_t i = 0; i < warps.size(); ++i)
      if (warps[i].wanted && grantOne(warps[i]))
        block.warps[i].goOn();
  }

  std::vector<WarpRegisters> warps;
  uint32_t available = 0; ///< Per thread of one warp.
};

struct Request {
  uint32_t registers;
  bool increase;
};

bool changeRegisters(Warp &warp) {
  const auto &request = *static_cast<const Request *>(warp.arguments[0]);
  return warp.block->part<RegisterPool>(Part::registers).change(warp, request.registers, request.increase);
}

void requestRegisters(uint32_t registers, bool increase, Site site) {
  Thread &thread = currentThread();
  const char *primitive = increase ? "increaseRegisters" : "decreaseRegisters";
  if (alteration(thread, site, primitive) == Alteration::skip)
    return;
  Request request{registers, increase};
  thread.machine->meet(thread, {primitive, site, [](const Thread &) { return std::string("registers"); }},
                       &request, changeRegisters);
}

void fenceProxies(const char *primitive, bool shared, bool global, Site site) {
  Thread &thread = currentThread();
  if (alteration(thread, site, primitive) == Alteration::skip)
    return;
  if (shared && thread.inBlock->existing(Part::mbarriers))
    Mbarriers::of(*thread.inBlock).fence(thread, false);
  if (!thread.machine->checking())
    return;
  if (shared)
    thread.clock.fence(fencedShared);
  if (global)
    thread.clock.fence(fencedGlobal);
}

} // namespace
} // namespace sluice::emulator

namespace sluice::device {
extern "C" {

void sluiceEmuIncreaseRegisters(u32 registers, Site site) {
  emulator::requestRegisters(registers, true, site);
}
void sluiceEmuDecreaseRegisters(u32 registers, Site site) {
  emulator::requestRegisters(registers, false, site);
}

void sluiceEmuFenceProxyAsyncShared(Site site) {
  emulator::fenceProxies("fenceProxyAsyncShared", true, false, site);
}
void sluiceEmuFenceProxyAsyncGlobal(Site site) {
  emulator::fenceProxies("fenceProxyAsyncGlobal", false, true, site);
}
void sluiceEmuFenceProxyAsync(Site site) { emulator::fenceProxies("fenceProxyAsync", true, true, site); }

} // extern "C"
} // namespace sluice::device
