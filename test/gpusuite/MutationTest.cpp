// Primitives that order or wait leave nothing in memory to compare, but leaving one out is noticed: for each
// that a probe executes, and each way to alter it, some probe is reported or differs.
#include "tools/gpu/Compare.h"

#include "runtime/Files.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <set>

using namespace sluice;
using namespace sluice::gpusuite;

namespace {

const Bundle bundle{SLUICE_GPU_BUNDLE};

using Kinds = std::set<std::pair<std::string, std::string>>;

/// The primitives with the ways to alter them, as the table lists them.
Kinds listedKinds() {
  auto table = nlohmann::json::parse(
      readFile(std::string(SLUICE_BINARY_DIR) + "/codegen/cuda/device/Primitives.json"));
  Kinds kinds;
  for (const std::string name : table.at("!instanceof").at("Primitive"))
    for (const std::string kind : table.at(name).at("mutations"))
      kinds.insert({name, kind});
  return kinds;
}

/// A probe on the emulator; what it leaves and what is reported.
Outcome runProbe(const KernelCase &one, const emulator::Options &options,
                 std::vector<emulator::CallSite> *sites) {
  Outcome outcome{"emulator", one.makeArguments(one.small, 1), ""};
  emulator::Result result = launchOnEmulator(bundle, one, one.small, outcome.after, options);
  if (!result.clean())
    outcome.problem = result.reports.front().text();
  if (sites)
    *sites = result.sites;
  return outcome;
}

/// Takes out of `kinds` what this probe notices.
void noticeAll(const Probe &probe, Kinds &kinds) {
  const KernelCase &one = probe.kernel;
  emulator::Options options;
  options.check = options.recordSites = true;
  std::vector<emulator::CallSite> sites;
  const Outcome plain = runProbe(one, options, &sites);
  options.recordSites = false;
  const Arrays before = one.makeArguments(one.small, 1);
  for (const emulator::CallSite &site : sites) {
    const Kinds open = kinds;
    for (const auto &[primitive, kind] : open) {
      if (primitive != site.primitive)
        continue;
      options.mutation = {site.file, site.line, site.column, primitive, kind};
      if (compareOutcomes(probe, before, plain, runProbe(one, options, nullptr)).different != 0)
        kinds.erase({primitive, kind});
    }
  }
}

TEST(Mutation, EverySynchronisingPrimitiveIsNoticed) {
  Kinds kinds = listedKinds();
  ASSERT_GT(kinds.size(), 40u);
  for (const Probe &probe : probes())
    if (probe.kernel.source != std::string("shared_products.cu") &&
        probe.kernel.source != std::string("register_products.cu"))
      noticeAll(probe, kinds);
  EXPECT_THAT(kinds, ::testing::IsEmpty());
}

} // namespace
