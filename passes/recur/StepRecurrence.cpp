// The recurrent form: a scan of one token per step, in elementwise arithmetic on the K x V state.

#include "passes/recur/Passes.h"
#include "passes/recur/ScanBody.h"
#include "passes/recur/SimplifyScan.h"
#include "passes/recur/TokenEmitter.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sluice::recur;

namespace sluice::recur {
#define GEN_PASS_DEF_STEPRECURRENCE
#include "passes/recur/Passes.h.inc"
} // namespace sluice::recur

namespace {

/// Emits versions of the state on demand, forks included.
class StepBuilder {
public:
  StepBuilder(RecurrenceOp recurrence, const ScanOptions &options)
      : recurrence(recurrence), body(recurrence, "_recurrent_forward", 1, options),
        emitter(recurrence, body, [this](ReadOp read) { return emitRead(read); }) {
    states[recurrence.getStateArgument()] = body.getState();
  }

  ScanOp build() {
    YieldOp yield = recurrence.getYield();
    Value next = emitState(yield.getState());
    SmallVector<Value> results;
    for (Value result : yield.getValues())
      results.push_back(emitter.emitRows(result));
    body.finish(results, next);
    return body.getScan();
  }

private:
  Value emitState(Value version) {
    if (Value found = states.lookup(version))
      return found;
    Operation *op = version.getDefiningOp();
    Location outer = body.getLocation();
    body.setLocation(op->getLoc());
    Value state = llvm::TypeSwitch<Operation *, Value>(op)
                      .Case<DecayOp, DecayValuesOp, DecayEntriesOp>(
                          [&](auto decay) { return emitDecay(emitState(decay.getState()), decay.getGate()); })
                      .Case([&](WriteOp write) { return emitWrite(write); });
    body.setLocation(outer);
    return states[version] = state;
  }

  Value emitDecay(Value state, Value gate) {
    Value factor = body.exp(emitter.emitGate(gate));
    switch (getKind(gate.getType())) {
    case Kind::Scalar:
      return body.mul(state, body.expand(factor, {0, 1}, state.getType()));
    case Kind::Key:
      return body.mul(state, body.expand(factor, {1}, state.getType()));
    case Kind::Value:
      return body.mul(state, body.expand(factor, {0}, state.getType()));
    default:
      return body.mul(state, factor);
    }
  }

  /// S + x u^T.
  Value emitWrite(WriteOp write) {
    Value state = emitState(write.getState());
    Value key = body.expand(emitter.emitWrittenKey(write.getAt()), {1}, state.getType());
    Value value = body.expand(emitter.emitRows(write.getValue()), {0}, state.getType());
    return body.add(state, body.mul(key, value));
  }

  /// S^T x.
  Value emitRead(ReadOp read) {
    Value state = emitState(read.getState());
    Value key = body.expand(emitter.emitRows(read.getAt()), {1}, state.getType());
    return body.reduce(body.mul(state, key), 0);
  }

  RecurrenceOp recurrence;
  ScanBody body;
  TokenEmitter emitter;
  DenseMap<Value, Value> states;
};

struct StepRecurrencePass : sluice::recur::impl::StepRecurrenceBase<StepRecurrencePass> {
  using StepRecurrenceBase::StepRecurrenceBase;
  void runOnOperation() override {
    ScanOptions options{.keyDim = keyDim, .valueDim = valueDim, .checkpoint = checkpoint};
    for (auto recurrence : llvm::make_early_inc_range(getOperation().getOps<RecurrenceOp>()))
      if (failed(buildStepScan(recurrence, options)))
        return signalPassFailure();
  }
};

} // namespace

FailureOr<ScanOp> sluice::recur::buildStepScan(RecurrenceOp recurrence, const ScanOptions &options) {
  if (failed(normalize(recurrence)))
    return failure();
  ScanOp scan = StepBuilder(recurrence, options).build();
  if (failed(simplifyScan(scan)))
    return failure();
  return scan;
}
