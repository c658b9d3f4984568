// Interleaving and diagonals.
#include "test/kernels/KernelRunner.h"

#include <gtest/gtest.h>

namespace sluice::test {
namespace {

struct Layout {
  int64_t count, rows, columns, dimension;

  bool vector() const { return rows == 1; }
  bool alongRows() const { return dimension == 0 && !vector(); }
  Matrix whole() const { return alongRows() ? Matrix(rows * count, columns) : Matrix(rows, columns * count); }
  std::string partType() const { return tensorType(rows, columns); }
  std::string wholeType() const { return tensorType(whole().rows, whole().columns); }
  float &at(Matrix &matrix, int64_t part, int64_t i, int64_t j) const {
    return alongRows() ? matrix(i * count + part, j) : matrix(i, j * count + part);
  }
};

std::vector<Layout> layouts() {
  std::vector<Layout> all;
  for (int64_t count : {2, 3, 4}) {
    all.push_back({count, 1, 32, 0});
    all.push_back({count, 32, 48, 0});
    all.push_back({count, 48, 32, 1});
  }
  return all;
}

/// "%p0, %p1" and "tensor<..>, tensor<..>".
std::string names(const Layout &layout, const std::string &type = "") {
  std::string text;
  for (int64_t i = 0; i < layout.count; ++i)
    text += (i ? ", " : "") + ("%p" + std::to_string(i)) + type;
  return text;
}
std::string types(const Layout &layout) {
  std::string text;
  for (int64_t i = 0; i < layout.count; ++i)
    text += (i ? ", " : "") + layout.partType();
  return text;
}

TEST(Interleave, AndBack) {
  for (const Layout &layout : layouts()) {
    std::string dimension = " dimension " + std::to_string(layout.dimension) + " : ";
    std::vector<Matrix> parts;
    for (int64_t i = 0; i < layout.count; ++i)
      parts.push_back(random(layout.rows, layout.columns, i));
    std::vector<Matrix> again(layout.count, Matrix(layout.rows, layout.columns));
    Matrix whole = layout.whole();
    std::vector<Matrix *> forward, back = {&whole};
    for (int64_t i = 0; i < layout.count; ++i) {
      forward.push_back(&parts[i]);
      back.push_back(&again[i]);
    }
    forward.push_back(&whole);
    KernelRunner("func.func @f(" + names(layout, ": " + layout.partType()) + ") { %y = recur.interleave " +
                 names(layout) + dimension + "(" + types(layout) + ") -> " + layout.wholeType() + " return }")
        .run(forward);
    for (int64_t part = 0; part < layout.count; ++part)
      for (int64_t i = 0; i < layout.rows; ++i)
        for (int64_t j = 0; j < layout.columns; ++j)
          ASSERT_EQ(layout.at(whole, part, i, j), parts[part](i, j)) << dimension << layout.count;
    KernelRunner("func.func @f(%x: " + layout.wholeType() + ") { " + names(layout) +
                 " = recur.deinterleave %x" + dimension + "(" + layout.wholeType() + ") -> (" +
                 types(layout) + ") return }")
        .run(back);
    for (int64_t part = 0; part < layout.count; ++part)
      EXPECT_EQ(again[part].values, parts[part].values);
  }
}

TEST(Diagonal, AndItsPart) {
  Matrix x = random(1, 48, 1), y(48, 48, 5), part(1, 48);
  KernelRunner(
      "func.func @f(%x: tensor<48xf32>) { %y = recur.diagonal %x : tensor<48xf32> to tensor<48x48xf32> "
      "%z = recur.diagonal_part %y : tensor<48x48xf32> to tensor<48xf32> return }")
      .run({&x, &y, &part});
  for (int64_t i = 0; i < 48; ++i)
    for (int64_t j = 0; j < 48; ++j)
      EXPECT_EQ(y(i, j), i == j ? x[i] : 0);
  EXPECT_EQ(part.values, x.values);
}

} // namespace
} // namespace sluice::test
