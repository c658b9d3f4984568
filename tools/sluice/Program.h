// SPEC on the command line: the text of a recurrence, by file or built-in name, or a saved package.
#pragma once

#include "codegen/Compiler.h"
#include "runtime/LoadedPackage.h"

#include <memory>
#include <optional>
#include <string>

namespace sluice {

struct Program {
  RecurrenceInfo info;
  std::optional<Spec> spec;
  std::optional<KernelPackage> package;  ///< Instead of a spec.

  /// The spec; throws UserError, naming the use, for a package.
  const Spec &text(const std::string &use) const;
};

Program loadProgram(const std::string &argument);

/// Options that the user may leave open: a package has fixed them already.
struct Choices {
  std::optional<int64_t> chunk;
  std::optional<std::string> dtype;
};

/// What to compile the program with, or what its package was compiled with. Throws UserError if they differ.
CompileOptions optionsFor(const Program &program, const Choices &choices);

/// The form by name; "" is chunk where it exists. Throws UserError with the diagnostic if there is no chunk form.
Form formOf(const Program &program, const std::string &name);
/// The entry points of a run.
unsigned entriesOf(Form form, bool gradients);

/// From the package or through the disk cache.
std::unique_ptr<LoadedPackage> loadKernels(const Program &program, const CompileOptions &options);

DType parseStorage(const std::string &name);
/// cpu; throws UserError for cuda and emulated. The latter names its host compiler, or says that there is none.
void checkBackend(const std::string &name);

} // namespace sluice
