// Numbering of call sites.
#include "runtime/emulator/SiteTable.h"

#include <cstring>

namespace sluice::emulator {

bool samePlace(Site a, Site b) {
  return identity(a) == identity(b) ||
         (a.line() == b.line() && a.column() == b.column() && !std::strcmp(a.file_name(), b.file_name()));
}

uint16_t SiteTable::number(Call call) {
  std::lock_guard lock(mutex);
  auto [at, isNew] = numbers.try_emplace({identity(call.site), call.primitive}, unknown);
  if (isNew && calls.size() < 0xffff) {
    at->second = static_cast<uint16_t>(calls.size());
    calls.push_back(call);
  }
  return at->second;
}

Call SiteTable::call(uint16_t number) const {
  std::lock_guard lock(mutex);
  return calls[number];
}

} // namespace sluice::emulator
