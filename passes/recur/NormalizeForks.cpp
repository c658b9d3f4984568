// Moves reads of forks onto the trunk (derivation, section 1):
//   read(write(S, x, u), y) = read(S, y) + (x . y) u
//   read(decay(S, g), y) = read(S, e^g y)
//   read(decay_values(S, g), y) = e^g read(S, y)
// Gates are clamped here as they are where the state itself decays.

#include "passes/recur/NormalizeForks.h"
#include "passes/recur/TokenProgram.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace sluice::recur;

namespace {

/// Builds what a read of a fork is worth, step by step down to the trunk.
class ForkReader {
public:
  ForkReader(ReadOp read, const DenseSet<Value> &trunk) : builder(read), loc(read.getLoc()), trunk(trunk) {}

  Value read(Value state, Value at) {
    Operation *op = state.getDefiningOp();
    if (trunk.contains(state) || isa<DecayEntriesOp>(op))
      return ReadOp::create(builder, loc, builder.getType<ValueType>(), state, at);
    if (auto write = dyn_cast<WriteOp>(op)) {
      Value before = read(write.getState(), at);
      Value overlap = DotOp::create(builder, loc, builder.getF32Type(), write.getAt(), at);
      Value bonus = scale(write.getValue(), overlap);
      return AddOp::create(builder, loc, before, bonus);
    }
    if (auto decay = dyn_cast<DecayOp>(op)) {
      Value factor = getFactor(decay.getGate());
      bool scalar = factor.getType().isF32();
      Value decayed = scalar ? scale(at, factor) : MulOp::create(builder, loc, at, factor);
      return read(decay.getState(), decayed);
    }
    auto decay = cast<DecayValuesOp>(op);
    Value before = read(decay.getState(), at);
    return MulOp::create(builder, loc, before, getFactor(decay.getGate()));
  }

private:
  Value scale(Value x, Value by) { return ScaleOp::create(builder, loc, x.getType(), x, by); }
  Value getFactor(Value gate) {
    Value clamped = ClampGateOp::create(builder, loc, gate);
    return ExpOp::create(builder, loc, clamped);
  }

  OpBuilder builder;
  Location loc;
  const DenseSet<Value> &trunk;
};

} // namespace

unsigned sluice::recur::normalizeForks(RecurrenceOp recurrence) {
  SmallVector<Value> versions = getTrunk(recurrence);
  DenseSet<Value> trunk(versions.begin(), versions.end());
  unsigned moved = 0;
  for (auto read : llvm::make_early_inc_range(recurrence.getBody().front().getOps<ReadOp>())) {
    Value state = read.getState();
    if (trunk.contains(state) || isa<DecayEntriesOp>(state.getDefiningOp()))
      continue;
    read.getValue().replaceAllUsesWith(ForkReader(read, trunk).read(state, read.getAt()));
    read.erase();
    ++moved;
  }
  return moved;
}
