// Copies of boxes of tensor maps and of contiguous pieces, between global and shared memory and to peers.
#include "codegen/cuda/device/emu/AbiAsync.h"
#include "runtime/emulator/Access.h"
#include "runtime/emulator/BulkGroups.h"
#include "runtime/emulator/Mbarrier.h"
#include "runtime/emulator/Remote.h"
#include "runtime/emulator/TensorMap.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <utility>

namespace sluice::emulator {
namespace {

constexpr uint32_t pieceAlignment = 16;

/// A copy as the thread that starts it sees it.
struct CopyCall {
  Thread &thread;
  const char *primitive;
  Site site;
  Alteration altered = alteration(thread, site, primitive);
  bool checking = thread.machine->checking();

  bool skipped() const { return altered == Alteration::skip; }
  uint32_t bytes(uint32_t asked) const {
    return altered == Alteration::lessBytes ? asked - pieceAlignment : asked;
  }

  Access access(uint32_t bytes, AccessKind kind) const { return {bytes, kind, primitive, site}; }
  void countShared(Block &owner, uint32_t bytes) const {
    if (owner.counters)
      owner.counters->sharedModel({site.file_name(), site.line(), primitive}, bytes);
  }
};

/// One end in global memory: rows of a box, or one piece.
class GlobalSide {
public:
  virtual ~GlobalSide() = default;
  virtual uint32_t bytes() const = 0;
  /// Calls body(address, bytes) for each contiguous run.
  virtual void forEachRun(const std::function<void(uint64_t, uint32_t)> &body) const = 0;
  /// Calls body(address, bytes) for what of a tile at a shared address is stored: all but what is out of
  /// bounds.
  virtual void forEachStoredRun(uint32_t tile, const std::function<void(uint32_t, uint32_t)> &body) const {
    body(tile, bytes());
  }
  /// `window` is where shared address 0 would lie.
  virtual void load(uint8_t *window, uint32_t address) const = 0;
  virtual void store(const uint8_t *window, uint32_t address) const = 0;
};

class Box : public GlobalSide {
public:
  explicit Box(const device::TensorBox &box) : map(*static_cast<const EncodedTensorMap *>(box.map)) {
    std::copy_n(box.coordinates, 5, at);
  }
  uint32_t bytes() const override { return map.boxBytes(); }
  void forEachRun(const std::function<void(uint64_t, uint32_t)> &body) const override {
    forEachRow(map, at, [&](const BoxRow &row) {
      if (row.begin != row.end)
        body(row.global, row.end - row.begin);
    });
  }
  void forEachStoredRun(uint32_t tile, const std::function<void(uint32_t, uint32_t)> &body) const override {
    uint32_t stored = 0;
    forEachRow(map, at, [&](const BoxRow &row) { stored += row.end - row.begin; });
    if (stored == bytes())
      return body(tile, stored);
    forEachRow(map, at, [&](const BoxRow &row) {
      for (uint32_t from = row.begin, to; from < row.end; from = to) {
        to = std::min(row.end, (from / pieceAlignment + 1) * pieceAlignment);
        body(device::layout::swizzled(map.swizzle, tile + row.offset + from), to - from);
      }
    });
  }
  void load(uint8_t *window, uint32_t address) const override { loadBox(map, at, window, address); }
  void store(const uint8_t *window, uint32_t address) const override { storeBox(map, at, window, address); }

private:
  const EncodedTensorMap &map; ///< The kernel's argument: outlives the copy.
  int32_t at[5];
};

class Piece : public GlobalSide {
public:
  Piece(const void *address, uint32_t count) : address(std::bit_cast<uint64_t>(address)), count(count) {}
  uint32_t bytes() const override { return count; }
  void forEachRun(const std::function<void(uint64_t, uint32_t)> &body) const override {
    body(address, count);
  }
  void load(uint8_t *window, uint32_t to) const override {
    std::memcpy(window + to, std::bit_cast<const void *>(address), count);
  }
  void store(const uint8_t *window, uint32_t from) const override {
    std::memcpy(std::bit_cast<void *>(address), window + from, count);
  }

private:
  uint64_t address;
  uint32_t count;
};

uint8_t *windowOf(Block &block) { return block.shared - sluiceEmuSharedBase; }

/// Whether all of the global side may be accessed; tells the checker and the counters.
bool reachGlobal(const CopyCall &call, const GlobalSide &side, AccessKind kind, const Agent &agent) {
  bool good = true;
  side.forEachRun([&](uint64_t address, uint32_t bytes) {
    Access access = call.access(bytes, kind);
    Allocation *allocation = globalBytes(call.thread, std::bit_cast<const void *>(address), access, 1);
    good &= allocation != nullptr;
    if (allocation && call.checking)
      recordGlobal(call.thread, *allocation, address, access, agent);
    if (allocation && call.thread.inBlock->counters)
      call.thread.inBlock->counters->globalRow(kind == AccessKind::read ? Direction::read : Direction::write,
                                               address, bytes);
  });
  return good;
}

/// Load into the shared memory of one block.
class Load : public CountedCopy {
public:
  Load(const CopyCall &call, MbarrierState &barrier, std::shared_ptr<const GlobalSide> from, uint32_t address)
      : CountedCopy(call.thread, barrier, from->bytes(), true, {call.site, call.primitive}),
        from(std::move(from)), address(address) {}
  void move() override { from->load(windowOf(barrier.block), address); }

private:
  std::shared_ptr<const GlobalSide> from;
  uint32_t address;
};

/// Loads into the own block, or into each block of the mask.
void load(const CopyCall &call, const std::shared_ptr<const GlobalSide> &from, uint32_t address,
          uint32_t alignment, uint32_t barrier, uint32_t mask) {
  Thread &thread = call.thread;
  bool reached = false;
  for (uint32_t rank = 0; mask >> rank; ++rank) {
    Block *owner = mask >> rank & 1 ? livePeer(thread, rank, call.primitive, call.site) : nullptr;
    if (!owner)
      continue;
    Access access = call.access(from->bytes(), AccessKind::write);
    MbarrierState *state = Mbarriers::of(*owner).findFenced(thread, barrier, call.primitive, call.site);
    uint8_t *destination = sharedBytes(thread, *owner, address, access, alignment);
    if (!state)
      continue;
    auto copy = std::make_shared<Load>(call, *state, from, address);
    bool good = destination && (reached || reachGlobal(call, *from, AccessKind::read, copy->agent));
    reached |= good;
    if (!good) {
      // It counts nevertheless: one report is enough, without a deadlock to follow.
      state->endCopy(thread, copy->agent.epoch, access.bytes, copy->call);
      continue;
    }
    if (call.checking) {
      recordShared(thread, *owner, sharedOffset(address), access, copy->agent);
      ExitDuties::add(*owner, thread, copy->agent.actor, copy->agent.epoch, call.primitive, call.site);
    }
    call.countShared(*owner, access.bytes);
    if (!thread.machine->landsAtOnce())
      std::memset(destination, poisonByte, access.bytes);
    thread.machine->issue(copy);
  }
}

uint32_t ownMask(const Thread &thread) { return 1u << thread.inBlock->rank; }

class Store : public BulkStore {
public:
  Store(Thread &thread, std::unique_ptr<const GlobalSide> to, const uint8_t *source, uint32_t address)
      : BulkStore(thread, source, to->bytes()), to(std::move(to)), address(address) {}

private:
  void write(const uint8_t *bytes) override { to->store(bytes - address, address); }
  std::unique_ptr<const GlobalSide> to;
  uint32_t address;
};

void store(const CopyCall &call, std::unique_ptr<const GlobalSide> to, uint32_t address, uint32_t alignment) {
  Thread &thread = call.thread;
  BulkGroups &groups = BulkGroups::of(thread);
  Access access = call.access(to->bytes(), AccessKind::read);
  const uint8_t *source = sharedBytes(thread, *thread.inBlock, address, access, alignment);
  Agent writer = call.checking ? groups.writer(thread) : Agent();
  if (!source || !reachGlobal(call, *to, AccessKind::write, writer))
    return;
  if (call.checking)
    to->forEachStoredRun(address, [&](uint32_t at, uint32_t bytes) {
      recordShared(thread, *thread.inBlock, sharedOffset(at), call.access(bytes, AccessKind::read),
                   groups.reader(thread));
    });
  call.countShared(*thread.inBlock, access.bytes);
  if (!thread.machine->landsAtOnce())
    to->forEachRun(
        [](uint64_t at, uint32_t bytes) { std::memset(std::bit_cast<void *>(at), poisonByte, bytes); });
  groups.issue(thread, std::make_shared<Store>(thread, std::move(to), source, address), call.site);
}

bool goodMap(const CopyCall &call, const void *map, uint32_t rank) {
  const auto &encoded = *static_cast<const EncodedTensorMap *>(map);
  if (!encoded.valid()) {
    report(call.thread, "tensor map misuse", call.site,
           std::string(call.primitive) + ": expected a tensor map of the launch record");
    return false;
  }
  if (rank != 0 && encoded.rank != rank) {
    report(call.thread, "tensor map misuse", call.site,
           std::string(call.primitive) + ": expected " + std::to_string(encoded.rank) + " coordinates, got " +
               std::to_string(rank));
    return false;
  }
  return true;
}

bool goodPiece(const CopyCall &call, const void *global, uint32_t bytes) {
  if (bytes != 0 && bytes % pieceAlignment == 0 && std::bit_cast<uint64_t>(global) % pieceAlignment == 0)
    return true;
  report(call.thread, "misaligned", call.site,
         std::string(call.primitive) + ": expected address and bytes to be multiples of 16, got " +
             std::to_string(bytes) + " bytes at an address that is " +
             std::to_string(std::bit_cast<uint64_t>(global) % pieceAlignment) + " past one");
  return false;
}

/// Copy to a peer. The own shared memory is read when it lands.
class PeerCopy : public CountedCopy {
public:
  PeerCopy(const CopyCall &call, MbarrierState &barrier, uint8_t *destination, const uint8_t *source,
           uint32_t bytes)
      : CountedCopy(call.thread, barrier, bytes, true, {call.site, call.primitive}),
        destination(destination), source(source) {}
  void move() override { std::memmove(destination, source, bytes); }

private:
  uint8_t *destination;
  const uint8_t *source;
};

void copyToPeer(const CopyCall &call, RemotePlace to, uint32_t from, uint32_t bytes, RemotePlace counted) {
  Thread &thread = call.thread;
  Access read = call.access(bytes, AccessKind::read), write = call.access(bytes, AccessKind::write);
  const uint8_t *source = sharedBytes(thread, *thread.inBlock, from, read, pieceAlignment);
  uint8_t *destination = sharedBytes(thread, *to.owner, to.address, write, pieceAlignment);
  MbarrierState *state =
      Mbarriers::of(*counted.owner).findFenced(thread, counted.address, call.primitive, call.site);
  if (!source || !destination || !state)
    return;
  auto copy = std::make_shared<PeerCopy>(call, *state, destination, source, bytes);
  if (call.checking) {
    recordShared(thread, *thread.inBlock, sharedOffset(from), read, copy->agent);
    recordShared(thread, *to.owner, sharedOffset(to.address), write, copy->agent);
    for (Block *block : {thread.inBlock, to.owner})
      ExitDuties::add(*block, thread, copy->agent.actor, copy->agent.epoch, call.primitive, call.site);
  }
  call.countShared(*thread.inBlock, bytes);
  call.countShared(*to.owner, bytes);
  if (!thread.machine->landsAtOnce())
    std::memset(destination, poisonByte, bytes);
  thread.machine->issue(copy);
}

} // namespace
} // namespace sluice::emulator

namespace sluice::device {
using namespace emulator;
extern "C" {

void sluiceEmuTensorLoad(u32 destination, const TensorBox *box, u32 barrier, Site site) {
  CopyCall call{currentThread(), "tensorLoad", site};
  if (!call.skipped() && goodMap(call, box->map, box->rank))
    load(call, std::make_shared<Box>(*box), destination, tileAlignment, barrier, ownMask(call.thread));
}

void sluiceEmuTensorLoadMulticast(u32 destination, const TensorBox *box, u32 barrier, u32 mask, Site site) {
  CopyCall call{currentThread(), "tensorLoadMulticast", site};
  if (!call.skipped() && goodMap(call, box->map, box->rank))
    load(call, std::make_shared<Box>(*box), destination, tileAlignment, barrier, mask);
}

void sluiceEmuTensorStore(const TensorBox *box, u32 source, Site site) {
  CopyCall call{currentThread(), "tensorStore", site};
  if (!call.skipped() && goodMap(call, box->map, box->rank))
    store(call, std::make_unique<Box>(*box), source, tileAlignment);
}

void sluiceEmuPrefetchTensorMap(const void *map, Site site) {
  CopyCall call{currentThread(), "prefetchTensorMap", site};
  if (!call.skipped())
    goodMap(call, map, 0);
}

void sluiceEmuBulkLoad(u32 destination, const void *source, u32 bytes, u32 barrier, Site site) {
  CopyCall call{currentThread(), "bulkLoad", site};
  if (!call.skipped() && goodPiece(call, source, bytes))
    load(call, std::make_shared<Piece>(source, call.bytes(bytes)), destination, pieceAlignment, barrier,
         ownMask(call.thread));
}

void sluiceEmuBulkLoadMulticast(u32 destination, const void *source, u32 bytes, u32 barrier, u32 mask,
                                Site site) {
  CopyCall call{currentThread(), "bulkLoadMulticast", site};
  if (!call.skipped() && goodPiece(call, source, bytes))
    load(call, std::make_shared<Piece>(source, call.bytes(bytes)), destination, pieceAlignment, barrier,
         mask);
}

void sluiceEmuBulkStore(void *destination, u32 source, u32 bytes, Site site) {
  CopyCall call{currentThread(), "bulkStore", site};
  if (!call.skipped() && goodPiece(call, destination, bytes))
    store(call, std::make_unique<Piece>(destination, call.bytes(bytes)), source, pieceAlignment);
}

void sluiceEmuBulkCopyToPeer(u32 destination, u32 source, u32 bytes, u32 barrier, Site site) {
  CopyCall call{currentThread(), "bulkCopyToPeer", site};
  RemotePlace to = remotePlace(call.thread, destination, call.primitive, site);
  RemotePlace counted = remotePlace(call.thread, barrier, call.primitive, site);
  if (call.skipped() || !to.owner || !counted.owner || !goodPiece(call, nullptr, bytes))
    return;
  bytes = call.bytes(bytes);
  if (to.owner == counted.owner)
    copyToPeer(call, to, source, bytes, counted);
  else
    report(call.thread, "cluster misuse", site,
           "expected the destination and the mbarrier in the same block");
}

} // extern "C"
} // namespace sluice::device
