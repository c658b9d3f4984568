// The inverse of a unit lower triangular matrix by blocked forward substitution.
//
// t = (I - a)^-1 satisfies t = I + a t. For 16 x 16 blocks (I, J), I >= J:
//   w = [I = J] + sum over J <= L < I of a[I, L] t[L, J]      a product in registers
//   t[I, J] = (I - a[I, I])^-1 w                              row by row: each row is one vector
// Substitution is as stable as a triangular solve gets; a Neumann series is not (keys may be correlated).
#include "codegen/cpu/kernels/Gates.h"

using namespace mlir;

namespace sluice::cpu {

namespace {

/// Rows of the identity where the block lies on the diagonal, else 0.
Values startOfBlock(Code &code, Value row, Value column) {
  Values block;
  Value onDiagonal =
      arith::CmpIOp::create(code.builder, code.location, arith::CmpIPredicate::eq, row, column);
  for (int64_t i = 0; i < lanes; ++i) {
    float unit[lanes] = {};
    unit[i] = 1;
    block.push_back(code.select(onDiagonal, code.constant(unit), code.splat(0)));
  }
  return block;
}

Values addProducts(Code &code, Value a, Value t, Value row, Value column, const Values &start) {
  return code.loop(column, row, 1, start, [&](Value k, const Values &carried) {
    Values next = carried;
    Value solved = code.loadVector(t, {k, column});
    for (int64_t i = 0; i < lanes; ++i)
      next[i] = code.multiplyAdd(code.broadcast(code.load(a, {code.plus(row, i), k})), solved, next[i]);
    return next;
  });
}

/// Each row, once known, is added to the ones below it, so that only 15 steps depend on each other.
void substitute(Code &code, Value a, Value row, Values &block) {
  for (int64_t j = 0; j < lanes; ++j)
    for (int64_t i = j + 1; i < lanes; ++i) {
      Value entry = code.load(a, {code.plus(row, i), code.plus(row, j)});
      block[i] = code.multiplyAdd(code.broadcast(entry), block[j], block[i]);
    }
}

} // namespace

void emitUnitLowerInverse(Code &code, Value a, Value t) {
  int64_t size = code.rows(a);
  code.loop(0, size, lanes, [&](Value row) {
    code.loop(code.index(0), code.plus(row, lanes), lanes, [&](Value column) {
      Values block = addProducts(code, a, t, row, column, startOfBlock(code, row, column));
      substitute(code, a, row, block);
      for (int64_t i = 0; i < lanes; ++i)
        code.storeVector(block[i], t, {code.plus(row, i), column});
    });
    code.loop(code.plus(row, lanes), code.index(size), lanes, [&](Value column) {
      for (int64_t i = 0; i < lanes; ++i)
        code.storeVector(code.splat(0), t, {code.plus(row, i), column});
    });
  });
}

} // namespace sluice::cpu
