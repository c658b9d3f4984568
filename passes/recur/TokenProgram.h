// What passes need to know of a normalized token program: its steps on the state in order, which values
// depend on the state, and how linear ops pass reads on.
#pragma once

#include "dialect/recur/Recur.h"

#include "llvm/ADT/DenseSet.h"
#include <optional>

namespace sluice::recur {

/// A read of the trunk, with the numbers of decays and writes that come before it in the token.
struct ReadStep {
  ReadOp op;
  unsigned decaysBefore, writesBefore;

  mlir::Value getKey() const { return ReadOp(op).getAt(); }
};

/// A write on the trunk. It is bound if what it writes depends on a read, else free.
struct WriteStep {
  WriteOp op;
  unsigned decaysBefore;
  bool bound;

  mlir::Value getKey() const { return WriteOp(op).getAt(); }
  mlir::Value getValue() const { return WriteOp(op).getValue(); }
};

/// One operand of a linear op: the op's result is the sum of its terms, each times `scale`, or divided by
/// it. `scale` is a scalar or a vector constant, all of whose elements are one number; null means 1.
struct LinearTerm {
  mlir::Value value;
  bool negative = false;
  mlir::Value scale = nullptr;
  bool divide = false;
};

/// The steps of one token, in the order of the state's versions: the trunk runs from the state before the
/// token to the yielded one.
class TokenProgram {
public:
  explicit TokenProgram(RecurrenceOp recurrence);

  RecurrenceOp recurrence;
  llvm::SmallVector<mlir::Operation *> decays; ///< DecayOp, DecayValuesOp or DecayEntriesOp.
  llvm::SmallVector<ReadStep> reads;
  llvm::SmallVector<WriteStep> writes;

  bool isOnTrunk(mlir::Value state) const { return trunk.contains(state); }
  /// Whether a read reaches the value; states themselves are not asked about.
  bool dependsOnState(mlir::Value value) const { return tainted.contains(value); }
  /// How `op` is linear in those of its operands that depend on the state, with coefficients that do not;
  /// nothing if it is not. Terms that do not depend on the state are listed too.
  std::optional<llvm::SmallVector<LinearTerm>> matchLinear(mlir::Operation *op) const;

private:
  void listSteps();
  void markTainted();

  llvm::DenseSet<mlir::Value> trunk, tainted;
};

/// The states from the yielded one down to the one before the token, in this order.
llvm::SmallVector<mlir::Value> getTrunk(RecurrenceOp recurrence);
/// The state that a decay or write changes.
mlir::Value getStateOperand(mlir::Operation *op);
/// The scalar whose repetition `value` is: a scalar itself, what is broadcast, or a constant; else null.
mlir::Value getUniform(mlir::Value value);

} // namespace sluice::recur
