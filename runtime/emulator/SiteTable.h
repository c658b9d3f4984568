// Numbers for call sites, so that a cell of shadow memory can name who accessed it in 16 bits.
#pragma once

#include "codegen/cuda/device/emu/Abi.h"

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

namespace sluice::emulator {

using device::Site;

/// A call of a primitive in the source.
struct Call {
  Site site;
  const char *primitive = "";
};

inline const void *identity(Site site) { return std::bit_cast<const void *>(site); }
/// The same place in the source, whatever copy of the code it is in.
bool samePlace(Site a, Site b);

class SiteTable {
public:
  static constexpr uint16_t unknown = 0;
  uint16_t number(Call call);
  Call call(uint16_t number) const;

private:
  mutable std::mutex mutex;
  std::map<std::pair<const void *, const void *>, uint16_t> numbers;
  std::vector<Call> calls{Call{}};
};

/// The numbers that one host thread asked for lately.
class SiteCache {
public:
  uint16_t number(SiteTable &table, Call call) {
    Entry &entry = entries[(reinterpret_cast<uintptr_t>(identity(call.site)) / 8 ^
                            reinterpret_cast<uintptr_t>(call.primitive)) % entries.size()];
    if (entry.site != identity(call.site) || entry.primitive != call.primitive)
      entry = {identity(call.site), call.primitive, table.number(call)};
    return entry.number;
  }

private:
  struct Entry {
    const void *site = nullptr;
    const char *primitive = nullptr;
    uint16_t number = 0;
  };
  std::array<Entry, 256> entries;
};

} // namespace sluice::emulator
