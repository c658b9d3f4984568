// Running sums, and decay matrices of scalar gates.
//
// Decays between two tokens are products of the per-token factors e^g rather than exponentials of differences
// of cumulative sums: each entry then carries the rounding of its own factors only, however large other gates
// are, and a factor of 0 (a reset) gives exact zeros.
#include "codegen/cpu/kernels/Gates.h"

using namespace mlir;

namespace sluice::cpu {

void emitFactors(Code &code, Value g, Value factors) {
  auto apply = [&](ValueRange at) {
    code.storeVector(emitExp(code.builder, code.location, code.loadVector(g, at)), factors, at);
  };
  if (code.shape(g).size() == 1)
    return code.loop(0, code.columns(g), lanes, [&](Value i) { apply(i); });
  code.loop(0, code.rows(g), 1, [&](Value row) {
    code.loop(0, code.columns(g), lanes, [&](Value column) { apply({row, column}); });
  });
}

//===----------------------------------------------------------------------===//
// Running sums
//===----------------------------------------------------------------------===//

namespace {

/// Visits the rows in the order of summation; `step(row, sum)` returns the next sum.
void runningSum(Code &code, int64_t rows, bool reverse, const Values &zero, Code::Body step) {
  code.loop(0, rows, 1, zero, [&](Value i, const Values &sums) {
    return step(reverse ? code.minus(code.index(rows - 1), i) : i, sums);
  });
}

} // namespace

void emitCumulativeSum(Code &code, Value x, Value y, SumDirection direction) {
  int64_t rows = code.rows(x);
  if (code.shape(x).size() == 1)
    return runningSum(code, rows, direction.reverse, {code.number(0)}, [&](Value row, const Values &sums) {
      Value next = code.add(sums[0], code.load(x, row));
      code.store(direction.exclusive ? sums[0] : next, y, row);
      return Values{next};
    });
  // Several columns at once hide the latency of the additions.
  int64_t together = code.columns(x) % (4 * lanes) ? 1 : 4;
  code.loop(0, code.columns(x), together * lanes, [&](Value column) {
    Values zero(together, code.splat(0));
    runningSum(code, rows, direction.reverse, zero, [&](Value row, const Values &sums) {
      Values next;
      for (int64_t v = 0; v < together; ++v) {
        Value at[] = {row, code.plus(column, v * lanes)};
        next.push_back(code.add(sums[v], code.loadVector(x, at)));
        code.storeVector(direction.exclusive ? sums[v] : next[v], y, at);
      }
      return next;
    });
  });
}

//===----------------------------------------------------------------------===//
// Decay matrices
//===----------------------------------------------------------------------===//

/// Row t is row t - 1 times e^g[t], with 1 entering on the diagonal. With span between, row t is what row t -
/// 1 is with span through.
void emitDecayMatrix(Code &code, Value g, Value factors, Value d, bool between) {
  emitFactors(code, g, factors);
  int64_t size = code.rows(g);
  code.loop(0, size, lanes, [&](Value column) {
    code.loop(0, size, 1, {code.splat(0)}, [&](Value t, const Values &carried) {
      Value decayed = code.multiply(carried[0], code.broadcast(code.load(factors, t)));
      Value past = code.lanesBelow(column, t), present = code.lanesBelow(column, code.plus(t, 1));
      Value row = code.select(present, code.splat(1), code.splat(0));
      row = code.select(past, decayed, row);
      code.storeVector(between ? carried[0] : row, d, {t, column});
      return Values{row};
    });
  });
}

/// dg[i] = sum over s < i <= t (between: s < i < t) of e[t,s]: column sums of the rows below, from the last
/// row up, then the sum of the columns left of i. Nothing is subtracted, so that nothing cancels.
void emitDecayMatrixAdjoint(Code &code, Value d, Value dd, Value dg, bool between) {
  int64_t size = code.rows(d), vectors = size / lanes;
  Values zero(vectors, code.splat(0));
  code.loop(0, size, 1, zero, [&](Value step, const Values &below) {
    Value i = code.minus(code.index(size - 1), step);
    Values next;
    Value sum = code.splat(0);
    for (int64_t v = 0; v < vectors; ++v) {
      Value column = code.index(v * lanes);
      Value product = code.multiply(code.loadVector(d, {i, column}), code.loadVector(dd, {i, column}));
      next.push_back(code.add(below[v], product));
      Value kept = code.select(code.lanesBelow(column, i), between ? below[v] : next[v], code.splat(0));
      sum = code.add(sum, kept);
    }
    code.store(code.sumOfLanes(sum), dg, i);
    return next;
  });
}

} // namespace sluice::cpu
