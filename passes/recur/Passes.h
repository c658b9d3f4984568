// From token programs to scans: what each pass does, as functions and as passes.
//
// All functions that take a recurrence normalize it first, in place. Mistakes are diagnostics at the op;
// a function that fails has emitted one and inserted nothing.
#pragma once

#include "dialect/recur/Recur.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <string>

namespace sluice::recur {

/// Whether a recurrence has a chunk form, and if not, which op stands against it (derivation, section 2).
struct Classification {
  bool chunkable = true;
  mlir::Operation *culprit = nullptr;
  std::string reason;
};

/// The static shape of a scan and what its adjoint may read instead of computing it again.
struct ScanOptions {
  int64_t chunk = 64;       ///< Tokens per step of the chunk form: 16, 32, 64 or 128.
  int64_t keyDim = 64;      ///< K; the scan works on K rounded up to 16.
  int64_t valueDim = 64;    ///< Columns of one value block; rounded up likewise.
  bool storeInverse = true; ///< The forward saves the triangular inverse for the adjoint.
  int64_t checkpoint = 1;   ///< The forward saves the state before every n-th step.
};

/// Replaces arith and math by recur ops, lifts arithmetic out of broadcasts and puts reads of forks onto
/// the trunk, the states that the yielded one descends from.
mlir::LogicalResult normalize(RecurrenceOp recurrence);

Classification classify(RecurrenceOp recurrence);

/// True if value channels must not be split into blocks: something sums over them, or a result is no value.
bool reducesOverValues(RecurrenceOp recurrence);

/// Inserts @NAME_chunk_forward after the recurrence. Fails if there is no chunk form, with the reason.
mlir::FailureOr<ScanOp> buildChunkScan(RecurrenceOp recurrence, const ScanOptions &options);

/// Inserts @NAME_recurrent_forward after the recurrence: one token per step.
mlir::FailureOr<ScanOp> buildStepScan(RecurrenceOp recurrence, const ScanOptions &options);

/// Inserts the adjoint of a forward scan after it, @..._backward for @..._forward, and gives the forward
/// the saved outputs that the adjoint reads: `state` (a record every `checkpoint` steps) and, by policy,
/// `inverse` (`inverse1`, ... if there are several).
mlir::FailureOr<ScanOp> differentiate(ScanOp forward, const ScanOptions &options);

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/recur/Passes.h.inc"

} // namespace sluice::recur
