// What the rest of sluice knows of the compiler: text in, package out. Includes no MLIR header; the
// implementation lies in the shared library SluiceCodegen, which codegen/Jit.h loads when it is needed.
#pragma once

#include "runtime/KernelPackage.h"
#include "runtime/Tensor.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

/// The text of a file with one or more recurrences.
struct Spec {
  std::string text;
  std::string origin;      ///< File or built-in name, for messages.
  std::string recurrence;  ///< Which one of the file; empty if it holds only one.
};

/// Entry points to generate; a set of bits.
enum Entries : unsigned {
  chunkForward = 1,
  chunkBackward = 2,
  recurrentForward = 4,
  recurrentBackward = 8,
  allEntries = 15
};

struct CompileOptions {
  std::string target = "cpu";
  int64_t keyDim = 64, valueDim = 64, chunk = 64;
  DType dtype = DType::f32;
  unsigned entries = allEntries;  ///< Those of the chunk form are left out where it does not exist.
};

/// What can be said of a recurrence without compiling it. TensorSpec::storage is that of dtype f32.
struct RecurrenceInfo {
  std::string name;
  std::vector<TensorSpec> arguments, results;
  bool chunkable = true;
  std::string notChunkable;  ///< The diagnostic: which op, and why.
  int64_t reads = 0, writes = 0;  ///< Of the state, per token: for counting FLOPs.
};

/// All methods throw UserError("origin:line:column: message") for mistakes in the text.
struct Compiler {
  virtual ~Compiler() = default;

  virtual RecurrenceInfo describe(const Spec &spec) = 0;
  virtual KernelPackage compile(const Spec &spec, const CompileOptions &options) = 0;
  /// The text of a stage: chunk, adjoint or llvm.
  virtual std::string emit(const Spec &spec, const CompileOptions &options, const std::string &stage) = 0;
  /// The reference: float64, one token at a time, on the full tensor contract. Inputs may have any floating
  /// type; outputs are f64 and named like those of a run, with gradients if the cotangents are to be used.
  virtual TensorMap interpret(const Spec &spec, const TensorMap &inputs, bool gradients) = 0;
};

} // namespace sluice

/// The one symbol that SluiceJit looks up in libSluiceCodegen.so. The caller keeps the compiler for good.
extern "C" sluice::Compiler *sluiceCreateCompiler();
