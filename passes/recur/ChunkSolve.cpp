// Reads and writes within a chunk. With r_j = X~_j S0 + sum_w L_jw U_w and bound writes
// u_w = p_w + sum_j c_wj r_j, what is written solves (I - A) U = B with
//   A_ww' = sum_j c_wj L_jw' (w' bound),  B_w = p_w + sum_j c_wj (X~_j S0 + sum_f L_jf U_f) (f free).
// Writes of one token interleave, so that A is strictly lower triangular in time order.

#include "passes/recur/ChunkSolve.h"

using namespace mlir;
using namespace sluice::recur;

//===----------------------------------------------------------------------===//
// Reads
//===----------------------------------------------------------------------===//

/// A read that all decays precede sees decays up to and including its own token; otherwise those of its
/// token that come before it are a factor of its key.
Span ChunkSolve::getSpan(unsigned read) const {
  return program.reads[read].decaysBefore == gates.size() ? Span::Through : Span::Between;
}

Value ChunkSolve::getKey(unsigned write) { return emitter.emitWrittenKey(program.writes[write].getKey()); }

Value ChunkSolve::getTailedKey(unsigned write) {
  return gates.decay(getKey(write), gates.sum(program.writes[write].decaysBefore, gates.size()));
}

/// X~_j S0.
Value ChunkSolve::readState(unsigned read) {
  if (Value found = stateReads.lookup(read))
    return found;
  ReadStep step = program.reads[read];
  Value key = emitter.emitRows(step.getKey());
  Span span = getSpan(read);
  if (span == Span::Between)
    key = gates.decay(key, gates.sum(0, step.decaysBefore));
  key = gates.decay(key, gates.fromStart(span));
  return stateReads[read] = body.product(key, body.getState());
}

/// L_jw[t,s]: for s < t always; for s = t if the write comes before the read in the token.
Scores ChunkSolve::getScores(unsigned read, unsigned write) {
  auto [found, added] = scores.try_emplace({read, write});
  Scores &result = found->second;
  if (!added)
    return result;
  ReadStep reader = program.reads[read];
  Value key = emitter.emitRows(reader.getKey());
  Span span = getSpan(read);
  bool sameToken = write < reader.writesBefore;
  // The decays after a write are also those between it and a read that no decay follows.
  bool diagonal = sameToken && span == Span::Through;
  result.triangle = diagonal ? Triangle::LowerLhs : Triangle::StrictlyLowerLhs;
  if (sameToken && !diagonal) {
    Value between = gates.sum(program.writes[write].decaysBefore, reader.decaysBefore);
    result.diagonal = body.reduce(body.mul(gates.decay(key, between), getKey(write)), 1);
  }
  if (span == Span::Between)
    key = gates.decay(key, gates.sum(0, reader.decaysBefore));
  result.matrix = gates.scores(key, getTailedKey(write), span, diagonal);
  return result;
}

/// L_jw U_w.
Value ChunkSolve::applyScores(unsigned read, unsigned write) {
  Scores l = getScores(read, write);
  Value u = getWritten(write);
  Value result = body.product(l.matrix, u, l.triangle);
  return l.diagonal ? body.add(result, body.scaleRows(u, l.diagonal)) : result;
}

Value ChunkSolve::getRead(unsigned read) {
  Value result = readState(read);
  for (unsigned write = 0; write < program.writes.size(); ++write)
    result = body.add(result, applyScores(read, write));
  return result;
}

//===----------------------------------------------------------------------===//
// Writes
//===----------------------------------------------------------------------===//

Value ChunkSolve::getWritten(unsigned write) {
  if (Value found = written.lookup(write))
    return found;
  if (program.writes[write].bound)
    solve();
  else
    written[write] = emitter.emitRows(program.writes[write].getValue());
  return written[write];
}

void ChunkSolve::solve() {
  SmallVector<unsigned> bound;
  SmallVector<AffineForm> affine;
  for (auto [index, write] : llvm::enumerate(program.writes))
    if (write.bound) {
      bound.push_back(index);
      affine.push_back(getAffineForm(write.getValue()));
    }
  Value a = buildMatrix(affine, bound);
  SmallVector<Value> sides;
  for (const AffineForm &form : affine)
    sides.push_back(buildRightSide(form));
  OpBuilder &builder = body.getBuilder();
  Location loc = body.getLocation();
  Value t = UnitLowerInverseOp::create(builder, loc, a.getType(), a);
  if (bound.size() == 1) {
    written[bound[0]] = ApplyInverseOp::create(builder, loc, sides[0].getType(), t, sides[0], a);
    return;
  }
  RankedTensorType type = getTensorType(sides[0]);
  int64_t writes = sides.size();
  auto stacked =
      RankedTensorType::get({writes * type.getDimSize(0), type.getDimSize(1)}, type.getElementType());
  Value b = InterleaveOp::create(builder, loc, stacked, sides, 0);
  Value u = ApplyInverseOp::create(builder, loc, stacked, t, b, a);
  SmallVector<Type> types(writes, type);
  auto parts = DeinterleaveOp::create(builder, loc, types, u, 0);
  for (auto [index, part] : llvm::zip(bound, parts.getParts()))
    written[index] = part;
}

Value ChunkSolve::buildMatrix(ArrayRef<AffineForm> affine, ArrayRef<unsigned> bound) {
  SmallVector<Value> bands;
  int64_t rows = body.getStep(), writes = bound.size();
  OpBuilder &builder = body.getBuilder();
  auto interleave = [&](ValueRange parts, ArrayRef<int64_t> shape, int64_t dimension) -> Value {
    if (parts.size() == 1)
      return parts[0];
    auto type = RankedTensorType::get(shape, builder.getF32Type());
    return InterleaveOp::create(builder, body.getLocation(), type, parts, dimension);
  };
  for (const AffineForm &form : affine) {
    SmallVector<Value> blocks;
    for (unsigned write : bound)
      blocks.push_back(buildBlock(form, write));
    bands.push_back(interleave(blocks, {rows, rows * writes}, 1));
  }
  return interleave(bands, {rows * writes, rows * writes}, 0);
}

/// A_ww' = sum_j c_wj L_jw'.
Value ChunkSolve::buildBlock(const AffineForm &form, unsigned write) {
  Value block, diagonal;
  for (auto [read, coefficient] : form.coefficients) {
    Scores l = getScores(read, write);
    block = body.add(block, body.scaleRows(l.matrix, coefficient));
    if (l.diagonal)
      diagonal = body.add(diagonal, coefficient ? body.mul(l.diagonal, coefficient) : l.diagonal);
  }
  if (!diagonal)
    return block;
  return body.add(block,
                  DiagonalOp::create(body.getBuilder(), body.getLocation(), block.getType(), diagonal));
}

/// B_w = p_w + sum_j c_wj (X~_j S0 + sum over free writes f of L_jf U_f).
Value ChunkSolve::buildRightSide(const AffineForm &form) {
  Value side = form.offset;
  for (auto [read, coefficient] : form.coefficients) {
    Value known = readState(read);
    for (auto [index, write] : llvm::enumerate(program.writes))
      if (!write.bound)
        known = body.add(known, applyScores(read, index));
    side = body.add(side, body.scaleRows(known, coefficient));
  }
  return side;
}

//===----------------------------------------------------------------------===//
// Affine forms
//===----------------------------------------------------------------------===//

AffineForm ChunkSolve::getAffineForm(Value value) {
  if (!program.dependsOnState(value))
    return {emitter.emitRows(value), {}};
  if (auto found = forms.find(value); found != forms.end())
    return found->second;
  AffineForm sum;
  if (auto op = value.getDefiningOp<ReadOp>()) {
    auto step = llvm::find_if(program.reads, [&](const ReadStep &read) { return read.op == op; });
    sum.coefficients[step - program.reads.begin()] = Value();
  } else {
    auto terms = program.matchLinear(value.getDefiningOp());
    for (const LinearTerm &term : *terms)
      accumulate(sum, getAffineForm(term.value), term);
  }
  return forms[value] = sum;
}

void ChunkSolve::accumulate(AffineForm &sum, const AffineForm &form, const LinearTerm &term) {
  RankedTensorType scalars = body.getType(Kind::Scalar, true);
  auto orOne = [&](Value coefficient) { return coefficient ? coefficient : body.constant(scalars, 1); };
  if (form.offset)
    sum.offset = body.add(sum.offset, scaleTerm(form.offset, term));
  for (auto [read, coefficient] : form.coefficients) {
    bool plain = !term.scale && !term.negative;
    Value scaled = plain ? coefficient : scaleTerm(orOne(coefficient), term);
    auto [found, added] = sum.coefficients.try_emplace(read, scaled);
    if (!added)
      found->second = body.add(orOne(found->second), orOne(scaled));
  }
}

/// A vector or scalar per token, as one term of a linear op passes it on.
Value ChunkSolve::scaleTerm(Value x, const LinearTerm &term) {
  OpBuilder &builder = body.getBuilder();
  if (term.scale) {
    Value scale = emitter.emitScalar(term.scale, term.divide);
    if (getTensorType(x).getRank() == 2)
      scale = body.expand(scale, {1}, x.getType());
    x = term.divide ? DivOp::create(builder, body.getLocation(), x, scale) : body.mul(x, scale);
  }
  return term.negative ? NegOp::create(builder, body.getLocation(), x) : x;
}
