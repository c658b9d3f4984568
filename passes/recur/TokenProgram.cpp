// Lists the steps of a token program and marks what depends on the state.

#include "passes/recur/TokenProgram.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sluice::recur;

Value sluice::recur::getStateOperand(Operation *op) {
  return llvm::TypeSwitch<Operation *, Value>(op).Case<DecayOp, DecayValuesOp, DecayEntriesOp, WriteOp>(
      [](auto step) -> Value { return step.getState(); });
}

SmallVector<Value> sluice::recur::getTrunk(RecurrenceOp recurrence) {
  SmallVector<Value> trunk;
  Value state = recurrence.getYield().getState();
  for (; Operation *op = state.getDefiningOp(); state = getStateOperand(op))
    trunk.push_back(state);
  trunk.push_back(state);
  return trunk;
}

Value sluice::recur::getUniform(Value value) {
  if (value.getType().isF32())
    return value;
  if (auto broadcast = value.getDefiningOp<BroadcastOp>())
    return getUniform(broadcast.getX());
  return value.getDefiningOp<ConstantOp>() ? value : Value();
}

TokenProgram::TokenProgram(RecurrenceOp recurrence) : recurrence(recurrence) {
  markTainted();
  listSteps();
}

void TokenProgram::markTainted() {
  for (Operation &op : recurrence.getBody().front()) {
    bool fromState = isa<ReadOp>(op) ||
                     llvm::any_of(op.getOperands(), [&](Value operand) { return tainted.contains(operand); });
    for (Value result : op.getResults())
      if (fromState && !isa<StateType>(result.getType()))
        tainted.insert(result);
  }
}

void TokenProgram::listSteps() {
  SmallVector<Value> versions = getTrunk(recurrence);
  for (Value state : llvm::reverse(versions)) {
    trunk.insert(state);
    Operation *op = state.getDefiningOp();
    if (auto write = dyn_cast_or_null<WriteOp>(op))
      writes.push_back({write, unsigned(decays.size()), dependsOnState(write.getValue())});
    else if (op)
      decays.push_back(op);
    // Uses are listed last to first.
    SmallVector<Operation *> users(state.getUsers());
    for (Operation *user : llvm::reverse(users))
      if (auto read = dyn_cast<ReadOp>(user); read && !read->use_empty())
        reads.push_back({read, unsigned(decays.size()), unsigned(writes.size())});
  }
}

std::optional<SmallVector<LinearTerm>> TokenProgram::matchLinear(Operation *op) const {
  using Terms = SmallVector<LinearTerm>;
  // Multiplies or divides the operand that depends on the state by the one that must not.
  auto scaled = [&](Value x, Value by, bool divide) -> std::optional<Terms> {
    Value scale = getUniform(by);
    if (!scale || dependsOnState(by))
      return std::nullopt;
    return Terms{{x, false, scale, divide}};
  };
  return llvm::TypeSwitch<Operation *, std::optional<Terms>>(op)
      .Case([](AddOp add) {
        return Terms{{add.getX()}, {add.getY()}};
      })
      .Case([](SubOp sub) {
        return Terms{{sub.getX()}, {sub.getY(), true}};
      })
      .Case([](NegOp neg) {
        return Terms{{neg.getX(), true}};
      })
      .Case([&](ScaleOp scale) { return scaled(scale.getX(), scale.getBy(), false); })
      .Case([&](DivOp div) { return scaled(div.getX(), div.getY(), true); })
      .Case([&](MulOp mul) {
        bool second = dependsOnState(mul.getY());
        return second ? scaled(mul.getY(), mul.getX(), false) : scaled(mul.getX(), mul.getY(), false);
      })
      .Default([](Operation *) { return std::nullopt; });
}
