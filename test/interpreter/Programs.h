// Parses token programs for tests of the interpreter.
#pragma once

#include "dialect/recur/Recur.h"
#include "dialect/recur/interpreter/Interpreter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <string>

namespace sluice::test {

/// A file's first recurrence, kept alive with its context.
class ParsedProgram {
public:
  explicit ParsedProgram(const std::string &text) {
    context.loadDialect<recur::RecurDialect, mlir::arith::ArithDialect, mlir::math::MathDialect>();
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  }
  explicit operator bool() const { return bool(module); }
  recur::RecurrenceOp get() { return *module->getOps<recur::RecurrenceOp>().begin(); }

private:
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace sluice::test
