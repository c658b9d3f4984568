// The records that the race checker keeps of memory: who wrote each 2 bytes last, and who has read them
// since.
#pragma once

#include "runtime/emulator/Clock.h"
#include "runtime/emulator/GlobalRaces.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace sluice::emulator {

struct Cluster;
struct LaunchState;

/// One access: who, in which epoch, where in the source. `bits` is 0 for none.
struct Mark {
  uint64_t bits = 0;
  uint32_t domain = 0;

  static constexpr uint64_t atomicBit = 1, asyncBit = 2;
  static constexpr uint32_t lastEpoch = 0xfffffff;
  /// `bytes`: bit 0 the lower byte of the cell, bit 1 the upper.
  static Mark of(uint32_t domain, Actor actor, uint32_t epoch, uint16_t site, unsigned bytes,
                 uint64_t flags) {
    return {uint64_t(site) << 48 | uint64_t(actor) << 32 | uint64_t(epoch & lastEpoch) << 4 | bytes << 2 |
                flags,
            domain};
  }
  uint16_t site() const { return static_cast<uint16_t>(bits >> 48); }
  Actor actor() const { return static_cast<Actor>(bits >> 32); }
  uint32_t epoch() const { return static_cast<uint32_t>(bits >> 4) & lastEpoch; }
  unsigned bytes() const { return bits >> 2 & 3; }
  bool atomic() const { return bits & atomicBit; }
  bool async() const { return bits & asyncBit; }
  explicit operator bool() const { return bits; }
  /// Whether it touches no byte that the other does not.
  bool within(const Mark &other) const { return !(bytes() & ~other.bytes()); }
  /// The same of some bytes of the cell only.
  Mark of(unsigned bytes) const { return {(bits & ~uint64_t(12)) | bytes << 2, domain}; }
  bool sameActor(const Mark &other) const {
    return domain == other.domain && actor() == other.actor() && atomic() == other.atomic();
  }
};

/// Readers (and atomic updaters) since the last write, none known to be over to a later one of its kind.
struct ReaderSet {
  std::vector<Mark> marks;
  size_t pruneAt = 16;
  bool anyAtomic = false, anyPlain = false;
  void add(const Mark &mark, const Clock &clock);

private:
  void prune(const Mark &next, const Clock &clock);
};

/// 2 bytes, or a line of 16 with one history.
struct Cell {
  uint64_t write = 0;
  uint64_t read = 0;               ///< The bits of one reader, or a ReaderSet.
  uint32_t writeDomain = 0, readDomain = 0;
  static constexpr uint32_t many = 0xffffffff;
  ReaderSet *readers() const { return readDomain == many ? reinterpret_cast<ReaderSet *>(read) : nullptr; }
};

struct Line {
  Cell whole;
  Cell *parts = nullptr;           ///< Eight, or null: the line has one history.
};

/// What was wrong with an access, of several the first.
struct Conflict {
  enum class Kind { none, race, unfenced } kind = Kind::none;
  Mark earlier;
  bool earlierIsWrite = false;
};

/// One access to be checked and recorded.
struct ShadowAccess {
  const Clock *clock = nullptr;
  Mark mark;
  bool write = false;
  bool atomic = false;
  Knowledge fence = ordered;       ///< What an access of the async proxy needs to know of generic writes.
  Conflict conflict;
  bool unwritten = false;          ///< Nobody wrote some of what was read.
};

/// The lines of one range of memory, made where they are touched.
class Shadow {
public:
  explicit Shadow(uint64_t bytes) : pages(bytes / pageBytes + 1) {}
  ~Shadow() { clear(); }
  Shadow(const Shadow &) = delete;
  Shadow &operator=(const Shadow &) = delete;
  void access(uint64_t offset, uint64_t bytes, ShadowAccess &access);
  void clear();
  /// Adds what was done to lines at `base` and above.
  void sumUp(uint64_t base, uint32_t cluster, std::vector<LineSummary> &summaries) const;

private:
  static constexpr uint64_t lineBytes = 16, pageLines = 64, pageBytes = lineBytes * pageLines;
  using Page = std::array<Line, pageLines>;
  Line &line(uint64_t index);
  void accessLine(Line &line, unsigned first, unsigned last, ShadowAccess &access);
  void split(Line &line);
  void merge(Line &line);
  void accessCell(Cell &cell, ShadowAccess &access);
  void addReader(Cell &cell, ShadowAccess &access);
  void overwrite(Cell &cell, const ShadowAccess &access);
  void dropReaders(Cell &cell);
  ReaderSet *newReaders();
  static void check(const Mark &earlier, bool earlierIsWrite, ShadowAccess &access);

  std::vector<std::unique_ptr<Page>> pages;
  std::vector<uint32_t> touched;
  std::vector<std::unique_ptr<Page>> freePages;
  std::vector<Cell *> freeParts;
  std::vector<std::unique_ptr<Cell[]>> partBlocks;
  std::vector<std::unique_ptr<ReaderSet>> allReaders;
  std::vector<ReaderSet *> freeReaders;
};

class SharedShadow : public Shadow {
  using Shadow::Shadow;
};

/// The shadows of the allocations that a launch may write.
class GlobalShadow {
public:
  explicit GlobalShadow(LaunchState &launch) : launch(launch) {}
  Shadow &of(uint32_t allocation);
  /// A cluster has ended: what it did goes to `races`, and the next one begins without history.
  void sumUp(const Cluster &cluster, GlobalRaces &races);

private:
  LaunchState &launch;
  std::vector<std::unique_ptr<Shadow>> shadows;
};

} // namespace sluice::emulator
