// The adjoint of scores with a decay per key channel. Scores.h has the scheme.
//
// A gate's cotangent is the sum over the pairs (t, s) that it lies between. With the parts of dx and dk from
// such pairs, Gx and Gk, it is the running sum from the last token of x Gx - k Gk: a pair enters at t and
// leaves at s. Pairs that no gate lies between stay out, because they would cancel only up to rounding.
#include "codegen/cpu/kernels/Product.h"
#include "codegen/cpu/kernels/Scores.h"

using namespace mlir;

namespace sluice::cpu {

namespace {

class AdjointEmitter {
public:
  AdjointEmitter(Code &code, const ScoresAdjointBuffers &buffers, Scores scores)
      : code(code), b(buffers), scores(scores), size(code.rows(b.x)), keys(code.columns(b.x)) {}

  void emit() {
    emitBlockDecays(code, b.g, b.decays, scores.between);
    if (scores.between)
      separateNeighbours();
    code.loop(0, size, lanes, [&](Value first) { earlierBlocks(first); });
    code.loop(0, size, lanes, [&](Value step) { laterBlocks(code.minus(code.index(size - lanes), step)); });
    code.loop(0, size, lanes, [&](Value first) {
      code.loop(0, keys, lanes, [&](Value column) { diagonalBlock(first, column); });
    });
    code.loop(0, keys, lanes, [&](Value column) { gates(column); });
  }

private:
  Value at(Value buffer, Value row, Value column) { return code.loadVector(buffer, {row, column}); }

  void scaleRows(Value buffer, Value from, Value to, function_ref<Value(Value row, Value column)> factor) {
    code.loop(from, to, 1, [&](Value row) {
      code.loop(0, keys, lanes, [&](Value column) {
        Value scaled = code.multiply(at(buffer, row, column), factor(row, column));
        code.storeVector(scaled, buffer, {row, column});
      });
    });
  }

  /// decayed = source * by for the 16 tokens from `first`.
  void enterBlock(Value source, Value by, Value first) {
    code.loop(first, code.plus(first, lanes), 1, [&](Value row) {
      code.loop(0, keys, lanes, [&](Value column) {
        Value scaled = code.multiply(at(source, row, column), at(by, row, column));
        code.storeVector(scaled, b.decayed, {row, column});
      });
    });
  }

  Value acrossBlocks() { return scores.between ? b.apart : b.dl; }

  /// With span between, token t and t - 1 have no gate between them, also where they lie in different blocks.
  void separateNeighbours() {
    code.loop(lanes, size, lanes, [&](Value first) {
      code.loop(first, code.plus(first, lanes), 1, [&](Value row) {
        code.loop(code.index(0), first, lanes, [&](Value column) {
          code.storeVector(at(b.dl, row, column), b.apart, {row, column});
        });
      });
      code.store(code.number(0), b.apart, {first, code.plus(first, -1)});
    });
  }

  /// Gx of block I from all blocks before it.
  void earlierBlocks(Value first) {
    code.ifTrue(code.atLeast(first, lanes), [&] {
      Value previous = code.plus(first, -lanes);
      Value block = code.dividedBy(previous, lanes);
      scaleRows(b.decayed, code.index(0), previous,
                [&](Value, Value column) { return at(b.decays.whole, block, column); });
      enterBlock(b.k, b.decays.leaving, previous);
    });
    BlockProduct product;
    product.lhs = acrossBlocks();
    product.rhs = b.decayed;
    product.result = b.gatedX;
    product.from = code.index(0);
    product.to = first;
    emitBlockProduct(code, product, first, code.index(0), code.index(keys));
    scaleRows(b.gatedX, first, code.plus(first, lanes),
              [&](Value row, Value column) { return at(b.decays.entering, row, column); });
  }

  /// Gk of block J from all blocks after it.
  void laterBlocks(Value first) {
    Value next = code.plus(first, lanes), end = code.index(size);
    code.ifTrue(code.atLeast(code.minus(end, next), 1), [&] {
      Value block = code.dividedBy(next, lanes);
      scaleRows(b.decayed, code.plus(next, lanes), end,
                [&](Value, Value column) { return at(b.decays.whole, block, column); });
      enterBlock(b.x, b.decays.entering, next);
    });
    BlockProduct product;
    product.lhs = acrossBlocks();
    product.transposeLhs = true;
    product.rhs = b.decayed;
    product.result = b.gatedK;
    product.from = next;
    product.to = end;
    emitBlockProduct(code, product, first, code.index(0), code.index(keys));
    scaleRows(b.gatedK, first, next,
              [&](Value row, Value column) { return at(b.decays.leaving, row, column); });
  }

  Value score(Value first, int64_t t, int64_t s) {
    return code.broadcast(code.load(b.dl, {code.plus(first, t), code.plus(first, s)}));
  }

  /// Pairs within a block, by Horner's rule in the decays; channels lie in lanes.
  void diagonalBlock(Value first, Value column) {
    Values x, k, a;
    for (int64_t i = 0; i < lanes; ++i) {
      Value row = code.plus(first, i);
      x.push_back(at(b.x, row, column));
      k.push_back(at(b.k, row, column));
      a.push_back(at(b.decays.factors, row, column));
    }
    int64_t apart = scores.between ? 2 : 1; // least t - s with a gate between
    for (int64_t t = 0; t < lanes; ++t) {
      Value sum = code.splat(0);
      for (int64_t s = 0; s <= t - apart; ++s)
        sum = code.multiply(code.multiplyAdd(score(first, t, s), k[s], sum), a[s + 1]);
      finish({b.gatedX, b.dx}, first, column, t, {sum, ungated(first, column, t, -1, k)});
    }
    for (int64_t s = 0; s < lanes; ++s) {
      Value sum = code.splat(0);
      for (int64_t t = lanes - 1; t >= s + apart; --t)
        sum = code.multiply(code.multiplyAdd(score(first, t, s), x[t], sum), a[t - apart + 1]);
      finish({b.gatedK, b.dk}, first, column, s, {sum, ungated(first, column, s, 1, x)});
    }
  }

  /// What token i gets from the one partner whom no gate lies between: itself, or with span between the
  /// neighbour on the other side, who may belong to the next block. Null if there is none.
  Value ungated(Value first, Value column, int64_t i, int64_t side, const Values &partners) {
    if (!scores.between)
      return scores.diagonal ? code.multiply(score(first, i, i), partners[i]) : Value();
    int64_t partner = i + side;
    int64_t t = std::max(i, partner), s = std::min(i, partner);
    if (partner >= 0 && partner < lanes)
      return code.multiply(score(first, t, s), partners[partner]);
    return neighbourBlock(first, column, i, partner);
  }

  /// The neighbour's row, or the own one with a coefficient of 0 at the chunk's ends.
  Value neighbourBlock(Value first, Value column, int64_t i, int64_t partner) {
    Value own = code.plus(first, i), other = code.plus(first, partner);
    Value exists = partner < 0 ? code.atLeast(first, lanes) : code.atMost(first, size - 2 * lanes);
    other = code.select(exists, other, own);
    Value t = partner < 0 ? own : other, s = partner < 0 ? other : own;
    Value weight = code.select(exists, code.load(b.dl, {t, s}), code.number(0));
    return code.multiply(code.broadcast(weight), at(partner < 0 ? b.k : b.x, other, column));
  }

  struct Targets {
    Value gated, all;
  };
  void finish(Targets to, Value first, Value column, int64_t i, std::pair<Value, Value> sums) {
    Value row = code.plus(first, i);
    Value gated = code.add(at(to.gated, row, column), sums.first);
    code.storeVector(gated, to.gated, {row, column});
    code.storeVector(sums.second ? code.add(gated, sums.second) : gated, to.all, {row, column});
  }

  void gates(Value column) {
    code.loop(0, size, 1, {code.splat(0)}, [&](Value step, const Values &carried) {
      Value row = code.minus(code.index(size - 1), step);
      Value entering = code.multiply(at(b.x, row, column), at(b.gatedX, row, column));
      Value leaving = code.multiply(at(b.k, row, column), at(b.gatedK, row, column));
      Value next = code.add(carried[0], code.subtract(entering, leaving));
      Value spanned = scores.between ? code.subtract(carried[0], leaving) : next;
      code.storeVector(spanned, b.dg, {row, column});
      return Values{next};
    });
  }

  Code &code;
  const ScoresAdjointBuffers &b;
  Scores scores;
  int64_t size, keys;
};

} // namespace

void emitDecayedScoresAdjoint(Code &code, const ScoresAdjointBuffers &buffers, Scores scores) {
  AdjointEmitter(code, buffers, scores).emit();
}

} // namespace sluice::cpu
