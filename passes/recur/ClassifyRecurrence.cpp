// Which recurrences have a chunk form, and why others do not (derivation, section 2).

#include "passes/recur/Passes.h"
#include "passes/recur/TokenProgram.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sluice::recur;

namespace sluice::recur {
#define GEN_PASS_DEF_CLASSIFYRECURRENCE
#include "passes/recur/Passes.h.inc"
} // namespace sluice::recur

namespace {

/// Looks for the first op that stands against a chunk form.
class Classifier {
public:
  explicit Classifier(const TokenProgram &program) : program(program) {}

  Classification run() {
    checkDecays();
    checkReads();
    for (const WriteStep &write : program.writes) {
      if (program.dependsOnState(write.getKey()))
        refuse(write.op, "the key depends on the state");
      checkAffine(write.getValue());
    }
    return result;
  }

private:
  void refuse(Operation *op, StringRef reason) {
    if (result.chunkable)
      result = {false, op, reason.str()};
  }

  void checkDecays() {
    for (Operation *op : program.decays) {
      if (isa<DecayValuesOp>(op))
        refuse(op, "each value channel decays by a factor of its own");
      else if (isa<DecayEntriesOp>(op))
        refuse(op, "each entry of the state decays by a factor of its own");
      else if (program.dependsOnState(cast<DecayOp>(op).getGate()))
        refuse(op, "the gate depends on the state");
    }
  }

  void checkReads() {
    Block &body = RecurrenceOp(program.recurrence).getBody().front();
    for (auto read : body.getOps<ReadOp>()) {
      if (!program.isOnTrunk(read.getState()))
        refuse(read, "reads a state that decays entry by entry and is not yielded");
      else if (program.dependsOnState(read.getAt()))
        refuse(read, "the key depends on the state");
    }
  }

  /// The value must be p + sum_j c_j r_j with vectors p and scalars c_j that do not depend on the state.
  void checkAffine(Value value) {
    if (!program.dependsOnState(value) || value.getDefiningOp<ReadOp>() || !seen.insert(value).second)
      return;
    Operation *op = value.getDefiningOp();
    auto terms = program.matchLinear(op);
    if (!terms)
      return refuse(op, explain(op));
    for (const LinearTerm &term : *terms)
      checkAffine(term.value);
  }

  std::string explain(Operation *op) {
    return llvm::TypeSwitch<Operation *, std::string>(op)
        .Case([&](MulOp mul) {
          bool both = program.dependsOnState(mul.getX()) && program.dependsOnState(mul.getY());
          return both ? "the written value holds a product of reads" : "a value vector multiplies a read";
        })
        .Case([&](DivOp div) {
          return program.dependsOnState(div.getY()) ? "the written value is divided by a read"
                                                    : "a value vector divides a read";
        })
        .Case([](ScaleOp) { return "the written value is scaled by what depends on the state"; })
        .Case([](BroadcastOp) { return "the written value mixes value channels of a read"; })
        .Default([](Operation *other) {
          return ("the written value depends on a read through " + other->getName().getStringRef() +
                  ", which is not linear")
              .str();
        });
  }

  const TokenProgram &program;
  Classification result;
  llvm::DenseSet<Value> seen;
};

struct ClassifyRecurrencePass : sluice::recur::impl::ClassifyRecurrenceBase<ClassifyRecurrencePass> {
  void runOnOperation() override {
    Classification answer = classify(getOperation());
    if (!answer.chunkable) {
      answer.culprit->emitRemark("recurrent form only: ") << answer.reason;
      return;
    }
    TokenProgram program(getOperation());
    auto isBound = [](const WriteStep &write) { return write.bound; };
    unsigned bound = llvm::count_if(program.writes, isBound);
    getOperation().emitRemark("chunkable: ")
        << bound << " bound and " << program.writes.size() - bound << " free writes, " << program.reads.size()
        << " reads, " << program.decays.size() << " decays";
  }
};

} // namespace

Classification sluice::recur::classify(RecurrenceOp recurrence) {
  if (failed(normalize(recurrence)))
    return {false, recurrence, "its normalization does not end"};
  return Classifier(TokenProgram(recurrence)).run();
}

bool sluice::recur::reducesOverValues(RecurrenceOp recurrence) {
  auto reduces = [](Operation &op) {
    return isa<DotOp, SumOp, NormalizeOp>(op) && isa<ValueType>(op.getOperand(0).getType());
  };
  // Every block would take the cotangent of a result that is no value, and their gradients are summed.
  auto isShared = [](Value result) { return !isa<ValueType>(result.getType()); };
  return llvm::any_of(recurrence.getBody().front(), reduces) ||
         llvm::any_of(recurrence.getYield().getValues(), isShared);
}
