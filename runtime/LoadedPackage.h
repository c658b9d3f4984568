// A package whose code is in memory, ready to be called.
#pragma once

#include "runtime/KernelPackage.h"
#include "runtime/KernelTask.h"

#include <map>
#include <memory>
#include <string>

namespace sluice {

/// The two programs that compute the same: by chunks, or one token at a time.
enum class Form { chunk, recurrent };

class LoadedPackage {
public:
  /// Throws UserError if the code cannot be loaded.
  explicit LoadedPackage(KernelPackage package);

  const KernelPackage &package() const { return description; }

  /// The form that a run without a wish gets: chunk where it exists.
  Form defaultForm() const;

  struct Entry {
    const EntryPoint *point;
    KernelFunction function;
  };
  /// Throws UserError if the package has no such entry point: with the compiler's diagnostic if the recurrence
  /// has no chunk form.
  Entry entry(Form form, bool backward) const;

private:
  KernelPackage description;
  std::shared_ptr<void> library;
  std::map<std::string, KernelFunction> functions;
};

} // namespace sluice
