// Scores with a decay per key channel. Scores.h has the scheme.
#include "codegen/cpu/kernels/Scores.h"

#include "codegen/cpu/kernels/Gates.h"
#include "codegen/cpu/kernels/Product.h"

using namespace mlir;

namespace sluice::cpu {

void emitBlockDecays(Code &code, Value g, const BlockDecays &decays, bool between, Scaled scaled) {
  auto write = [&](Value product, Value by, Value to, ValueRange place) {
    if (by)
      product = code.multiply(code.loadVector(by, place), product);
    code.storeVector(product, to, place);
  };
  code.loop(0, code.rows(g), lanes, [&](Value first) {
    code.loop(0, code.columns(g), lanes, [&](Value column) {
      Value end = code.plus(first, lanes), last = code.plus(first, lanes - 1);
      Values whole = code.loop(first, end, 1, {code.splat(1)}, [&](Value row, const Values &product) {
        Value place[] = {row, column};
        Value factor = emitExp(code.builder, code.location, code.loadVector(g, place));
        code.storeVector(factor, decays.factors, place);
        Value next = code.multiply(product[0], factor);
        write(between ? product[0] : next, scaled.x, decays.entering, place);
        return Values{next};
      });
      code.storeVector(whole[0], decays.whole, {code.dividedBy(first, lanes), column});
      code.loop(0, lanes, 1, {code.splat(1)}, [&](Value step, const Values &product) {
        Value place[] = {code.minus(last, step), column};
        write(product[0], scaled.k, decays.leaving, place);
        return Values{code.multiply(product[0], code.loadVector(decays.factors, place))};
      });
    });
  });
}

namespace {

class ScoresEmitter {
public:
  ScoresEmitter(Code &code, const ScoresBuffers &buffers, Scores scores)
      : code(code), b(buffers), scores(scores), size(code.rows(b.x)), keys(code.columns(b.x)) {}

  void emit() {
    emitBlockDecays(code, b.g, b.decays, scores.between, {b.x, b.k});
    transposeKeys();
    code.loop(0, size, lanes, [&](Value first) {
      advanceKeys(first);
      BlockProduct pairs;
      pairs.lhs = b.decays.entering;
      pairs.rhs = b.decayedKeys;
      pairs.result = b.l;
      pairs.from = code.index(0);
      pairs.to = code.index(keys);
      emitBlockProduct(code, pairs, first, code.index(0), first);
      diagonalBlock(first);
      code.loop(code.plus(first, lanes), code.index(size), lanes, [&](Value column) {
        for (int64_t i = 0; i < lanes; ++i)
          code.storeVector(code.splat(0), b.l, {code.plus(first, i), column});
      });
    });
  }

private:
  /// The keys, decayed to their block's end.
  void transposeKeys() {
    code.loop(0, size, lanes, [&](Value row) {
      code.loop(0, keys, lanes, [&](Value column) {
        emitTransposedBlock(code, b.decays.leaving, {row, column}, [&](int64_t i, Value vector) {
          code.storeVector(vector, b.decayedKeys, {code.plus(column, i), row});
        });
      });
    });
  }

  /// Keys before the previous block now decay through all of that block too.
  void advanceKeys(Value first) {
    code.ifTrue(code.atLeast(first, 2 * lanes), [&] {
      Value previous = code.minus(first, code.index(lanes));
      code.loop(0, keys, 1, [&](Value c) {
        Value decay = code.load(b.decays.whole, {code.dividedBy(previous, lanes), c});
        Value factor = code.broadcast(decay);
        code.loop(code.index(0), previous, lanes, [&](Value column) {
          Value scaled = code.multiply(code.loadVector(b.decayedKeys, {c, column}), factor);
          code.storeVector(scaled, b.decayedKeys, {c, column});
        });
      });
    });
  }

  /// Pairs within a block, channels in lanes. From token t back, x[t] decays by one gate more with each s.
  void diagonalBlock(Value first) {
    for (int64_t t = 0; t < lanes; ++t) {
      int64_t nearest = scores.diagonal ? t : t - 1;
      Values zero(nearest + 1, code.splat(0));
      Values sums = code.loop(0, keys, lanes, zero, [&](Value column, const Values &carried) {
        return addPairs(first, column, t, carried);
      });
      for (int64_t s = 0; s <= nearest; ++s)
        code.storeVector(sums[s], b.sums, {code.index(t * lanes + s), code.index(0)});
    }
    code.loop(0, lanes, 1, [&](Value t) {
      Values sums;
      for (int64_t s = 0; s < lanes; ++s)
        sums.push_back(code.loadVector(b.sums, {code.plus(code.times(t, lanes), s), code.index(0)}));
      Value kept = code.lanesBelow(code.index(0), scores.diagonal ? code.plus(t, 1) : t);
      code.storeVector(code.select(kept, code.sumsOfLanes(sums), code.splat(0)), b.l,
                       {code.plus(first, t), first});
    });
  }

  Values addPairs(Value first, Value column, int64_t t, const Values &carried) {
    Values next = carried;
    Value past = code.loadVector(b.x, {code.plus(first, t), column});
    int64_t nearest = int64_t(next.size()) - 1, open = scores.between ? t - 1 : t;
    for (int64_t s = nearest; s >= 0; --s) {
      if (s < open)
        past = code.multiply(past, code.loadVector(b.decays.factors, {code.plus(first, s + 1), column}));
      next[s] = code.multiplyAdd(past, code.loadVector(b.k, {code.plus(first, s), column}), next[s]);
    }
    return next;
  }

  Code &code;
  const ScoresBuffers &b;
  Scores scores;
  int64_t size, keys;
};

} // namespace

void emitDecayedScores(Code &code, const ScoresBuffers &buffers, Scores scores) {
  ScoresEmitter(code, buffers, scores).emit();
}

} // namespace sluice::cpu
