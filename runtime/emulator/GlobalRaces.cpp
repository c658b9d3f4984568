// Finds lines that two clusters accessed, at least one of them writing.
#include "runtime/emulator/GlobalRaces.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace sluice::emulator {

namespace {

struct Side {
  uint16_t mask;
  Accessor accessor;
  bool write;
};

/// The first cell on which the two collide, writes before reads.
std::optional<Collision> collide(const LineSummary &a, const LineSummary &b) {
  const Side ofA[] = {{a.written, a.writer, true}, {a.atomic, a.updater, true}, {a.read, a.reader, false}};
  const Side ofB[] = {{b.written, b.writer, true}, {b.atomic, b.updater, true}, {b.read, b.reader, false}};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      unsigned common = ofA[i].mask & ofB[j].mask;
      bool harmless = (i == 1 && j == 1) || (i == 2 && j == 2);
      if (!common || harmless)
        continue;
      Collision collision;
      collision.address = a.address + static_cast<unsigned>(std::countr_zero(common));
      collision.cluster[0] = a.cluster;
      collision.cluster[1] = b.cluster;
      collision.accessor[0] = ofA[i].accessor;
      collision.accessor[1] = ofB[j].accessor;
      collision.write[0] = ofA[i].write;
      collision.write[1] = ofB[j].write;
      return collision;
    }
  return std::nullopt;
}

/// Of the summaries of one line, the first two of each kind: the others collide like them, in the same calls.
/// A word that every block of a large grid updates would cost the square of the grid otherwise.
void dropAlike(std::vector<LineSummary> &ofLine) {
  std::map<std::array<uint16_t, 6>, int> seen;
  std::erase_if(ofLine, [&](const LineSummary &one) {
    return ++seen[{one.written, one.read, one.atomic, one.writer.site, one.reader.site, one.updater.site}] >
           2;
  });
}

} // namespace

void GlobalRaces::add(std::vector<LineSummary> lines) {
  std::lock_guard lock(mutex);
  all.insert(all.end(), lines.begin(), lines.end());
}

std::vector<Collision> GlobalRaces::collisions(size_t limit) {
  std::sort(all.begin(), all.end(), [](const LineSummary &a, const LineSummary &b) {
    return std::tie(a.address, a.cluster) < std::tie(b.address, b.cluster);
  });
  std::vector<Collision> found;
  std::set<std::pair<uint16_t, uint16_t>> seen;
  for (size_t begin = 0, end; begin < all.size(); begin = end) {
    end = begin + 1;
    while (end < all.size() && all[end].address == all[begin].address)
      ++end;
    bool changed = std::any_of(all.begin() + begin, all.begin() + end,
                               [](const LineSummary &line) { return line.written || line.atomic; });
    if (!changed || end == begin + 1)
      continue;
    std::vector<LineSummary> ofLine(all.begin() + begin, all.begin() + end);
    dropAlike(ofLine);
    for (size_t later = 1; later < ofLine.size(); ++later)
      for (size_t earlier = 0; earlier < later; ++earlier) {
        std::optional<Collision> collision = collide(ofLine[earlier], ofLine[later]);
        if (!collision)
          continue;
        if (seen.emplace(collision->accessor[0].site, collision->accessor[1].site).second)
          found.push_back(*collision);
        if (found.size() >= limit)
          return found;
      }
  }
  return found;
}

} // namespace sluice::emulator
