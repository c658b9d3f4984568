// Checks an access against the records of its cells, and records it.
#include "runtime/emulator/Shadow.h"

#include "runtime/emulator/Launch.h"
#include "runtime/emulator/Machine.h"

#include <algorithm>
#include <bit>
#include <tuple>

namespace sluice::emulator {

void ReaderSet::add(const Mark &mark, const Clock &clock) {
  anyAtomic |= mark.atomic();
  anyPlain |= !mark.atomic();
  if (!marks.empty() && marks.back().sameActor(mark) && marks.back().within(mark)) {
    marks.back() = mark;
    return;
  }
  if (marks.size() >= pruneAt)
    prune(mark, clock);
  marks.push_back(mark);
}

void ReaderSet::prune(const Mark &next, const Clock &clock) {
  // Of several marks of one actor the last is enough, if it covers the same bytes.
  auto key = [](const Mark &mark) {
    return std::tuple(mark.domain, mark.actor(), mark.atomic(), mark.bytes());
  };
  std::sort(marks.begin(), marks.end(), [&](const Mark &a, const Mark &b) {
    return key(a) != key(b) ? key(a) < key(b) : a.epoch() > b.epoch();
  });
  marks.erase(std::unique(marks.begin(), marks.end(),
                          [&](const Mark &a, const Mark &b) { return key(a) == key(b); }),
              marks.end());
  // Who collides with one that is over to the next of its kind, collides with that one.
  std::erase_if(marks, [&](const Mark &mark) {
    return mark.atomic() == next.atomic() && mark.within(next) &&
           clock.knows(mark.domain, mark.actor(), mark.epoch());
  });
  pruneAt = std::max<size_t>(16, 2 * marks.size());
}

void Shadow::check(const Mark &earlier, bool earlierIsWrite, ShadowAccess &access) {
  if (access.conflict.kind == Conflict::Kind::race || !(earlier.bytes() & access.mark.bytes()))
    return;
  const Clock &clock = *access.clock;
  if (!clock.knows(earlier.domain, earlier.actor(), earlier.epoch()))
    access.conflict = {Conflict::Kind::race, earlier, earlierIsWrite};
  else if (earlierIsWrite && access.fence != ordered && !earlier.async() &&
           !clock.knows(earlier.domain, earlier.actor(), earlier.epoch(), access.fence))
    access.conflict = {Conflict::Kind::unfenced, earlier, true};
}

ReaderSet *Shadow::newReaders() {
  if (freeReaders.empty()) {
    allReaders.push_back(std::make_unique<ReaderSet>());
    return allReaders.back().get();
  }
  ReaderSet *set = freeReaders.back();
  freeReaders.pop_back();
  return set;
}

void Shadow::dropReaders(Cell &cell) {
  if (ReaderSet *set = cell.readers()) {
    set->marks.clear();
    set->pruneAt = 16;
    set->anyAtomic = set->anyPlain = false;
    freeReaders.push_back(set);
  }
  cell.read = 0;
  cell.readDomain = 0;
}

void Shadow::addReader(Cell &cell, ShadowAccess &access) {
  const Mark &mark = access.mark;
  if (ReaderSet *set = cell.readers()) {
    set->add(mark, *access.clock);
    return;
  }
  Mark single{cell.read, cell.readDomain};
  bool replaces = !single || (single.within(mark) && single.sameActor(mark));
  if (!replaces && !single.atomic() && !mark.atomic() && single.within(mark))
    replaces = access.clock->knows(single.domain, single.actor(), single.epoch());
  if (replaces) {
    cell.read = mark.bits;
    cell.readDomain = mark.domain;
    return;
  }
  ReaderSet *set = newReaders();
  set->add(single, *access.clock);
  set->add(mark, *access.clock);
  cell.read = reinterpret_cast<uint64_t>(set);
  cell.readDomain = Cell::many;
}

namespace {

/// Calls body(mark) for the readers and updaters.
template <class Body> void forEachReader(const Cell &cell, Body &&body) {
  if (const ReaderSet *set = cell.readers())
    std::ranges::for_each(set->marks, body);
  else if (Mark single{cell.read, cell.readDomain})
    body(single);
}

/// Whether somebody has written all of these bytes.
bool isWritten(const Cell &cell, unsigned bytes) {
  unsigned written = Mark{cell.write}.bytes();
  if (bytes & ~written)
    forEachReader(cell, [&](const Mark &mark) { written |= mark.atomic() ? mark.bytes() : 0; });
  return !(bytes & ~written);
}

} // namespace

void Shadow::overwrite(Cell &cell, const ShadowAccess &access) {
  std::vector<Mark> others;
  if (unsigned rest = 3 & ~access.mark.bytes()) {
    // What was done to the other byte stays; its writer becomes an updater, which collides with the same
    // accesses.
    if (unsigned bytes = Mark{cell.write}.bytes() & rest)
      others.push_back(Mark{cell.write | Mark::atomicBit, cell.writeDomain}.of(bytes));
    forEachReader(cell, [&](const Mark &mark) {
      if (unsigned bytes = mark.bytes() & rest)
        others.push_back(mark.of(bytes));
    });
  }
  cell.write = access.mark.bits;
  cell.writeDomain = access.mark.domain;
  if (cell.read)
    dropReaders(cell);
  if (others.empty())
    return;
  ReaderSet *set = newReaders();
  for (const Mark &mark : others)
    (mark.atomic() ? set->anyAtomic : set->anyPlain) = true;
  set->marks = std::move(others);
  cell.read = reinterpret_cast<uint64_t>(set);
  cell.readDomain = Cell::many;
}

void Shadow::accessCell(Cell &cell, ShadowAccess &access) {
  if (cell.write) {
    Mark earlier{cell.write, cell.writeDomain};
    check(earlier, true, access);
  }
  if (!access.write && !isWritten(cell, access.mark.bytes()))
    access.unwritten = true;
  bool plainRead = !access.write && !access.atomic;
  if (cell.read && !plainRead) {
    // A write or an update: every reader must be over, except updates to an update.
    if (ReaderSet *set = cell.readers()) {
      for (const Mark &reader : set->marks)
        if (access.atomic && !set->anyPlain)
          break;
        else if (!(access.atomic && reader.atomic()))
          check(reader, reader.atomic(), access);
    } else if (Mark single{cell.read, cell.readDomain}; !(access.atomic && single.atomic())) {
      check(single, single.atomic(), access);
    }
  } else if (cell.read) {
    if (ReaderSet *set = cell.readers(); set && set->anyAtomic) {
      for (const Mark &reader : set->marks)
        if (reader.atomic())
          check(reader, true, access);
    } else if (Mark single{cell.read, cell.readDomain}; !set && single.atomic()) {
      check(single, true, access);
    }
  }
  if (access.write && !access.atomic)
    overwrite(cell, access);
  else
    addReader(cell, access);
}

void Shadow::split(Line &line) {
  if (freeParts.empty()) {
    constexpr size_t count = 64;
    partBlocks.push_back(std::make_unique<Cell[]>(8 * count));
    for (size_t i = 0; i < count; ++i)
      freeParts.push_back(partBlocks.back().get() + 8 * i);
  }
  line.parts = freeParts.back();
  freeParts.pop_back();
  ReaderSet *readers = line.whole.readers();
  for (unsigned i = 0; i < 8; ++i) {
    line.parts[i] = line.whole;
    if (readers && i) {
      ReaderSet *copy = newReaders();
      *copy = *readers;
      line.parts[i].read = reinterpret_cast<uint64_t>(copy);
    }
  }
  line.whole = Cell();
}

void Shadow::merge(Line &line) {
  line.whole = line.parts[0];
  freeParts.push_back(std::exchange(line.parts, nullptr));
}

void Shadow::accessLine(Line &line, unsigned first, unsigned last, ShadowAccess &access) {
  if (!line.parts) {
    if (first == 0 && last == 7) {
      accessCell(line.whole, access);
      return;
    }
    split(line);
  }
  for (unsigned i = first; i <= last; ++i)
    accessCell(line.parts[i], access);
  // All of it was written by one: one history again.
  if (first == 0 && last == 7 && access.write && !access.atomic)
    merge(line);
}

Line &Shadow::line(uint64_t index) {
  std::unique_ptr<Page> &page = pages[index / pageLines];
  if (!page) {
    if (freePages.empty()) {
      page = std::make_unique<Page>();
    } else {
      page = std::move(freePages.back());
      freePages.pop_back();
    }
    touched.push_back(static_cast<uint32_t>(index / pageLines));
  }
  return (*page)[index % pageLines];
}

void Shadow::access(uint64_t offset, uint64_t bytes, ShadowAccess &access) {
  uint64_t end = offset + bytes;
  if (bytes == 1)
    access.mark.bits = (access.mark.bits & ~uint64_t(12)) | uint64_t(1u << (offset & 1)) << 2;
  for (uint64_t start = offset; start < end;) {
    uint64_t index = start / lineBytes, lineEnd = std::min(end, (index + 1) * lineBytes);
    accessLine(line(index), static_cast<unsigned>(start % lineBytes / 2),
               static_cast<unsigned>((lineEnd - 1) % lineBytes / 2), access);
    start = lineEnd;
  }
}

void Shadow::clear() {
  for (uint32_t index : touched) {
    std::unique_ptr<Page> page = std::move(pages[index]);
    for (Line &line : *page) {
      if (line.parts) {
        for (unsigned i = 0; i < 8; ++i)
          dropReaders(line.parts[i]);
        freeParts.push_back(line.parts);
      } else if (line.whole.readers()) {
        dropReaders(line.whole);
      }
      line = Line();
    }
    freePages.push_back(std::move(page));
  }
  touched.clear();
}

void Shadow::sumUp(uint64_t base, uint32_t cluster, std::vector<LineSummary> &summaries) const {
  for (uint32_t index : touched)
    for (uint64_t i = 0; i < pageLines; ++i) {
      const Line &line = (*pages[index])[i];
      LineSummary summary;
      summary.address = base + (index * pageLines + i) * lineBytes;
      summary.cluster = cluster;
      // Cells of the mask have the bytes of the mark.
      auto addMark = [&](const Mark &mark, bool write, uint16_t mask) {
        mask &= mark.bytes() * 0x5555;
        uint16_t &all = write ? summary.written : mark.atomic() ? summary.atomic : summary.read;
        Accessor &who = write ? summary.writer : mark.atomic() ? summary.updater : summary.reader;
        if (!all && mask)
          who = {mark.actor(), mark.site()};
        all |= mask;
      };
      auto addCell = [&](const Cell &cell, uint16_t mask) {
        if (cell.write)
          addMark({cell.write, cell.writeDomain}, true, mask);
        if (ReaderSet *set = cell.readers())
          for (const Mark &mark : set->marks)
            addMark(mark, false, mask);
        else if (cell.read)
          addMark({cell.read, cell.readDomain}, false, mask);
      };
      if (line.parts)
        for (unsigned part = 0; part < 8; ++part)
          addCell(line.parts[part], static_cast<uint16_t>(3u << 2 * part));
      else
        addCell(line.whole, 0xffff);
      if (summary.written || summary.read || summary.atomic)
        summaries.push_back(summary);
    }
}

Shadow &GlobalShadow::of(uint32_t allocation) {
  if (shadows.size() <= allocation)
    shadows.resize(launch.allocations.size());
  std::unique_ptr<Shadow> &shadow = shadows[allocation];
  if (!shadow)
    shadow = std::make_unique<Shadow>(launch.allocations[allocation].bytes);
  return *shadow;
}

void GlobalShadow::sumUp(const Cluster &cluster, GlobalRaces &races) {
  std::vector<LineSummary> summaries;
  for (size_t i = 0; i < shadows.size(); ++i) {
    if (!shadows[i])
      continue;
    if (launch.clusters > 1)
      shadows[i]->sumUp(launch.allocations[i].base, cluster.domain, summaries);
    shadows[i]->clear();
  }
  if (!summaries.empty())
    races.add(std::move(summaries));
}

} // namespace sluice::emulator
