// Recognises the altered call site and records the executed ones.
#include "runtime/emulator/Mutation.h"

#include "runtime/Error.h"
#include "runtime/emulator/Launch.h"
#include "runtime/emulator/Machine.h"

#include <array>
#include <utility>

namespace sluice::emulator {

namespace {

constexpr std::array<std::pair<std::string_view, Alteration>, 9> kinds{{
    {"skip", Alteration::skip},
    {"pendingPlusOne", Alteration::pendingPlusOne},
    {"flipParity", Alteration::flipParity},
    {"lessBytes", Alteration::lessBytes},
    {"moreBytes", Alteration::moreBytes},
    {"moreArrivals", Alteration::moreArrivals},
    {"fewerArrivals", Alteration::fewerArrivals},
    {"readForFull", Alteration::readForFull},
    {"relaxed", Alteration::relaxed},
}};

} // namespace

std::optional<Alteration> alterationNamed(std::string_view kind) {
  for (const auto &[name, alteration] : kinds)
    if (name == kind)
      return alteration;
  return std::nullopt;
}

SiteMatcher::SiteMatcher(const std::optional<Mutation> &mutation) : mutation(mutation) {
  if (!mutation)
    return;
  std::optional<Alteration> named = alterationNamed(mutation->kind);
  if (!named)
    throw UserError("expected a kind of mutation that the table of primitives lists, got '" + mutation->kind +
                    "'");
  kind = *named;
}

Alteration SiteMatcher::match(Site site, std::string_view primitive) const {
  bool hit = mutation && site.line() == mutation->line && site.column() == mutation->column &&
             primitive == mutation->primitive && mutation->file == site.file_name();
  return hit ? kind : Alteration::none;
}

namespace detail {

thread_local bool sitesMatter = false;

Alteration alterationSlow(Thread &thread, Site site, const char *primitive, bool ordered) {
  LaunchState &launch = thread.machine->launch;
  if (launch.options.recordSites)
    thread.machine->recordSite(site, primitive, ordered);
  return launch.mutation.match(site, primitive);
}

} // namespace detail

} // namespace sluice::emulator
