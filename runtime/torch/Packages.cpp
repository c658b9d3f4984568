// The process's table of loaded packages.
#include "runtime/torch/Packages.h"

#include "codegen/Jit.h"

#include <map>
#include <mutex>
#include <tuple>
#include <vector>

namespace sluice {
namespace {

/// A file may change while the process lives, so its text is part of the key.
using SpecKey = std::tuple<std::string, std::string, std::string>;
using PackageKey = std::tuple<SpecKey, int64_t, int64_t, int64_t, DType>;

struct Table {
  std::mutex mutex;
  std::map<SpecKey, std::shared_ptr<const RecurrenceInfo>> descriptions;
  struct Compiled {
    unsigned entries;
    std::shared_ptr<const LoadedPackage> package;
  };
  std::map<PackageKey, std::vector<Compiled>> packages;
};

Table &table() {
  static Table instance;
  return instance;
}

SpecKey keyOf(const Spec &spec) { return {spec.origin, spec.recurrence, spec.text}; }

} // namespace

std::shared_ptr<const RecurrenceInfo> describeRecurrence(const std::string &argument) {
  Spec spec = loadSpec(argument);
  std::lock_guard<std::mutex> guard(table().mutex);
  std::shared_ptr<const RecurrenceInfo> &info = table().descriptions[keyOf(spec)];
  if (!info)
    info = std::make_shared<RecurrenceInfo>(getDescription(spec));
  return info;
}

std::shared_ptr<const LoadedPackage> loadPackageFor(const std::string &argument,
                                                    const CompileOptions &options) {
  Spec spec = loadSpec(argument);
  // Held while compiling: a second thread that wants the same package waits for it.
  std::lock_guard<std::mutex> guard(table().mutex);
  PackageKey key{keyOf(spec), options.keyDim, options.valueDim, options.chunk, options.dtype};
  std::vector<Table::Compiled> &compiled = table().packages[key];
  for (const Table::Compiled &candidate : compiled)
    if ((candidate.entries & options.entries) == options.entries)
      return candidate.package;
  auto package = std::make_shared<const LoadedPackage>(getPackage(spec, options));
  compiled.push_back({options.entries, package});
  return package;
}

} // namespace sluice
