// Issue, groups and waits of wgmma.
#include "runtime/emulator/Wgmma.h"

#include <algorithm>

namespace sluice::emulator {
namespace {

/// The warpgroups of a block.
class Warpgroups : public BlockPart {
public:
  explicit Warpgroups(Block &block) {
    for (uint32_t i = 0; i < (block.warps.size() + 3) / 4; ++i)
      groups.emplace_back(block, i);
  }
  static Warpgroup &of(const Warp &warp) {
    return warp.block->part<Warpgroups>(Part::wgmma).groups[warp.index / 4];
  }
  void threadExits(Thread &thread) override { groups[thread.thread / 128].reportUnfinished(thread); }
  void describeDeadlock(const Block &, std::string &text) override {
    for (const Warpgroup &group : groups)
      group.describe(text);
  }

private:
  std::deque<Warpgroup> groups;
};

} // namespace

WgmmaProduct &Warpgroup::begin(const device::WgmmaCall &call, Site site) {
  std::shared_ptr<WgmmaProduct> fresh;
  if (!spare.empty()) {
    fresh = std::move(spare.back());
    spare.pop_back();
  } else {
    fresh = std::make_shared<WgmmaProduct>(*this);
  }
  fresh->begin(first + products.size(), call, site);
  products.push_back(fresh);
  return *fresh;
}

/// PTX asks for wgmma.fence before the first product, and between an access to registers and a product that
/// uses them.
void Warpgroup::checkFences(Warp &warp) {
  uint32_t now = of(warp).fences;
  for (unsigned lane = 0; lane < 32; ++lane) {
    const auto &call = *static_cast<const device::WgmmaCall *>(warp.arguments[lane]);
    bool accumulator = call.accumulator->touchedAt == now;
    bool operand = call.aRegisters && call.aRegisters->touchedAt == now;
    if (!accumulator && !operand && now != 1)
      continue;
    report(warp.thread(lane), "missing fence", warp.site,
           now == 1      ? "expected wgmmaFence before the first wgmma of the warp"
           : accumulator ? "the accumulator was accessed after the last wgmmaFence"
                         : "the operand's registers were accessed after the last wgmmaFence");
    return;
  }
}

/// A warp reads what all its lanes know to be written: lanes that know differently are asked one by one.
void Warpgroup::recordReads(Warp &warp, const WgmmaProduct &issued) {
  WarpState &state = of(warp);
  if (!state.agent)
    state.agent = block.cluster->addActor({"wgmma of warp", block.rank, warp.index});
  Agent agent{state.agent, state.committed + 1, true};
  const Clock *asked = nullptr;
  for (unsigned lane = 0; lane < 32; ++lane) {
    const Clock &clock = warp.thread(lane).clock;
    if (asked && clock.known == asked->known && clock.foreign == asked->foreign)
      continue;
    asked = &clock;
    issued.record(warp.thread(lane), warp.index % 4, agent);
  }
}

void Warpgroup::issue(Warp &warp) {
  WarpState &state = of(warp);
  const auto &call = *static_cast<const device::WgmmaCall *>(warp.arguments[0]);
  checkFences(warp);
  if ((call.a | call.b) & device::descriptorLostBits)
    report(warp.thread(0), "misaligned", warp.site,
           "wgmma: expected a descriptor whose start and stride are multiples of 16 bytes");
  bool firstWarp = state.issued == first + products.size();
  WgmmaProduct &issued = firstWarp ? begin(call, warp.site) : product(state.issued);
  ++state.issued;
  if (!issued.join(warp, state.committed + 1))
    report(warp.thread(0), "wgmma misuse", warp.site,
           "expected the same wgmma with the same operands from all threads of the warpgroup",
           "wgmma at " + placeOf(issued.site));
  for (const OperandPieces *operand : {&issued.a, &issued.b})
    if (const uint32_t *outside = operand->firstOutside(block.sharedBytes)) {
      issued.readable = false;
      report(warp.thread(0), "out of bounds", warp.site,
             std::string("operand ") + (operand == &issued.a ? "A" : "B") +
                 " of wgmma reaches shared offset " +
                 std::to_string(int64_t{*outside} - sluiceEmuSharedBase) +
                 ", expected one within the block's " + std::to_string(block.sharedBytes) + " bytes");
    }
  if (block.machine->checking() && issued.readable)
    recordReads(warp, issued);
  if (issued.complete())
    completed(issued);
}

void Warpgroup::completed(WgmmaProduct &last) {
  if (block.counters) {
    uint32_t bytes = 16 * static_cast<uint32_t>(last.a.addresses.size() + last.b.addresses.size());
    block.counters->sharedModel({last.site.file_name(), last.site.line(), "wgmma"}, bytes);
    block.counters->tensorFlops(uint64_t{2} * 64 * 16 * last.call.n);
  }
  if (block.machine->options().completion != Completion::lazy)
    block.machine->issue(products[last.number - first]);
  for (uint32_t i = 0; i < 4; ++i)
    if (WarpState &state = warps[i]; state.wanted) {
      Warp &warp = block.warps[index * 4 + i];
      if (release(warp, state.wanted))
        warp.goOn();
    }
}

void Warpgroup::computeThrough(uint64_t number) {
  for (; computed <= number; ++computed) {
    product(computed).landed = true;
    product(computed).compute(block);
  }
}

bool Warpgroup::wait(Warp &warp, uint32_t pending) {
  WarpState &state = of(warp);
  return release(warp, state.committed - std::min(state.committed, pending));
}

bool Warpgroup::release(Warp &warp, uint32_t upTo) {
  WarpState &state = of(warp);
  unsigned quarter = warp.index % 4;
  uint64_t end = state.released;
  while (end < state.issued && product(end).epochs[quarter] <= upTo)
    ++end;
  state.wanted = 0;
  if (end > state.released && !product(end - 1).complete()) {
    state.wanted = upTo;
    return false;
  }
  if (end > state.released)
    computeThrough(end - 1);
  for (; state.released < end; ++state.released)
    product(state.released).release(quarter);
  uint64_t least = std::min({warps[0].released, warps[1].released, warps[2].released, warps[3].released});
  for (; first < least; ++first) {
    if (products.front().use_count() == 1)
      spare.push_back(std::move(products.front()));
    products.pop_front();
  }
  if (block.machine->checking() && state.agent)
    for (unsigned lane = 0; lane < 32; ++lane)
      learn(warp.thread(lane).clock, state.agent, upTo, block.machine->joiner);
  return true;
}

WgmmaProduct *Warpgroup::user(const device::AsyncRegisters *registers) {
  auto found =
      std::find_if(products.rbegin(), products.rend(), [&](const auto &one) { return one->uses(registers); });
  return found == products.rend() ? nullptr : found->get();
}

void Warpgroup::vanish(const device::AsyncRegisters *registers) {
  for (const std::shared_ptr<WgmmaProduct> &one : products)
    one->forget(registers);
}

void Warpgroup::reportUnfinished(Thread &thread) {
  WarpState &state = of(*thread.inWarp);
  if (state.released != state.issued)
    report(thread, "in flight at exit", product(state.issued - 1).site,
           "the warp ends without having waited for its wgmma");
}

void Warpgroup::describe(std::string &text) const {
  for (const std::shared_ptr<WgmmaProduct> &one : products)
    if (!one->complete()) {
      text += (text.empty() ? "the wgmma at " : "; the wgmma at ") + placeOf(one->site) + " lacks warps";
      for (uint32_t i = 0; i < 4; ++i)
        if (!(one->issued >> i & 1))
          text += " " + std::to_string(index * 4 + i);
      return;
    }
}

namespace {

using Body = bool (*)(Warp &);

/// Meets unless the call is skipped.
void meetFor(const char *primitive, Site site, void *arguments, Body body) {
  Thread &thread = currentThread();
  if (alteration(thread, site, primitive) == Alteration::skip)
    return;
  auto describe = [](const Thread &) {
    return std::string("the other lanes of its warp, or warps of its warpgroup");
  };
  thread.machine->meet(thread, {primitive, site, describe}, arguments, body);
}

} // namespace
} // namespace sluice::emulator

namespace sluice::device {
using namespace emulator;
extern "C" {

const u32 *sluiceEmuWgmmaFences() {
  const Warp &warp = *currentThread().inWarp;
  return Warpgroups::of(warp).fences(warp);
}

void sluiceEmuWgmma(const WgmmaCall *call, Site site) {
  meetFor("wgmma", site, const_cast<WgmmaCall *>(call), [](Warp &warp) {
    Warpgroups::of(warp).issue(warp);
    return true;
  });
}

void sluiceEmuWgmmaFence(Site site) {
  meetFor("wgmmaFence", site, nullptr, [](Warp &warp) {
    Warpgroups::of(warp).fence(warp);
    return true;
  });
}

void sluiceEmuWgmmaCommit(Site site) {
  meetFor("wgmmaCommit", site, nullptr, [](Warp &warp) {
    Warpgroups::of(warp).commit(warp);
    return true;
  });
}

void sluiceEmuWgmmaWait(u32 pending, Site site) {
  Thread &thread = currentThread();
  Alteration how = alteration(thread, site, "wgmmaWait");
  if (how == Alteration::skip)
    return;
  uint32_t left = how == Alteration::pendingPlusOne ? pending + 1 : pending;
  auto describe = [](const Thread &) { return std::string("the other warps of its warpgroup"); };
  thread.machine->meet(thread, {"wgmmaWait", site, describe}, &left, [](Warp &warp) {
    return Warpgroups::of(warp).wait(warp, *static_cast<const uint32_t *>(warp.arguments[0]));
  });
}

void sluiceEmuWgmmaTouched(AsyncRegisters *registers, Site site) {
  Thread &thread = currentThread();
  const WgmmaProduct *user = Warpgroups::of(*thread.inWarp).user(registers);
  report(thread, "touched in flight", site, "registers are accessed while a wgmma owns them",
         user ? "wgmma at " + placeOf(user->site) : std::string());
}

void sluiceEmuWgmmaVanished(AsyncRegisters *registers) {
  Thread &thread = currentThread();
  Warpgroup &group = Warpgroups::of(*thread.inWarp);
  if (const WgmmaProduct *user = group.user(registers))
    report(thread, "touched in flight", user->site, "registers go out of scope while this wgmma owns them");
  group.vanish(registers);
}

} // extern "C"
} // namespace sluice::device
