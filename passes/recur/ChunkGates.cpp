// Sums of log decays within a chunk. Equal ones are shared afterwards by common subexpression elimination.

#include "passes/recur/ChunkGates.h"

using namespace mlir;
using namespace sluice::recur;

ChunkGates::ChunkGates(const TokenProgram &program, TokenEmitter &emitter, ScanBody &body) : body(body) {
  for (Operation *op : program.decays)
    gates.push_back(emitter.emitGate(cast<DecayOp>(op).getGate()));
  channels = llvm::any_of(gates, [](Value gate) { return getTensorType(gate).getRank() == 2; });
  if (!channels)
    return;
  RankedTensorType type = body.getType(Kind::Key, true);
  for (Value &gate : gates)
    if (gate.getType() != type)
      gate = body.expand(gate, {1}, type);
}

Value ChunkGates::sum(unsigned first, unsigned last) {
  Value result;
  for (unsigned i = first; i < last; ++i)
    result = body.add(result, gates[i]);
  return result;
}

Value ChunkGates::decay(Value x, Value exponent) {
  if (!exponent)
    return x;
  Value factor = body.exp(exponent);
  return channels ? body.mul(x, factor) : body.scaleRows(x, factor);
}

Value ChunkGates::cumulativeSum(bool reverse, bool exclusive) {
  Value gate = sum(0, size());
  if (!gate)
    return {};
  return CumulativeSumOp::create(body.getBuilder(), body.getLocation(), gate.getType(), gate, reverse,
                                 exclusive);
}

Value ChunkGates::fromStart(Span span) { return cumulativeSum(false, span == Span::Between); }

Value ChunkGates::toEnd() { return cumulativeSum(true, true); }

Value ChunkGates::decayState(Value state) {
  Value gate = sum(0, size());
  if (!gate)
    return state;
  Value factor = body.exp(body.reduce(gate, 0));
  SmallVector<int64_t> missing = channels ? SmallVector<int64_t>{1} : SmallVector<int64_t>{0, 1};
  return body.mul(state, body.expand(factor, missing, state.getType()));
}

Value ChunkGates::scores(Value x, Value k, Span span, bool diagonal) {
  OpBuilder &builder = body.getBuilder();
  auto type = RankedTensorType::get({body.getStep(), body.getStep()}, builder.getF32Type());
  Value gate = sum(0, size());
  if (channels)
    return DecayedScoresOp::create(builder, body.getLocation(), type, x, k, gate, span, diagonal);
  Value product =
      body.productTransposed(x, k, diagonal ? Triangle::LowerResult : Triangle::StrictlyLowerResult);
  if (!gate)
    return product;
  return body.mul(product, DecayMatrixOp::create(builder, body.getLocation(), type, gate, span));
}
