// Interleaving of time steps, and diagonals.
#include "codegen/cpu/kernels/Gates.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace sluice::cpu {

namespace {

/// Element l of the result is element picks[l].second of vectors[picks[l].first].
Value gatherLanes(Code &code, ArrayRef<Value> vectors, ArrayRef<std::pair<int64_t, int64_t>> picks) {
  Value result = vectors[0];
  for (auto [number, vector] : llvm::enumerate(vectors)) {
    SmallVector<int64_t> mask;
    for (auto [lane, pick] : llvm::enumerate(picks))
      mask.push_back(pick.first == int64_t(number) ? lanes + pick.second : number == 0 ? 0 : int64_t(lane));
    result = code.shuffle(result, vector, mask);
  }
  return result;
}

/// Calls `body` with the places before the last dimension: none of a vector, the rows of a matrix.
void eachRow(Code &code, Value buffer, function_ref<void(SmallVector<Value, 2>)> body) {
  if (code.shape(buffer).size() == 1)
    return body({});
  code.loop(0, code.rows(buffer), 1, [&](Value row) { body({row}); });
}

SmallVector<Value, 2> with(SmallVector<Value, 2> at, Value last) {
  at.push_back(last);
  return at;
}

/// Copies row t n + i of `whole` from or to row t of part i.
void copyRows(Code &code, ValueRange parts, Value whole, bool toWhole) {
  int64_t count = parts.size();
  code.loop(0, code.rows(parts[0]), 1, [&](Value row) {
    code.loop(0, code.columns(whole), lanes, [&](Value column) {
      for (int64_t i = 0; i < count; ++i) {
        Value place[] = {code.plus(code.times(row, count), i), column}, part[] = {row, column};
        if (toWhole)
          code.storeVector(code.loadVector(parts[i], part), whole, place);
        else
          code.storeVector(code.loadVector(whole, place), parts[i], part);
      }
    });
  });
}

bool alongRows(Code &code, Value whole, int64_t dimension) {
  return dimension == 0 && code.shape(whole).size() == 2;
}

} // namespace

void emitInterleave(Code &code, ValueRange parts, Value whole, int64_t dimension) {
  if (alongRows(code, whole, dimension))
    return copyRows(code, parts, whole, /*toWhole=*/true);
  int64_t count = parts.size();
  eachRow(code, whole, [&](SmallVector<Value, 2> row) {
    code.loop(0, code.columns(parts[0]), lanes, [&](Value column) {
      SmallVector<Value> vectors;
      for (Value part : parts)
        vectors.push_back(code.loadVector(part, with(row, column)));
      for (int64_t j = 0; j < count; ++j) {
        SmallVector<std::pair<int64_t, int64_t>> picks;
        for (int64_t place = j * lanes; place < (j + 1) * lanes; ++place)
          picks.push_back({place % count, place / count});
        code.storeVector(gatherLanes(code, vectors, picks), whole,
                         with(row, code.plus(code.times(column, count), j * lanes)));
      }
    });
  });
}

void emitDeinterleave(Code &code, Value whole, ValueRange parts, int64_t dimension) {
  if (alongRows(code, whole, dimension))
    return copyRows(code, parts, whole, /*toWhole=*/false);
  int64_t count = parts.size();
  eachRow(code, whole, [&](SmallVector<Value, 2> row) {
    code.loop(0, code.columns(parts[0]), lanes, [&](Value column) {
      SmallVector<Value> vectors;
      for (int64_t j = 0; j < count; ++j)
        vectors.push_back(code.loadVector(whole, with(row, code.plus(code.times(column, count), j * lanes))));
      for (int64_t i = 0; i < count; ++i) {
        SmallVector<std::pair<int64_t, int64_t>> picks;
        for (int64_t t = 0; t < lanes; ++t)
          picks.push_back({(t * count + i) / lanes, (t * count + i) % lanes});
        code.storeVector(gatherLanes(code, vectors, picks), parts[i], with(row, column));
      }
    });
  });
}

void emitDiagonal(Code &code, Value x, Value y) {
  code.loop(0, code.rows(y), 1, [&](Value row) {
    code.loop(0, code.columns(y), lanes, [&](Value column) {
      code.storeVector(code.splat(0), y, {row, column});
    });
    code.store(code.load(x, row), y, {row, row});
  });
}

void emitDiagonalPart(Code &code, Value x, Value y) {
  code.loop(0, code.rows(x), 1, [&](Value row) { code.store(code.load(x, {row, row}), y, row); });
}

} // namespace sluice::cpu
