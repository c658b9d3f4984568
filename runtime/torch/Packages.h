// Loaded packages by what they were compiled for, so that a call of the operator costs a look-up in memory.
#pragma once

#include "codegen/Compiler.h"
#include "runtime/LoadedPackage.h"

#include <memory>
#include <string>

namespace sluice {

/// What the recurrence of `spec` (FILE, FILE@name or a built-in) takes and returns. Throws UserError.
std::shared_ptr<const RecurrenceInfo> describeRecurrence(const std::string &spec);

/// A package with at least the entry points of `options`. Throws UserError.
std::shared_ptr<const LoadedPackage> loadPackageFor(const std::string &spec, const CompileOptions &options);

} // namespace sluice
