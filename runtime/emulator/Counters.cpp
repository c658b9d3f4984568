// Counts traffic and shared-memory work. Each block collects on its own, in bitmaps of sectors of which only
// touched pages exist, and adds to the launch when it ends: sums and unions, so the order of blocks cannot
// show.
#include "runtime/emulator/Counters.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstdlib>
#include <mutex>
#include <new>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace sluice::emulator {

namespace {

constexpr uint32_t sectorBits = 5;
constexpr uint32_t pageWords = 64, pageSectors = pageWords * 64;
constexpr uint32_t banks = 32;

/// A set of sectors of one tensor that remembers which pages it has touched.
class PagedBits {
public:
  void set(uint64_t sector) {
    page(sector / pageSectors)[sector % pageSectors / 64] |= uint64_t{1} << (sector % 64);
  }

  void setRange(uint64_t first, uint64_t last) {
    for (uint64_t at = first; at <= last;) {
      uint64_t stop = std::min(last, at | 63), count = stop - at + 1;
      uint64_t ones = count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
      page(at / pageSectors)[at % pageSectors / 64] |= ones << (at % 64);
      at = stop + 1;
    }
  }

  /// Calls body(index of the word, word) for the words that are not zero, and forgets all.
  template <class Body> void drain(Body &&body) {
    for (auto [number, slot] : touched) {
      Page &bits = pages[slot];
      for (uint32_t i = 0; i < pageWords; ++i)
        if (bits[i])
          body(number * pageWords + i, bits[i]);
      bits.fill(0);
      directory[number] = 0;
    }
    touched.clear();
  }

private:
  using Page = std::array<uint64_t, pageWords>;
  std::vector<uint32_t> directory;                     ///< By page of the tensor: slot + 1, or 0.
  std::vector<Page> pages;
  std::vector<std::pair<uint64_t, uint32_t>> touched;  ///< Page and slot.

  Page &page(uint64_t number) {
    if (number >= directory.size())
      directory.resize(number + 1);
    uint32_t &entry = directory[number];
    if (!entry) {
      if (touched.size() == pages.size())
        pages.emplace_back();
      touched.push_back({number, static_cast<uint32_t>(touched.size())});
      entry = static_cast<uint32_t>(touched.size());
    }
    return pages[entry - 1];
  }
};

/// Zeroed memory that the system provides page by page as it is touched.
struct LazyWords {
  struct Free {
    void operator()(uint64_t *words) const { std::free(words); }
  };
  std::unique_ptr<uint64_t, Free> words;
  uint64_t count = 0;

  explicit LazyWords(uint64_t count) : words(static_cast<uint64_t *>(std::calloc(count, 8))), count(count) {
    if (!words)
      throw std::bad_alloc();
  }
  void merge(uint64_t index, uint64_t bits) {
    std::atomic_ref<uint64_t> word(words.get()[index]);
    if ((word.load(std::memory_order_relaxed) & bits) != bits)
      word.fetch_or(bits, std::memory_order_relaxed);
  }
};

/// What the launch knows of one tensor in one direction.
struct LaunchTraffic {
  std::atomic<uint64_t> requested{0}, distinctPerBlock{0};
  LazyWords distinct;
  explicit LaunchTraffic(uint64_t sectors) : distinct(sectors / 64 + 1) {}
  Traffic total() const {
    Traffic traffic{requested, distinctPerBlock, 0};
    for (uint64_t i = 0; i < distinct.count; ++i)
      traffic.distinctPerLaunch += std::popcount(distinct.words.get()[i]);
    return traffic;
  }
};

/// A stretch of addresses that belong to one tensor.
struct Segment {
  uint64_t begin = 0, end = 0;
  uint32_t tensor = 0;
};

struct Work {
  uint64_t instructions = 0, wavefronts = 0, conflicts = 0;
  bool model = false;
  void operator+=(const Work &other) {
    instructions += other.instructions;
    wavefronts += other.wavefronts;
    conflicts += other.conflicts;
    model |= other.model;
  }
};

/// Lines are told apart by the addresses of their strings while a block runs, and by their text in the
/// result.
struct SameLine {
  bool operator()(const CountedLine &a, const CountedLine &b) const {
    return a.file == b.file && a.line == b.line && a.primitive == b.primitive;
  }
  size_t operator()(const CountedLine &l) const {
    return std::hash<const void *>()(l.file) * 31 + std::hash<const void *>()(l.primitive) * 7 +
           l.line * 0x9e3779b9u;
  }
};
using WorkByLine = std::unordered_map<CountedLine, Work, SameLine, SameLine>;

/// The most distinct words that one bank must deliver to the lanes added so far.
class BankUse {
public:
  void add(uint64_t address, uint32_t bytes) {
    for (uint64_t word = address / 4; word <= (address + bytes - 1) / 4; ++word)
      addWord(word);
  }
  uint32_t wavefronts() const { return most; }

private:
  uint32_t most = 0;
  std::array<uint8_t, banks> used{};
  uint64_t words[banks][banks];

  void addWord(uint64_t word) {
    uint32_t bank = word % banks;
    uint64_t *known = words[bank];
    if (std::find(known, known + used[bank], word) != known + used[bank])
      return;
    known[used[bank]++] = word;
    most = std::max<uint32_t>(most, used[bank]);
  }
};

/// The tensor that an address counts for: of those that reach it, the one that starts last; of equal ones the
/// first.
std::vector<Segment> segmentsOf(const std::vector<CountedTensor> &tensors) {
  std::vector<uint64_t> bounds;
  for (const CountedTensor &tensor : tensors) {
    bounds.push_back(tensor.base);
    bounds.push_back(tensor.base + tensor.bytes);
  }
  std::ranges::sort(bounds);
  std::vector<Segment> segments;
  for (size_t i = 0; i + 1 < bounds.size(); ++i) {
    const CountedTensor *owner = nullptr;
    for (const CountedTensor &tensor : tensors)
      if (tensor.base <= bounds[i] && bounds[i] < tensor.base + tensor.bytes &&
          (!owner || tensor.base > owner->base))
        owner = &tensor;
    if (owner && bounds[i] < bounds[i + 1])
      segments.push_back({bounds[i], bounds[i + 1], static_cast<uint32_t>(owner - tensors.data())});
  }
  return segments;
}

} // namespace

struct LaunchCounters::Implementation {
  std::vector<CountedTensor> tensors;
  std::vector<Segment> segments;
  std::vector<std::unique_ptr<LaunchTraffic>> traffic;   ///< By tensor: read, written.
  std::atomic<uint64_t> unknownRead{0}, unknownWritten{0}, flops{0}, barriers{0};
  std::mutex mutex;
  std::map<std::tuple<std::string, uint32_t, std::string>, Work> lines;
};

LaunchCounters::LaunchCounters(std::vector<CountedTensor> tensors)
    : implementation(std::make_unique<Implementation>()) {
  implementation->segments = segmentsOf(tensors);
  for (const CountedTensor &tensor : tensors) {
    uint64_t sectors = ((tensor.base + tensor.bytes) >> sectorBits) - (tensor.base >> sectorBits) + 1;
    for (int direction = 0; direction < 2; ++direction)
      implementation->traffic.push_back(std::make_unique<LaunchTraffic>(sectors));
  }
  implementation->tensors = std::move(tensors);
}

LaunchCounters::~LaunchCounters() = default;

Counters LaunchCounters::result() const {
  const Implementation &all = *implementation;
  Counters counters;
  auto add = [](Traffic &to, const Traffic &from) {
    to.requested += from.requested;
    to.distinctPerBlock += from.distinctPerBlock;
    to.distinctPerLaunch += from.distinctPerLaunch;
  };
  for (size_t i = 0; i < all.tensors.size(); ++i) {
    add(counters.read[all.tensors[i].name], all.traffic[2 * i]->total());
    add(counters.written[all.tensors[i].name], all.traffic[2 * i + 1]->total());
  }
  if (all.unknownRead)
    counters.read["?"].requested = all.unknownRead;
  if (all.unknownWritten)
    counters.written["?"].requested = all.unknownWritten;
  counters.tensorFlops = all.flops;
  counters.barriers = all.barriers;
  for (const auto &[key, work] : all.lines) {
    const auto &[file, line, primitive] = key;
    counters.shared.push_back(
        {file, primitive, line, work.instructions, work.wavefronts, work.conflicts, work.model});
  }
  return counters;
}

struct BlockCounters::Implementation {
  struct BlockTraffic {
    uint64_t requested = 0;
    PagedBits distinct;
  };

  LaunchCounters::Implementation &launch;
  std::vector<BlockTraffic> traffic;   ///< As in the launch.
  const Segment *last = nullptr;
  uint64_t unknown[2] = {}, flops = 0, barriers = 0;
  WorkByLine lines;

  explicit Implementation(LaunchCounters::Implementation &launch)
      : launch(launch), traffic(launch.traffic.size()) {}

  /// Null: in no tensor.
  const Segment *find(uint64_t address) {
    if (last && address >= last->begin && address < last->end)
      return last;
    auto after = std::ranges::upper_bound(launch.segments, address, {}, &Segment::begin);
    if (after == launch.segments.begin() || address >= std::prev(after)->end)
      return nullptr;
    return last = &*std::prev(after);
  }

  /// Calls body(index of the direction) for one or both.
  template <class Body> static void forEachDirection(Direction direction, Body &&body) {
    if (direction != Direction::write)
      body(0);
    if (direction != Direction::read)
      body(1);
  }

  /// `address` lies in the sector.
  void countSector(Direction direction, uint64_t address) {
    const Segment *segment = find(address);
    forEachDirection(direction, [&](int index) {
      if (!segment) {
        ++unknown[index];
        return;
      }
      BlockTraffic &to = traffic[2 * segment->tensor + index];
      ++to.requested;
      to.distinct.set((address >> sectorBits) - (launch.tensors[segment->tensor].base >> sectorBits));
    });
  }

  void finishTraffic() {
    for (size_t i = 0; i < traffic.size(); ++i) {
      BlockTraffic &from = traffic[i];
      if (!from.requested)
        continue;
      LaunchTraffic &to = *launch.traffic[i];
      uint64_t distinct = 0;
      from.distinct.drain([&](uint64_t index, uint64_t bits) {
        distinct += std::popcount(bits);
        to.distinct.merge(index, bits);
      });
      to.requested += std::exchange(from.requested, 0);
      to.distinctPerBlock += distinct;
    }
  }

  void finishLines() {
    if (lines.empty())
      return;
    std::lock_guard guard(launch.mutex);
    for (const auto &[line, work] : lines)
      launch.lines[{line.file, line.line, line.primitive}] += work;
    lines.clear();
  }
};

BlockCounters::BlockCounters(LaunchCounters &launch)
    : implementation(std::make_unique<Implementation>(*launch.implementation)) {}

BlockCounters::~BlockCounters() = default;

void BlockCounters::global(Direction direction, const WarpAccess &access) {
  uint64_t known[64], highest = 0;
  uint32_t count = 0;
  for (uint32_t lanes = access.active; lanes; lanes &= lanes - 1) {
    uint32_t lane = std::countr_zero(lanes);
    uint64_t address = access.address[lane], end = address + access.bytes[lane];
    for (uint64_t sector = address >> sectorBits; sector << sectorBits < end; ++sector) {
      // Lanes mostly ascend, so comparing with the highest usually decides.
      if (count && sector <= highest && std::find(known, known + count, sector) != known + count)
        continue;
      highest = std::max(highest, sector);
      known[count++] = sector;
      implementation->countSector(direction, std::max(address, sector << sectorBits));
    }
  }
}

void BlockCounters::globalRow(Direction direction, uint64_t address, uint64_t bytes) {
  if (bytes == 0)
    return;
  uint64_t first = address >> sectorBits, last = (address + bytes - 1) >> sectorBits;
  const Segment *segment = implementation->find(address);
  if (!segment || address + bytes > segment->end) {
    for (uint64_t sector = first; sector <= last; ++sector)
      implementation->countSector(direction, std::max(address, sector << sectorBits));
    return;
  }
  uint64_t base = implementation->launch.tensors[segment->tensor].base >> sectorBits;
  Implementation::forEachDirection(direction, [&](int index) {
    auto &to = implementation->traffic[2 * segment->tensor + index];
    to.requested += last - first + 1;
    to.distinct.setRange(first - base, last - base);
  });
}

void BlockCounters::shared(const CountedLine &line, const WarpAccess &access) {
  if (!access.active)
    return;
  Work &work = implementation->lines[line];
  ++work.instructions;
  uint32_t bytes = access.bytes[std::countr_zero(access.active)];
  uint32_t groupLanes = bytes <= 4 ? 32 : bytes <= 8 ? 16 : 8;
  for (uint32_t first = 0; first < 32; first += groupLanes) {
    BankUse use;
    for (uint32_t lane = first; lane < first + groupLanes; ++lane)
      if (access.active >> lane & 1)
        use.add(access.address[lane], bytes);
    work.wavefronts += use.wavefronts();
    work.conflicts += use.wavefronts() ? use.wavefronts() - 1 : 0;
  }
}

void BlockCounters::sharedMatrices(const CountedLine &line, std::span<const uint32_t> rows) {
  assert(rows.size() % 8 == 0);
  Work &work = implementation->lines[line];
  ++work.instructions;
  for (size_t first = 0; first < rows.size(); first += 8) {
    BankUse use;
    for (uint32_t row : rows.subspan(first, 8))
      use.add(row, 16);
    work.wavefronts += use.wavefronts();
    work.conflicts += use.wavefronts() - 1;
  }
}

void BlockCounters::sharedModel(const CountedLine &line, uint64_t bytes) {
  implementation->lines[line] += {1, (bytes + 127) / 128, 0, true};
}

void BlockCounters::tensorFlops(uint64_t flops) { implementation->flops += flops; }

void BlockCounters::barrier() { ++implementation->barriers; }

void BlockCounters::finish() {
  implementation->finishTraffic();
  implementation->finishLines();
  LaunchCounters::Implementation &launch = implementation->launch;
  launch.flops += std::exchange(implementation->flops, 0);
  launch.barriers += std::exchange(implementation->barriers, 0);
  launch.unknownRead += std::exchange(implementation->unknown[0], 0);
  launch.unknownWritten += std::exchange(implementation->unknown[1], 0);
}

} // namespace sluice::emulator
