// Reads and writes within a chunk. With r_j = X~_j S0 + sum_w L_jw U_w and bound writes
// u_w = p_w + sum_j c_wj r_j, what is written solves (I - A) U = B with
//   A_ww' = sum_j c_wj L_jw' (w' bound),  B_w = p_w + sum_j c_wj (X~_j S0 + sum_f L_jf U_f) (f free).
// Writes of one token interleave, so that A is strictly lower triangular in time order.

#include "passes/recur/ChunkSolve.h"

using namespace mlir;
using namespace sluice::recur;

ChunkSolve::ChunkSolve(const TokenProgram &program, TokenEmitter &emitter, ScanBody &body, ChunkGates &gates)
    : program(program), emitter(emitter), body(body), gates(gates) {
  for (auto [index, write] : llvm::enumerate(program.writes))
    if (write.bound)
      bound.push_back(index);
}

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

/// L_jw U_w, for a free write or the only bound one.
Value ChunkSolve::applyScores(unsigned read, unsigned write) {
  Scores l = getScores(read, write);
  Value u = program.writes[write].bound ? getBoundValues() : getFreeValue(write);
  Value result = body.product(l.matrix, u, l.triangle);
  return l.diagonal ? body.add(result, body.scaleRows(u, l.diagonal)) : result;
}

/// The sum of L_jw U_w over the bound writes w, term by term in time order: what the writes of one token
/// write may be large and of opposite signs, so that sums over each write alone would cancel.
Value ChunkSolve::applyBoundScores(unsigned read) {
  if (bound.size() == 1)
    return applyScores(read, bound.front());
  SmallVector<Value> blocks;
  for (unsigned write : bound) {
    Scores l = getScores(read, write);
    blocks.push_back(l.diagonal ? addDiagonal(l.matrix, l.diagonal) : l.matrix);
  }
  return body.product(interleave(blocks, 1), getBoundValues());
}

Value ChunkSolve::getRead(unsigned read) {
  Value result = readState(read);
  for (auto [index, write] : llvm::enumerate(program.writes))
    if (!write.bound)
      result = body.add(result, applyScores(read, index));
  return bound.empty() ? result : body.add(result, applyBoundScores(read));
}

//===----------------------------------------------------------------------===//
// Writes
//===----------------------------------------------------------------------===//

Value ChunkSolve::getFreeValue(unsigned write) { return emitter.emitRows(program.writes[write].getValue()); }

/// The keys of a write with all decays up to the chunk's end.
Value ChunkSolve::getFinalKey(unsigned write) { return gates.decay(getTailedKey(write), gates.toEnd()); }

Value ChunkSolve::getUpdate() {
  Value update;
  auto add = [&](Value keys, Value values) {
    Value product = ProductOp::create(body.getBuilder(), body.getLocation(), keys, values,
                                      /*transposeLhs=*/true);
    update = body.add(update, product);
  };
  for (auto [index, write] : llvm::enumerate(program.writes))
    if (!write.bound)
      add(getFinalKey(index), getFreeValue(index));
  if (bound.empty())
    return update;
  SmallVector<Value> keys;
  for (unsigned write : bound)
    keys.push_back(getFinalKey(write));
  add(interleave(keys, 0), getBoundValues());
  return update;
}

/// Puts the rows or columns of the bound writes into time order.
Value ChunkSolve::interleave(ValueRange parts, int64_t dimension) {
  if (parts.size() == 1)
    return parts.front();
  RankedTensorType type = getTensorType(parts.front());
  SmallVector<int64_t> shape(type.getShape());
  shape[dimension] *= parts.size();
  return InterleaveOp::create(body.getBuilder(), body.getLocation(),
                              RankedTensorType::get(shape, type.getElementType()), parts, dimension);
}

Value ChunkSolve::addDiagonal(Value matrix, Value diagonal) {
  return body.add(matrix,
                  DiagonalOp::create(body.getBuilder(), body.getLocation(), matrix.getType(), diagonal));
}

/// U of all bound writes, in time order: (I - A)^-1 B.
Value ChunkSolve::getBoundValues() {
  if (boundValues)
    return boundValues;
  SmallVector<Value> bands, sides;
  for (unsigned write : bound) {
    AffineForm form = getAffineForm(program.writes[write].getValue());
    SmallVector<Value> blocks;
    for (unsigned other : bound)
      blocks.push_back(buildBlock(form, other));
    bands.push_back(interleave(blocks, 1));
    sides.push_back(buildRightSide(form));
  }
  OpBuilder &builder = body.getBuilder();
  Value a = interleave(bands, 0), b = interleave(sides, 0);
  Value t = UnitLowerInverseOp::create(builder, body.getLocation(), a.getType(), a);
  return boundValues = ApplyInverseOp::create(builder, body.getLocation(), b.getType(), t, b, a);
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
