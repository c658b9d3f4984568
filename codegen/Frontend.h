// What the compiler does before code generation: parses a spec, finds its recurrence, describes it. Mistakes of
// the user become UserError with "origin:line:column: message".
#pragma once

#include "codegen/Compiler.h"
#include "dialect/recur/Recur.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>

namespace sluice {

/// Collects the diagnostics of a context while it lives: the first error, its notes after "; ".
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(mlir::MLIRContext *context);

  /// Throws UserError with what was collected, or with `otherwise`.
  [[noreturn]] void fail(const std::string &otherwise) const;

private:
  std::string message;
  mlir::ScopedDiagnosticHandler handler;
};

/// "file:line:column", or nothing where the location has none.
std::string toString(mlir::Location location);

/// A parsed spec with the one recurrence asked for; others are dropped.
struct ParsedSpec {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  recur::RecurrenceOp recurrence;
};

ParsedSpec parseSpec(mlir::MLIRContext *context, const Spec &spec);

/// Arguments and results as `dtype` stores them, and whether there is a chunk form. May normalise the recurrence.
RecurrenceInfo describeRecurrence(recur::RecurrenceOp recurrence, DType dtype);

} // namespace sluice
