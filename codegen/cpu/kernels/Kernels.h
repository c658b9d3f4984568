// Code for the heavy ops of a chunk program, as MLIR (scf, vector, memref, arith) on buffers.
//
// Buffers are static-shape, contiguous, row-major f32 memrefs, aligned to 64 bytes, whose last dimension is a
// multiple of 16 (as are the sides of all matrices). Operands and results never overlap, except for the
// result of an accumulating product, which is also read.
#pragma once

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"

#include <cstdint>
#include <deque>
#include <map>
#include <string>

namespace sluice::cpu {

/// The register tile of a product: `rows` x `columns` accumulators in vectors of `vector` lanes.
struct Tile {
  int64_t rows = 4, columns = 8, vector = 4;
  bool fused = false; ///< Whether the machine multiplies and adds in one instruction.
};

/// The tile for a machine, given the names of its features (as hostCpuFeatures() or LLVM write them).
Tile microTile(llvm::StringRef features);

/// e^x of an f32 scalar or vector to 1 ulp: 0 below the smallest normal number, inf above the largest, 0 for
/// -inf, NaN for NaN.
mlir::Value emitExp(mlir::OpBuilder &builder, mlir::Location location, mlir::Value x);

class Code;

/// Rows of the caller's memory that will be touched later.
struct Ahead {
  mlir::Value pointer; ///< !llvm.ptr to the first row; need not be valid.
  mlir::Value stride;  ///< i64, bytes from row to row.
  int64_t rows = 0, bytes = 0;
  bool write = false;
};

/// Emits code for single chunk ops. The work is done in private functions that are added to the module, one
/// per distinct op, shape and flags: a call site is one func.call.
class KernelEmitter {
public:
  /// Gives a buffer of that type that nobody else touches until beginBody() is called again.
  using Allocate = llvm::function_ref<mlir::Value(mlir::MemRefType)>;

  KernelEmitter(mlir::ModuleOp module, const Tile &tile);

  /// Forgets the transposed copies and the scratch of the body emitted before. Call at the start of each
  /// straight-line body: within one, a product finds the transposed copy that an earlier one made of the same
  /// (immutable) tensor value, so every emission must dominate the later ones.
  void beginBody();

  /// Lets the next product that can fetch the rows into the cache, a line every few steps: only spread over
  /// much arithmetic does memory's latency disappear.
  void prefetch(const Ahead &ahead) { waiting.push_back(ahead); }
  /// Whether `op` is such a product.
  bool canPrefetch(mlir::Operation *op) const;

  /// Whether `op` is one of recur.product, apply_inverse, unit_lower_inverse, cumulative_sum,
  /// decay_matrix(_adjoint), decayed_scores(_adjoint), interleave, deinterleave, diagonal, diagonal_part on
  /// f32 tensors of fitting shape.
  bool handles(mlir::Operation *op) const;

  /// Emits `op`, a tensor op, at the builder's insertion point on the buffers of its operands and results.
  /// `accumulate`, for products only: adds to the result instead of overwriting it.
  void emit(mlir::OpBuilder &builder, mlir::Operation *op, mlir::ValueRange operandBuffers,
            mlir::ValueRange resultBuffers, Allocate allocate, bool accumulate = false);

private:
  struct Request {
    mlir::OpBuilder &builder;
    mlir::Operation *op;
    mlir::ValueRange operands, results;
    Allocate allocate;
    bool accumulate;
  };
  using Body = llvm::function_ref<void(Code &, mlir::ValueRange buffers)>;

  mlir::Value scratch(const Request &request, llvm::ArrayRef<int64_t> shape, int64_t slot);
  mlir::Value transposedPanels(const Request &request, mlir::Value tensor, mlir::Value buffer);
  void call(const Request &request, const llvm::Twine &flags, llvm::ArrayRef<mlir::Value> buffers, Body body);
  void emitProduct(const Request &request);
  void emitGates(const Request &request);
  void emitScores(const Request &request);
  void emitLayout(const Request &request);

  mlir::ModuleOp module;
  Tile tile;
  std::deque<Ahead> waiting;
  llvm::DenseMap<mlir::Value, mlir::Value> transposedCopies;
  std::map<std::pair<void *, int64_t>, mlir::Value> scratchBuffers;
};

} // namespace sluice::cpu
