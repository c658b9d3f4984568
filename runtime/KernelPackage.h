// The one thing that crosses from the compiler to the runtime: machine code, how to call it, and where it
// came from. One package is one file.
#pragma once

#include "runtime/LaunchRecord.h"
#include "runtime/Tensor.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sluice {

/// What one element of a tensor is, per token and head: K-vectors are keys, V-vectors values, K x V matrices
/// are constants per head, states are what a sequence carries.
enum class Kind { scalar, key, value, matrix, state };

const char *nameOf(Kind kind);

/// An argument or a result of the recurrence.
struct TensorSpec {
  std::string name;
  Kind kind = Kind::scalar;
  bool perHead = false;         ///< A constant per head, not one per token.
  bool gate = false;            ///< Reaches a decay.
  DType storage = DType::f32;   ///< What kernels read or write.
  std::string draw = "normal";  ///< How `check` draws it: gate, unit, sigmoid, normal, constant.
};

enum class PortRole {
  argument, cotangent, result, gradient, saved, initialState, finalState, stateCotangent, stateGradient
};

const char *nameOf(PortRole role);

/// One tensor that an entry point reads or writes. `name` is the tensor's name in the contract of the tensors:
/// an argument's or result's own name; for a cotangent or gradient that of the argument or result without "d".
struct Port {
  std::string name;
  PortRole role = PortRole::argument;
  Kind kind = Kind::scalar;
  bool perHead = false;
  DType dtype = DType::f32;     ///< Gradients, saved tensors and states are always f32.
  int64_t recordElements = 0;   ///< Saved only: f32 elements of a record.
  int64_t every = 1;            ///< Saved only: one record for every so many steps.
};

/// One function of the code.
struct EntryPoint {
  std::string name;    ///< chunk.forward, chunk.backward, recurrent.forward or recurrent.backward.
  std::string symbol;
  int64_t step = 1;    ///< Tokens per step: the chunk, or 1.
  int64_t scratchBytes = 0;
  std::vector<Port> ports;
  std::vector<std::string> launches{};  ///< Names of device kernels, in order; empty on the CPU.
};

/// What one kernel takes of its multiprocessor, as the assembler reported it.
struct KernelResources {
  int64_t registers = 0;         ///< Per thread.
  int64_t spillStoreBytes = 0, spillLoadBytes = 0;
  int64_t stackBytes = 0;
  int64_t sharedBytes = 0;       ///< Static.
  int64_t barriers = 0;          ///< Named ones in use.
};

/// Machine code for one architecture, such as "sm_90a".
struct DeviceBinary {
  std::string cubin;
  KernelResources resources;
};

/// One kernel of a GPU: how it is launched, its source, and what was compiled from it.
struct DeviceKernel {
  std::string name;
  std::string target;            ///< The least that the source needs: "sm_80", "sm_90" and up, or "sm_90a" alone.
  LaunchRecord record;           ///< Its `kernel` is the entry point's symbol.
  std::string source;            ///< CUDA, against the device headers.
  std::map<std::string, DeviceBinary> binaries;
};

struct KernelPackage {
  std::string recurrence;       ///< Name of the recurrence.
  std::string specText;         ///< The file that it was compiled from.
  std::string target = "cpu";
  std::string compilerVersion;
  std::string cpuFeatures;      ///< What the code needs, as hostCpuFeatures() spells it.
  int64_t keyDim = 0, valueDim = 0;
  int64_t valueBlock = 0;       ///< Value columns of one task; the last block of a row may be shorter.
  int64_t chunk = 64;
  DType dtype = DType::f32;
  std::vector<TensorSpec> arguments, results;
  bool chunkable = true;
  std::string notChunkable;     ///< Why not, as the compiler's diagnostic.
  std::vector<EntryPoint> entries;
  std::string code;             ///< A shared object; empty for a GPU.
  std::vector<DeviceKernel> kernels;

  /// Null if the package has no such entry point.
  const EntryPoint *find(const std::string &entry) const;
  /// Null if the package has no such kernel.
  const DeviceKernel *findKernel(const std::string &name) const;
};

/// Writes the package to a temporary file beside `path`, then renames it. Throws UserError.
void savePackage(const KernelPackage &package, const std::string &path);
/// Throws UserError for a file that is not a package, is damaged, or was made for another CPU. A package without
/// device kernels is the same file as before there were any.
KernelPackage loadPackage(const std::string &path);
/// Whether the file starts like a package.
bool isPackageFile(const std::string &path);

/// The instruction set extensions of this machine that matter to generated code, separated by blanks.
std::string hostCpuFeatures();
/// The first word of `features` that this machine lacks; empty if it has them all.
std::string missingCpuFeature(const std::string &features);

} // namespace sluice
