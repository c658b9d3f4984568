// Alterations of single call sites, to test that the checker notices, and the record of which sites were
// executed. Every synchronising primitive asks `alteration` once per execution and thread.
#pragma once

#include "codegen/cuda/device/emu/Abi.h"

#include "runtime/emulator/Emulator.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::emulator {

struct Thread;
using device::Site;

/// The kinds of the table of primitives.
enum class Alteration : uint8_t {
  none,
  skip,            ///< Nothing happens.
  pendingPlusOne,  ///< A wait leaves one more group in flight.
  flipParity,
  lessBytes,
  moreBytes,
  moreArrivals,    ///< A barrier that expects more than will come, an arrival that counts for more.
  fewerArrivals,
  readForFull,     ///< A wait for the sources to be read instead of for completion.
  relaxed          ///< A release or acquire that orders nothing.
};

/// Arrivals of a possibly altered call; none if it is skipped.
constexpr uint32_t alteredArrivals(uint32_t arrivals, Alteration how) {
  return how == Alteration::skip            ? 0
         : how == Alteration::moreArrivals  ? arrivals + 1
         : how == Alteration::fewerArrivals ? arrivals - 1
                                            : arrivals;
}

/// Bytes that a possibly altered call expects: copies come in pieces of 16.
constexpr uint32_t alteredBytes(uint32_t bytes, Alteration how) {
  return how == Alteration::lessBytes   ? bytes - (bytes < 16 ? bytes : 16)
         : how == Alteration::moreBytes ? bytes + 16
                                        : bytes;
}

/// The kind by its name in the table; nothing if there is none of that name.
std::optional<Alteration> alterationNamed(std::string_view kind);

/// The call site that the options of a launch alter. Throws UserError for a kind that the table does not
/// have.
class SiteMatcher {
public:
  SiteMatcher() = default;
  explicit SiteMatcher(const std::optional<Mutation> &mutation);
  Alteration match(Site site, std::string_view primitive) const;

private:
  std::optional<Mutation> mutation;
  Alteration kind = Alteration::none;
};

namespace detail {
/// Set while the running launch alters or records sites.
extern thread_local bool sitesMatter;
Alteration alterationSlow(Thread &thread, Site site, const char *primitive, bool ordered);
} // namespace detail

/// How this execution of `primitive` is altered; also records the site if that was asked for.
inline Alteration alteration(Thread &thread, Site site, const char *primitive, bool ordered = true) {
  return __builtin_expect(detail::sitesMatter, 0) ? detail::alterationSlow(thread, site, primitive, ordered)
                                                  : Alteration::none;
}

} // namespace sluice::emulator
