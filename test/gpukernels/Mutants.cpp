// One run to find the calls, then one run for each mutant.
#include "test/gpukernels/Mutants.h"

#include <algorithm>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <tuple>

namespace sluice::gpukernels {

namespace {

struct Row {
  const char *name, *completion, *kinds;
};

constexpr Row table[] = {
#define SLUICE_PRIMITIVE(name, header, architecture, caller, proxy, completion, mutations)                   \
  {name, completion, mutations},
#include "codegen/cuda/device/Primitives.inc"
};

std::string lineOf(const std::string &file, uint32_t line) {
  std::ifstream stream(file);
  std::string text;
  for (uint32_t i = 0; i < line; ++i)
    std::getline(stream, text);
  return text;
}

const Equivalent *findEquivalent(const std::vector<Equivalent> &equivalents, const Mutant &mutant,
                                 const std::string &text) {
  for (const Equivalent &one : equivalents)
    if ((one.kernel.empty() || one.kernel == mutant.kernel) && one.primitive == mutant.primitive &&
        one.kind == mutant.kind && text.find(one.line) != std::string::npos)
      return &one;
  return nullptr;
}

Mutant runMutant(const std::string &kernel, const EmulatedLaunch &launch, const emulator::CallSite &site,
                 const std::string &kind, const std::vector<Equivalent> &equivalents,
                 emulator::Options options) {
  Mutant mutant{
      .kernel = kernel, .primitive = site.primitive, .file = site.file, .kind = kind, .line = site.line};
  options.mutation = emulator::Mutation{site.file, site.line, site.column, site.primitive, kind};
  const Outcome outcome = launch(options);
  if (!outcome.result.clean()) {
    mutant.verdict = Mutant::Verdict::reported;
    const emulator::Report &first = outcome.result.reports.front();
    mutant.how = first.kind + ": " + first.message;
  } else if (!outcome.right && mutableOf(site.primitive).movesData) {
    mutant.verdict = Mutant::Verdict::wrongResult;
  } else if (const Equivalent *one = findEquivalent(equivalents, mutant, lineOf(site.file, site.line))) {
    mutant.verdict = Mutant::Verdict::equivalent;
    mutant.how = one->reason;
  }
  return mutant;
}

const char *nameOf(Mutant::Verdict verdict) {
  switch (verdict) {
  case Mutant::Verdict::reported:
    return "reported";
  case Mutant::Verdict::wrongResult:
    return "wrong result";
  case Mutant::Verdict::equivalent:
    return "equivalent";
  case Mutant::Verdict::missed:
    return "MISSED";
  }
  return "";
}

} // namespace

Mutable mutableOf(const std::string &primitive) {
  for (const Row &row : table)
    if (row.name == primitive) {
      std::istringstream words(row.kinds);
      Mutable result{{std::istream_iterator<std::string>(words), {}}, false};
      // An arrival that completes later synchronises all the same.
      const std::string_view completion = row.completion;
      result.movesData = completion != "return" && completion != "mbarrier arrival";
      return result;
    }
  throw std::out_of_range("expected a primitive of the table, got '" + primitive + "'");
}

std::vector<std::string> mutablePrimitives() {
  std::vector<std::string> names;
  for (const Row &row : table)
    if (*row.kinds)
      names.push_back(row.name);
  return names;
}

std::vector<Alterable> findMutants(const EmulatedLaunch &launch, const emulator::Options &options) {
  emulator::Options recording = options;
  recording.recordSites = true;
  std::vector<emulator::CallSite> sites = launch(recording).result.sites;
  // One source line may have been compiled several times; an alteration meets all of its copies.
  const auto place = [](const emulator::CallSite &site) {
    return std::tie(site.file, site.line, site.column, site.primitive);
  };
  std::ranges::sort(sites, {}, place);
  const auto copies = std::ranges::unique(sites, {}, place);
  sites.erase(copies.begin(), copies.end());
  std::vector<Alterable> found;
  for (const emulator::CallSite &site : sites)
    for (const std::string &kind : mutableOf(site.primitive).kinds)
      if (site.ordered || kind != "relaxed")
        found.push_back({site, kind});
  return found;
}

std::vector<Mutant> runMutants(const std::string &kernel, const EmulatedLaunch &launch,
                               const std::vector<Equivalent> &equivalents, const emulator::Options &options) {
  std::vector<Mutant> mutants;
  for (const auto &[site, kind] : findMutants(launch, options))
    mutants.push_back(runMutant(kernel, launch, site, kind, equivalents, options));
  return mutants;
}

std::string tableOf(const std::vector<Mutant> &mutants) {
  std::map<Mutant::Verdict, int> sums;
  std::ostringstream text;
  text << std::left;
  for (const Mutant &mutant : mutants) {
    ++sums[mutant.verdict];
    const std::string place = mutant.file.substr(mutant.file.rfind('/') + 1) +
                              (mutant.line ? ":" + std::to_string(mutant.line) : "");
    text << std::setw(20) << mutant.kernel << ' ' << std::setw(24) << mutant.primitive << ' ' << std::setw(26)
         << place << ' ' << std::setw(16) << mutant.kind << ' ' << std::setw(12) << nameOf(mutant.verdict)
         << ' ' << mutant.how.substr(0, 120) << '\n';
  }
  text << mutants.size() << " mutants";
  for (const auto &[verdict, count] : sums)
    text << ", " << count << ' ' << nameOf(verdict);
  text << '\n';
  return text.str();
}

} // namespace sluice::gpukernels
