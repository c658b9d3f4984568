// Transposition of 16 x 16 blocks in registers.
#include "codegen/cpu/kernels/Product.h"

using namespace mlir;

namespace sluice::cpu {

namespace {

/// Lane group b of the result is source[row + 4 b + i][column .. column + 4): loads and inserts, which leaves
/// only transpositions within groups of four lanes to the shuffle unit.
Value loadGroups(Code &code, Value source, ValueRange from, int64_t i, int64_t column) {
  Value parts[4];
  for (int64_t b = 0; b < 4; ++b)
    parts[b] = code.loadVector(source, {code.plus(from[0], 4 * b + i), code.plus(from[1], column)}, 4);
  Value low = code.shuffle(parts[0], parts[1], {0, 1, 2, 3, 4, 5, 6, 7});
  Value high = code.shuffle(parts[2], parts[3], {0, 1, 2, 3, 4, 5, 6, 7});
  return code.shuffle(low, high, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
}

/// Applies a shuffle of 4 + 4 lanes to each of the four lane groups.
Value shuffleGroups(Code &code, Value a, Value b, ArrayRef<int64_t> group) {
  SmallVector<int64_t> mask;
  for (int64_t first = 0; first < lanes; first += 4)
    for (int64_t lane : group)
      mask.push_back(lane < 4 ? first + lane : lanes + first + lane - 4);
  return code.shuffle(a, b, mask);
}

} // namespace

void emitTransposedBlock(Code &code, Value source, ValueRange from,
                         function_ref<void(int64_t, Value)> write) {
  for (int64_t column = 0; column < lanes; column += 4) {
    Value rows[4], pairs[4];
    for (int64_t i = 0; i < 4; ++i)
      rows[i] = loadGroups(code, source, from, i, column);
    for (int64_t i = 0; i < 2; ++i) {
      pairs[2 * i] = shuffleGroups(code, rows[2 * i], rows[2 * i + 1], {0, 4, 1, 5});
      pairs[2 * i + 1] = shuffleGroups(code, rows[2 * i], rows[2 * i + 1], {2, 6, 3, 7});
    }
    write(column, shuffleGroups(code, pairs[0], pairs[2], {0, 1, 4, 5}));
    write(column + 1, shuffleGroups(code, pairs[0], pairs[2], {2, 3, 6, 7}));
    write(column + 2, shuffleGroups(code, pairs[1], pairs[3], {0, 1, 4, 5}));
    write(column + 3, shuffleGroups(code, pairs[1], pairs[3], {2, 3, 6, 7}));
  }
}

MemRefType panelsType(MemRefType rhs, bool transposed, const Tile &tile) {
  int64_t inner = rhs.getDimSize(transposed ? 1 : 0), columns = rhs.getDimSize(transposed ? 0 : 1);
  int64_t count = (columns + tile.columns - 1) / tile.columns;
  return MemRefType::get({count, inner, tile.columns}, rhs.getElementType());
}

void emitTransposedPanels(Code &code, Value y, Value panels) {
  int64_t width = code.columns(panels);
  code.loop(0, code.rows(y), lanes, [&](Value row) {
    code.loop(0, code.columns(y), lanes, [&](Value column) {
      emitTransposedBlock(code, y, {row, column}, [&](int64_t k, Value vector) {
        // A panel narrower than a block takes its part of the 16 lanes.
        for (int64_t first = 0; first < lanes; first += width) {
          SmallVector<int64_t> part;
          for (int64_t lane = first; lane < std::min(lanes, first + width); ++lane)
            part.push_back(lane);
          Value at = code.plus(row, first);
          code.storeVector(width < lanes ? code.shuffle(vector, vector, part) : vector, panels,
                           {code.dividedBy(at, width), code.plus(column, k), code.remainder(at, width)});
        }
      });
    });
  });
}

} // namespace sluice::cpu
