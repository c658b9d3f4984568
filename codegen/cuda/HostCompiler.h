// Compiles CUDA kernels for the emulator, at run time, with the C++ compiler of the machine.
//
// The flags are those of the prebuilt kernels (SLUICE_EMULATOR_FLAGS in tools/cmake): no vectorisation and no
// contraction, so that arithmetic is the source's; locals start poisoned. Shared objects are kept in the disk cache
// by source, headers, compiler and flags; any number of processes may compile at once.
#pragma once

#include <string>
#include <vector>

namespace sluice {

struct HostCompiler {
  std::string path;
  std::string version;  ///< First line of what --version prints.
  bool clang = false;
  /// For messages: path and version.
  std::string text() const { return path + " (" + version + ")"; }
};

/// $SLUICE_HOST_CXX if set, a path or a name on $PATH; else the first of clang++-22, clang++ and g++ on $PATH.
/// Throws UserError in one line if there is none.
HostCompiler findHostCompiler();

/// One kernel file. It may include only "Device.h" and "wgmma/nN.h".
struct KernelSource {
  std::string name;                  ///< What reports and errors call the file.
  std::string text;
  std::vector<std::string> defines;  ///< "NAME=VALUE".
};

struct EmulatedObject {
  std::string path;      ///< Of the shared object, for emulator::Kernel::load.
  bool cached = false;   ///< Found, not compiled.
};

/// Throws UserError "NAME:LINE: what the compiler or a failed assertion says, log in FILE" for a source that
/// does not compile; LINE is the source's also where a device header refuses what it does.
EmulatedObject compileForEmulator(const KernelSource &source);

/// The folder that holds the embedded headers as files, for other uses of the compiler: the root of
/// codegen/cuda/device. Written when first asked for.
std::string deviceHeaderFolder();

/// Flags that a kernel is compiled with, without paths and output.
std::vector<std::string> emulatorFlags(const HostCompiler &compiler);

} // namespace sluice
