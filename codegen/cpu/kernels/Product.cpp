// Matrix products in register tiles: a tile of the result is held in vectors while the loop over the inner
// dimension broadcasts entries of the left-hand side and loads rows of the right-hand side.
//
// The order of the sum over k is the same whichever tile an entry lies in, so that a column's result does not
// depend on how the columns are blocked.
#include "codegen/cpu/kernels/Product.h"

using namespace mlir;

namespace sluice::cpu {

namespace {

/// Steps of k for each request for lines ahead.
constexpr int64_t prefetchEvery = 8;

/// How the right-hand side is found: panels[panel][k][column] or rhs[k][column].
struct Rhs {
  Value buffer, panel, column;

  Value load(Code &code, Value k, int64_t vector) const {
    Value at = code.plus(column, vector * width);
    if (panel)
      return code.loadVector(buffer, {panel, k, at}, width);
    return code.loadVector(buffer, {k, at}, width);
  }
  int64_t width;
};

/// Emits the code of one tile.
class TileEmitter {
public:
  TileEmitter(Code &code, const Product &product, Rhs rhs, Value row, Value column)
      : code(code), product(product), rhs(rhs), row(row), column(column) {}

  void emit(int64_t rows, int64_t columns) {
    tileRows = rows;
    vectors = columns / rhs.width;
    Values sums = start();
    Value end = code.plus(row, rows), zero = code.index(0), inner = code.index(product.inner);
    if (product.triangle == Product::Triangle::result) {
      sums = segments(zero, inner, sums);
    } else if (product.triangle == Product::Triangle::full) {
      sums = range(zero, inner, sums);
    } else if (product.transposeLhs) {
      sums = range(end, inner, diagonal(sums));
    } else {
      sums = diagonal(range(zero, row, sums));
    }
    finish(sums);
  }

  /// As emit, for k in [from, to) only.
  void emitRange(int64_t rows, int64_t columns, Value from, Value to) {
    tileRows = rows;
    vectors = columns / rhs.width;
    finish(segments(from, to, start()));
  }

private:
  Values start() {
    Values sums;
    for (int64_t i = 0; i < tileRows; ++i)
      for (int64_t v = 0; v < vectors; ++v)
        sums.push_back(product.accumulate ? code.loadVector(product.result, at(i, v), rhs.width)
                                          : code.splat(0, rhs.width));
    return sums;
  }

  SmallVector<Value, 2> at(int64_t i, int64_t v) {
    return {code.plus(row, i), code.plus(column, v * rhs.width)};
  }

  Value lhsEntry(int64_t i, Value k) {
    Value r = code.plus(row, i);
    Value entry = product.transposeLhs ? code.load(product.lhs, {k, r}) : code.load(product.lhs, {r, k});
    return code.broadcast(entry, rhs.width);
  }

  /// One step of k, for the rows of which `holds` is true.
  void step(Values &sums, Value k, function_ref<bool(int64_t)> holds) {
    Values loaded;
    for (int64_t v = 0; v < vectors; ++v)
      loaded.push_back(rhs.load(code, k, v));
    for (int64_t i = 0; i < tileRows; ++i) {
      if (!holds(i))
        continue;
      Value entry = lhsEntry(i, k);
      for (int64_t v = 0; v < vectors; ++v) {
        Value &sum = sums[i * vectors + v];
        sum = code.multiplyAdd(entry, loaded[v], sum);
      }
    }
  }

  Values range(Value from, Value to, const Values &sums) {
    bool prefetching = product.ahead.rows && vectors * rhs.width == code.tile.columns;
    int64_t unroll =
        prefetching ? prefetchEvery : 4; // divides every bound: they are multiples of the tile's rows
    return code.loop(from, to, unroll, sums, [&](Value k, const Values &carried) {
      if (prefetching)
        prefetch(k);
      Values next = carried;
      for (int64_t u = 0; u < unroll; ++u)
        step(next, code.plus(k, u), [](int64_t) { return true; });
      return next;
    });
  }

  /// Each turn of the loop over k asks for its share of the rows ahead, so that few lines are under way at a
  /// time and the product's own misses find room; the last turns may ask again for the last row.
  void prefetch(Value k) {
    const Ahead &ahead = product.ahead;
    int64_t down = product.rows / tileRows, across = product.columns / code.tile.columns;
    int64_t turns = product.inner / prefetchEvery, perRow = llvm::divideCeil(ahead.bytes, 64);
    int64_t share = llvm::divideCeil(ahead.rows * perRow, down * across * turns);
    Value tile =
        code.plus(code.times(code.dividedBy(column, code.tile.columns), down), code.dividedBy(row, tileRows));
    Value turn = code.plus(code.times(tile, turns), code.dividedBy(k, prefetchEvery));
    for (int64_t i = 0; i < share; ++i) {
      Value line = code.plus(code.times(turn, share), i);
      Value number = code.dividedBy(line, perRow);
      number = code.select(code.atMost(number, ahead.rows - 1), number, code.index(ahead.rows - 1));
      code.prefetch(ahead, number, code.times(code.remainder(line, perRow), 64));
    }
  }

  /// As range, with sums of 16 terms each added up: scores of keys that are nearly parallel enter a
  /// triangular system that amplifies their rounding errors, and one long chain of sums has three times as
  /// large ones.
  Values segments(Value from, Value to, const Values &sums) {
    Values zeros(sums.size(), code.splat(0, rhs.width));
    return code.loop(from, to, lanes, sums, [&](Value first, const Values &carried) {
      Values next = range(first, code.plus(first, lanes), zeros);
      for (auto [total, segment] : llvm::zip(next, carried))
        total = code.add(segment, total);
      return next;
    });
  }

  /// The square of a triangular left-hand side that the diagonal crosses: what lies above it is not read.
  Values diagonal(Values sums) {
    for (int64_t j = 0; j < tileRows; ++j)
      step(sums, code.plus(row, j), [&](int64_t i) {
        int64_t below = product.transposeLhs ? j - i : i - j;
        return below > 0 || (below == 0 && !product.strict);
      });
    return sums;
  }

  void finish(const Values &sums) {
    for (int64_t i = 0; i < tileRows; ++i) {
      for (int64_t v = 0; v < vectors; ++v) {
        Value sum = sums[i * vectors + v];
        auto place = at(i, v);
        if (product.triangle == Product::Triangle::result) {
          Value bound = code.plus(place[0], product.strict ? 0 : 1);
          Value keep = code.lanesBelow(place[1], bound, rhs.width);
          Value rest = product.accumulate ? code.loadVector(product.result, place, rhs.width)
                                          : code.splat(0, rhs.width);
          sum = code.select(keep, sum, rest);
        }
        code.storeVector(sum, product.result, place);
      }
    }
  }

  Code &code;
  const Product &product;
  Rhs rhs;
  Value row, column;
  int64_t tileRows = 0, vectors = 0;
};

class ProductEmitter {
public:
  ProductEmitter(Code &code, const Product &product) : code(code), product(product), tile(code.tile) {}

  void emit() {
    if (product.triangle == Product::Triangle::result)
      return lowerResult();
    int64_t whole = product.columns / tile.columns * tile.columns;
    if (whole)
      code.loop(0, whole, tile.columns, [&](Value column) { panel(column, tile.columns); });
    if (whole < product.columns)
      panel(code.index(whole), product.columns - whole);
  }

private:
  /// A panel of 16 columns where the tile is wider has tiles of 16 rows instead.
  int64_t rowsOf(int64_t columns) { return columns < tile.columns ? lanes : tile.rows; }

  Rhs rhsOf(Value column) {
    if (product.packed)
      return {product.panels, code.dividedBy(column, tile.columns), code.index(0), tile.vector};
    if (product.panels)
      return {product.panels, code.index(0), code.index(0), tile.vector};
    return {product.rhs, Value(), column, tile.vector};
  }

  void panel(Value column, int64_t columns) {
    if (product.panels && !product.packed)
      copyPanel(column, columns);
    int64_t rows = rowsOf(columns);
    code.loop(0, product.rows, rows,
              [&](Value row) { TileEmitter(code, product, rhsOf(column), row, column).emit(rows, columns); });
  }

  /// Rows of the right-hand side lie a power of two apart, so that a panel read in place competes for a few
  /// sets of the cache.
  void copyPanel(Value column, int64_t columns) {
    code.loop(0, product.inner, 4, [&](Value k) {
      for (int64_t u = 0; u < 4; ++u)
        for (int64_t first = 0; first < columns; first += tile.vector) {
          Value vector =
              code.loadVector(product.rhs, {code.plus(k, u), code.plus(column, first)}, tile.vector);
          code.storeVector(vector, product.panels, {code.index(0), code.plus(k, u), code.index(first)});
        }
    });
  }

  /// Bands of 16 rows: as many whole tiles as are needed to reach the diagonal, a half one last if the band's
  /// number of 16-wide blocks is odd, then zeros.
  void lowerResult() {
    bool halves = tile.columns > lanes;
    code.loop(0, product.rows, lanes, [&](Value band) {
      Value blocks = code.plus(code.dividedBy(band, lanes), 1);
      Value whole = halves ? code.times(code.dividedBy(blocks, 2), 2 * lanes) : code.plus(band, lanes);
      code.loop(code.index(0), whole, tile.columns, [&](Value column) {
        code.loop(band, code.plus(band, lanes), tile.rows, [&](Value row) {
          TileEmitter(code, product, rhsOf(column), row, column).emit(tile.rows, tile.columns);
        });
      });
      if (halves)
        code.ifTrue(code.equal(code.remainder(blocks, 2), 1),
                    [&] { TileEmitter(code, product, rhsOf(band), band, band).emit(lanes, lanes); });
      if (!product.accumulate)
        zeros(band, code.plus(band, lanes));
    });
  }

  void zeros(Value band, Value from) {
    code.loop(from, code.index(product.columns), lanes, [&](Value column) {
      for (int64_t i = 0; i < lanes; ++i)
        code.storeVector(code.splat(0), product.result, {code.plus(band, i), column});
    });
  }

  Code &code;
  const Product &product;
  const Tile &tile;
};

} // namespace

bool canPrefetch(const Product &product, const Tile &tile) {
  return product.triangle == Product::Triangle::full && product.columns >= tile.columns &&
         product.rows > lanes;
}

void emitProductCode(Code &code, const Product &product) { ProductEmitter(code, product).emit(); }

void emitBlockProduct(Code &code, const BlockProduct &block, Value row, Value columnFrom, Value columnTo) {
  Product product;
  product.lhs = block.lhs;
  product.result = block.result;
  product.transposeLhs = block.transposeLhs;
  product.accumulate = block.accumulate;
  auto tiles = [&](Value from, Value to, int64_t rows, int64_t columns) {
    code.loop(from, to, columns, [&](Value column) {
      code.loop(row, code.plus(row, lanes), rows, [&](Value r) {
        Rhs rhs{block.rhs, Value(), column, code.tile.vector};
        TileEmitter(code, product, rhs, r, column).emitRange(rows, columns, block.from, block.to);
      });
    });
  };
  if (code.tile.columns <= lanes)
    return tiles(columnFrom, columnTo, code.tile.rows, code.tile.columns);
  Value blocks = code.dividedBy(code.minus(columnTo, columnFrom), code.tile.columns);
  Value middle = code.plus(columnFrom, code.times(blocks, code.tile.columns));
  tiles(columnFrom, middle, code.tile.rows, code.tile.columns);
  tiles(middle, columnTo, lanes, lanes);
}

} // namespace sluice::cpu
