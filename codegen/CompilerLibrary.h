// Finds libSluiceCodegen.so and tells versions of it apart, without loading it.
#pragma once

#include <string>

namespace sluice {

/// The library beside the program: in its folder, or in a folder lib/ next to it or above it. Empty if there
/// is none, as on a machine where only packages run.
std::string compilerLibraryPath();

/// The linker's build id of the library: another compiler, another version. Empty if there is no library.
std::string compilerVersion();

} // namespace sluice
