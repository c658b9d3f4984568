// Parsing and describing recurrences.

#include "codegen/Frontend.h"
#include "passes/recur/Passes.h"
#include "runtime/Error.h"

#include "mlir/Parser/Parser.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace sluice {

//===--------------------------------------------------------------------===//
// Diagnostics
//===--------------------------------------------------------------------===//

std::string toString(Location location) {
  std::string text;
  location->walk([&](Location part) {
    auto file = dyn_cast<FileLineColLoc>(part);
    if (!file)
      return WalkResult::advance();
    text = file.getFilename().str() + ":" + std::to_string(file.getLine()) + ":" + std::to_string(file.getColumn());
    return WalkResult::interrupt();
  });
  return text;
}

/// One line: messages of the parser may quote more.
static std::string textOf(Diagnostic &diagnostic) {
  std::string text = diagnostic.str();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return llvm::StringRef(text).trim(" .").str();
}

DiagnosticCollector::DiagnosticCollector(MLIRContext *context)
    : handler(context, [this](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() != DiagnosticSeverity::Error || !message.empty())
          return success();
        std::string where = toString(diagnostic.getLocation());
        message = (where.empty() ? "" : where + ": ") + textOf(diagnostic);
        for (Diagnostic &note : diagnostic.getNotes()) {
          std::string at = toString(note.getLocation());
          message += "; " + (at.empty() || at == where ? "" : at + ": ") + textOf(note);
        }
        return success();
      }) {}

void DiagnosticCollector::fail(const std::string &otherwise) const {
  throw UserError(message.empty() ? otherwise : message);
}

//===--------------------------------------------------------------------===//
// Parsing
//===--------------------------------------------------------------------===//

static std::string namesOf(ArrayRef<recur::RecurrenceOp> recurrences) {
  return llvm::join(llvm::map_range(recurrences, [](recur::RecurrenceOp op) { return op.getSymName().str(); }), ", ");
}

static recur::RecurrenceOp chooseRecurrence(ModuleOp module, const Spec &spec) {
  auto all = llvm::to_vector(module.getOps<recur::RecurrenceOp>());
  if (all.empty())
    throw UserError(spec.origin + ": expected a recur.recurrence, got none");
  if (spec.recurrence.empty()) {
    if (all.size() > 1)
      throw UserError(spec.origin + ": expected one recurrence, or " + spec.origin + "@NAME, got " + namesOf(all));
    return all[0];
  }
  for (recur::RecurrenceOp op : all)
    if (op.getSymName() == spec.recurrence)
      return op;
  throw UserError(spec.origin + ": expected a recurrence named '" + spec.recurrence + "', got " + namesOf(all));
}

ParsedSpec parseSpec(MLIRContext *context, const Spec &spec) {
  DiagnosticCollector diagnostics(context);
  ParsedSpec parsed;
  ParserConfig config(context);
  parsed.module = parseSourceString<ModuleOp>(spec.text, config, spec.origin);
  if (!parsed.module)
    diagnostics.fail(spec.origin + ": expected a file with recurrences");
  parsed.recurrence = chooseRecurrence(*parsed.module, spec);
  for (Operation &op : llvm::make_early_inc_range(*parsed.module->getBody()))
    if (&op != parsed.recurrence)
      op.erase();
  return parsed;
}

//===--------------------------------------------------------------------===//
// Description
//===--------------------------------------------------------------------===//

static Kind kindOf(Type type) {
  if (isa<recur::KeyType>(type))
    return Kind::key;
  if (isa<recur::ValueType>(type))
    return Kind::value;
  if (isa<recur::MatrixType>(type))
    return Kind::matrix;
  return Kind::scalar;
}

/// Arguments from which a path without states leads to the gate of a decay.
static llvm::SetVector<Value> valuesReachingDecays(recur::RecurrenceOp recurrence) {
  llvm::SetVector<Value> reaching;
  recurrence->walk([&](Operation *op) {
    if (isa<recur::DecayOp, recur::DecayValuesOp, recur::DecayEntriesOp>(op))
      reaching.insert(op->getOperand(1));
  });
  for (unsigned i = 0; i < reaching.size(); ++i)
    if (Operation *op = reaching[i].getDefiningOp())
      for (Value operand : op->getOperands())
        if (!isa<recur::StateType>(operand.getType()))
          reaching.insert(operand);
  return reaching;
}

static std::string drawOf(const TensorSpec &spec, StringRef override) {
  if (!override.empty())
    return override.str();
  if (spec.gate)
    return "gate";
  if (spec.perHead)
    return "constant";
  switch (spec.kind) {
  case Kind::key: return "unit";
  case Kind::scalar: return "sigmoid";
  default: return "normal";
  }
}

static void classifyInto(RecurrenceInfo &info, recur::RecurrenceOp recurrence) {
  recur::Classification classification = recur::classify(recurrence);
  info.chunkable = classification.chunkable;
  if (info.chunkable)
    return;
  Operation *culprit = classification.culprit ? classification.culprit : recurrence.getOperation();
  info.notChunkable = toString(culprit->getLoc()) + ": " + classification.reason;
}

RecurrenceInfo describeRecurrence(recur::RecurrenceOp recurrence, DType dtype) {
  RecurrenceInfo info;
  info.name = recurrence.getSymName().str();
  auto reaching = valuesReachingDecays(recurrence);
  for (BlockArgument argument : recurrence.getProgramArguments()) {
    unsigned i = argument.getArgNumber();
    TensorSpec spec;
    spec.name = recurrence.getArgumentName(i).str();
    spec.kind = kindOf(argument.getType());
    spec.perHead = recurrence.isPerHead(i);
    spec.gate = reaching.contains(argument);
    bool narrow = spec.kind != Kind::scalar && !spec.perHead && !spec.gate;
    spec.storage = narrow ? dtype : DType::f32;
    spec.draw = drawOf(spec, recurrence.getDraw(i));
    info.arguments.push_back(spec);
  }
  auto yield = recurrence.getYield();
  for (auto [i, value] : llvm::enumerate(yield.getValues())) {
    TensorSpec spec;
    spec.name = recurrence.getResultName(i).str();
    spec.kind = kindOf(value.getType());
    spec.storage = dtype;
    info.results.push_back(spec);
  }
  DiagnosticCollector diagnostics(recurrence.getContext());
  if (failed(recur::normalize(recurrence)))
    diagnostics.fail("expected a recurrence of ops that sluice knows");
  recurrence->walk([&](Operation *op) {
    info.reads += isa<recur::ReadOp>(op);
    info.writes += isa<recur::WriteOp>(op);
  });
  classifyInto(info, recurrence);
  return info;
}

} // namespace sluice
