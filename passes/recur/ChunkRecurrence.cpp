// Derives the chunk program of a chunkable recurrence (derivation, section 3).

#include "passes/recur/ChunkSolve.h"
#include "passes/recur/Passes.h"
#include "passes/recur/SimplifyScan.h"

using namespace mlir;
using namespace sluice::recur;

namespace sluice::recur {
#define GEN_PASS_DEF_CHUNKRECURRENCE
#include "passes/recur/Passes.h.inc"
} // namespace sluice::recur

namespace {

/// Puts a chunk's parts together: gates, reads and writes, the state after it, the results.
class ChunkBuilder {
public:
  ChunkBuilder(RecurrenceOp recurrence, const ScanOptions &options)
      : program(recurrence), body(recurrence, "_chunk_forward", options.chunk, options),
        emitter(recurrence, body, [this](ReadOp read) { return emitRead(read); }),
        gates(program, emitter, body), solve(program, emitter, body, gates) {}

  ScanOp build() {
    Value next = buildNextState();
    SmallVector<Value> results;
    for (Value result : program.recurrence.getYield().getValues())
      results.push_back(emitter.emitRows(result));
    body.finish(results, next);
    return body.getScan();
  }

private:
  Value emitRead(ReadOp op) {
    auto step = llvm::find_if(program.reads, [&](const ReadStep &read) { return read.op == op; });
    return solve.getRead(step - program.reads.begin());
  }

  /// S1 = e^(all decays) S0 + sum_w K^_w^T U_w, with K^_w the keys decayed to the chunk's end.
  Value buildNextState() { return body.add(gates.decayState(body.getState()), solve.getUpdate()); }

  TokenProgram program;
  ScanBody body;
  TokenEmitter emitter;
  ChunkGates gates;
  ChunkSolve solve;
};

struct ChunkRecurrencePass : sluice::recur::impl::ChunkRecurrenceBase<ChunkRecurrencePass> {
  using ChunkRecurrenceBase::ChunkRecurrenceBase;
  void runOnOperation() override {
    ScanOptions options{.chunk = chunk, .keyDim = keyDim, .valueDim = valueDim};
    for (auto recurrence : llvm::make_early_inc_range(getOperation().getOps<RecurrenceOp>()))
      if (failed(buildChunkScan(recurrence, options)))
        return signalPassFailure();
  }
};

} // namespace

FailureOr<ScanOp> sluice::recur::buildChunkScan(RecurrenceOp recurrence, const ScanOptions &options) {
  if (failed(normalize(recurrence)))
    return failure();
  Classification answer = classify(recurrence);
  if (!answer.chunkable) {
    answer.culprit->emitError("no chunk form: ") << answer.reason;
    return failure();
  }
  ScanOp scan = ChunkBuilder(recurrence, options).build();
  if (failed(simplifyScan(scan)))
    return failure();
  return scan;
}
