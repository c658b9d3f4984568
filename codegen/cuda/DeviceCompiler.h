// CUDA source to machine code through NVRTC and the disk cache, and through the gates. Needs no GPU.
#pragma once

#include "codegen/cuda/HostCompiler.h"
#include "runtime/KernelPackage.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sluice {

/// The code of all entry points of one source, or of one of them, for one architecture.
struct DeviceCode {
  std::string name;         ///< Of the source.
  std::string architecture; ///< "sm_90a".
  std::string cubin, ptx;
  std::string log;                                ///< What NVRTC and ptxas said, with lines of the source.
  std::map<std::string, KernelResources> kernels; ///< By entry point.
  bool cached = false;                            ///< Found, not compiled.
};

/// A source and the architecture it is compiled for.
struct DeviceJob {
  KernelSource source;
  std::string architecture;
  /// Of those that SLUICE_KERNEL declares, the only entry point that is compiled; empty: all of them.
  std::string entry = "";
};

/// Throws UserError: in one line "NAME:LINE: what the compiler or a failed assertion says, log in FILE" for a
/// source that does not compile, as compileForEmulator; or that NVRTC was not found, or that it does not know
/// the architecture, or that the source lacks the entry point.
DeviceCode compileForDevice(const DeviceJob &job);
DeviceCode compileForDevice(const KernelSource &source, const std::string &architecture);
/// All jobs on all cores, in their order. Throws the first job's error.
std::vector<DeviceCode> compileForDevice(const std::vector<DeviceJob> &jobs);

/// The gates of one kernel: no loss warnings in the log, no spills, no stack, and the record's launch bounds
/// and parameters. Throws UserError in one line.
void checkGates(const DeviceCode &code, const LaunchRecord &record);
/// For every entry point, without launch bounds.
void checkGates(const DeviceCode &code);

/// Compiles kernels for an architecture, each through its gates, and adds the binaries and, where the record
/// leaves it open, the registers at launch. Each entry point is compiled once, by itself.
void addBinaries(std::vector<DeviceKernel> &kernels, const std::string &architecture);

/// One kernel, through its gates: what loads a package that lacks a binary for the device
/// (cuda::CompileKernel).
DeviceBinary compileBinary(const DeviceKernel &kernel, const std::string &architecture);

} // namespace sluice
