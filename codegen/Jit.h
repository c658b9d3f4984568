// From a recurrence's text to a loaded package, through the disk cache: the compiler's library is only loaded
// when something is not in the cache.
#pragma once

#include "codegen/Compiler.h"

#include <string>
#include <vector>

namespace sluice {

/// `argument` is FILE, FILE@name or the name of a built-in; an existing file wins. Throws UserError.
Spec loadSpec(const std::string &argument);

/// The built-in recurrences, sorted.
std::vector<std::string> builtinNames();

/// Throws UserError for a dimension, chunk, dtype or target that the compiler does not take.
void checkOptions(const CompileOptions &options);

/// From the cache, else compiled and stored there. Checks the options.
KernelPackage getPackage(const Spec &spec, const CompileOptions &options);

/// Likewise for the description.
RecurrenceInfo getDescription(const Spec &spec);

/// Loads libSluiceCodegen.so at the first call. Throws UserError if it cannot be loaded.
Compiler &compiler();

} // namespace sluice
