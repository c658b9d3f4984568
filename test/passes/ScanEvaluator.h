// Interprets bodies of scans op by op on float64 arrays, each op straight from its formula.
#pragma once

#include "dialect/recur/Recur.h"

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace sluice::test {

/// A dense array, row by row.
struct Array {
  std::vector<int64_t> shape;
  std::vector<double> data;

  Array() = default;
  explicit Array(llvm::ArrayRef<int64_t> shape, double value = 0);

  int64_t size() const { return int64_t(data.size()); }
  int64_t rows() const { return shape[0]; }
  int64_t columns() const { return shape.size() > 1 ? shape[1] : 1; }
  double &at(int64_t row, int64_t column = 0) { return data[row * columns() + column]; }
  double at(int64_t row, int64_t column = 0) const { return data[row * columns() + column]; }
};

/// Runs a block of a scan on its arguments; returns what its terminator yields, outputs first.
std::vector<Array> evaluate(mlir::Block &block, const std::vector<Array> &arguments);

} // namespace sluice::test
