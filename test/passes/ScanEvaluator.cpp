// A naive interpreter of the ops of scans. It shares nothing with passes or code generation.

#include "test/passes/ScanEvaluator.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <functional>
#include <stdexcept>

using namespace mlir;
using namespace sluice::recur;
using namespace sluice::test;

Array::Array(ArrayRef<int64_t> shape, double value) : shape(shape.begin(), shape.end()) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  data.assign(count, value);
}

namespace {

using Arrays = std::vector<Array>;
using Scalar = double (*)(double);

Array makeResult(Operation *op, unsigned index = 0) {
  return Array(cast<RankedTensorType>(op->getResult(index).getType()).getShape());
}

//===----------------------------------------------------------------------===//
// Pointwise
//===----------------------------------------------------------------------===//

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

Scalar getUnary(Operation *op) {
  return llvm::TypeSwitch<Operation *, Scalar>(op)
      .Case([](NegOp) { return [](double x) { return -x; }; })
      .Case([](AbsOp) { return [](double x) { return std::abs(x); }; })
      .Case([](ExpOp) { return [](double x) { return std::exp(x); }; })
      .Case([](Expm1Op) { return [](double x) { return std::expm1(x); }; })
      .Case([](LogOp) { return [](double x) { return std::log(x); }; })
      .Case([](Log1pOp) { return [](double x) { return std::log1p(x); }; })
      .Case([](SqrtOp) { return [](double x) { return std::sqrt(x); }; })
      .Case([](RsqrtOp) { return [](double x) { return 1 / std::sqrt(x); }; })
      .Case([](TanhOp) { return [](double x) { return std::tanh(x); }; })
      .Case([](SigmoidOp) { return sigmoid; })
      .Case([](LogSigmoidOp) { return [](double x) { return -softplus(-x); }; })
      .Case([](SoftplusOp) { return softplus; })
      .Case([](SiluOp) { return [](double x) { return x * sigmoid(x); }; })
      .Case([](ClampGateOp) { return [](double x) { return std::max(x, -128.0); }; })
      .Default([](Operation *) { return Scalar(nullptr); });
}

using Binary = double (*)(double, double);

Binary getBinary(Operation *op) {
  return llvm::TypeSwitch<Operation *, Binary>(op)
      .Case([](AddOp) { return [](double x, double y) { return x + y; }; })
      .Case([](SubOp) { return [](double x, double y) { return x - y; }; })
      .Case([](MulOp) { return [](double x, double y) { return x * y; }; })
      .Case([](DivOp) { return [](double x, double y) { return x / y; }; })
      .Case([](MaxOp) { return [](double x, double y) { return std::max(x, y); }; })
      .Case([](MinOp) { return [](double x, double y) { return std::min(x, y); }; })
      .Case([](StepOp) { return [](double x, double y) {
                           return x > y ? 1.0 : x == y ? 0.5 : 0.0;
                         }; })
      .Case([](ClampGateAdjointOp) { return [](double x, double d) { return x > -128 ? d : 0.0; }; })
      .Default([](Operation *) { return Binary(nullptr); });
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// Calls f(full, reduced) for each element of the larger of two shapes, where the smaller lacks some
/// dimensions.
void forEachReduced(ArrayRef<int64_t> shape, ArrayRef<int64_t> missing,
                    const std::function<void(int64_t, int64_t)> &f) {
  Array full(shape);
  for (int64_t flat = 0; flat < full.size(); ++flat) {
    int64_t rest = flat, reduced = 0, stride = 1;
    for (int64_t d = int64_t(shape.size()) - 1; d >= 0; --d) {
      int64_t index = rest % shape[d];
      rest /= shape[d];
      if (llvm::is_contained(missing, d))
        continue;
      reduced += index * stride;
      stride *= shape[d];
    }
    f(flat, reduced);
  }
}

Array expand(ExpandOp op, const Array &x) {
  Array y = makeResult(op);
  forEachReduced(y.shape, op.getDimensions(), [&](int64_t i, int64_t j) { y.data[i] = x.data[j]; });
  return y;
}

Array reduce(ReduceOp op, const Array &x) {
  Array y = makeResult(op);
  forEachReduced(x.shape, op.getDimensions(), [&](int64_t i, int64_t j) { y.data[j] += x.data[i]; });
  return y;
}

/// Where element (row, column) of part `part` of `count` lies in the joined array.
double &joined(Array &all, int64_t dimension, int64_t count, int64_t part, int64_t row, int64_t column) {
  return dimension == 0 ? all.at(row * count + part, column) : all.at(row, column * count + part);
}

Array interleave(InterleaveOp op, const Arrays &parts) {
  Array all = makeResult(op);
  for (auto [part, x] : llvm::enumerate(parts))
    for (int64_t r = 0; r < x.rows(); ++r)
      for (int64_t c = 0; c < x.columns(); ++c)
        joined(all, op.getDimension(), parts.size(), part, r, c) = x.at(r, c);
  return all;
}

Arrays deinterleave(DeinterleaveOp op, Array all) {
  Arrays parts;
  int64_t count = op.getNumResults();
  for (int64_t part = 0; part < count; ++part) {
    Array x = makeResult(op, part);
    for (int64_t r = 0; r < x.rows(); ++r)
      for (int64_t c = 0; c < x.columns(); ++c)
        x.at(r, c) = joined(all, op.getDimension(), count, part, r, c);
    parts.push_back(x);
  }
  return parts;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

bool isMasked(Triangle triangle, int64_t row, int64_t column) {
  switch (triangle) {
  case Triangle::Full:
    return false;
  case Triangle::LowerLhs:
  case Triangle::LowerResult:
    return column > row;
  case Triangle::StrictlyLowerLhs:
  case Triangle::StrictlyLowerResult:
    return column >= row;
  }
  return false;
}

Array transpose(const Array &x) {
  Array y({x.columns(), x.rows()});
  for (int64_t r = 0; r < x.rows(); ++r)
    for (int64_t c = 0; c < x.columns(); ++c)
      y.at(c, r) = x.at(r, c);
  return y;
}

void maskTriangle(Array &x, Triangle triangle) {
  for (int64_t r = 0; r < x.rows(); ++r)
    for (int64_t c = 0; c < x.columns(); ++c)
      if (isMasked(triangle, r, c))
        x.at(r, c) = 0;
}

Array multiply(const Array &x, const Array &y) {
  Array z({x.rows(), y.columns()});
  for (int64_t r = 0; r < x.rows(); ++r)
    for (int64_t i = 0; i < x.columns(); ++i)
      for (int64_t c = 0; c < y.columns(); ++c)
        z.at(r, c) += x.at(r, i) * y.at(i, c);
  return z;
}

Array product(ProductOp op, Array x, Array y) {
  Triangle triangle = op.getTriangle();
  bool lhs = triangle == Triangle::LowerLhs || triangle == Triangle::StrictlyLowerLhs;
  if (lhs)
    maskTriangle(x, triangle);
  Array z = multiply(op.getTransposeLhs() ? transpose(x) : x, op.getTransposeRhs() ? transpose(y) : y);
  if (!lhs)
    maskTriangle(z, triangle);
  z.shape = makeResult(op).shape;
  return z;
}

/// (I - a)^-1, row by row: t = I + a t.
Array invert(const Array &a) {
  Array t(a.shape);
  for (int64_t r = 0; r < a.rows(); ++r) {
    for (int64_t s = 0; s < r; ++s)
      for (int64_t c = 0; c <= s; ++c)
        t.at(r, c) += a.at(r, s) * t.at(s, c);
    t.at(r, r) = 1;
  }
  return t;
}

//===----------------------------------------------------------------------===//
// Gates
//===----------------------------------------------------------------------===//

Array cumulativeSum(CumulativeSumOp op, const Array &x) {
  Array y(x.shape);
  int64_t n = x.rows();
  for (int64_t t = 0; t < n; ++t)
    for (int64_t s = 0; s < n; ++s) {
      bool within = op.getReverse() ? s > t : s < t;
      if (within || (s == t && !op.getExclusive()))
        for (int64_t c = 0; c < x.columns(); ++c)
          y.at(t, c) += x.at(s, c);
    }
  return y;
}

/// Calls f(t, s) for the pairs that a span relates, and gives the tokens between: [first, last).
void forEachPair(int64_t n, Span span, bool diagonal,
                 const std::function<void(int64_t, int64_t, int64_t, int64_t)> &f) {
  for (int64_t t = 0; t < n; ++t)
    for (int64_t s = 0; s < t + diagonal; ++s)
      f(t, s, s + 1, span == Span::Through ? t + 1 : t);
}

double decayBetween(const Array &g, int64_t first, int64_t last, int64_t channel) {
  double sum = 0;
  for (int64_t i = first; i < last; ++i)
    sum += g.at(i, channel);
  return std::exp(sum);
}

Array decayMatrix(DecayMatrixOp op, const Array &g) {
  Array d = makeResult(op);
  forEachPair(g.rows(), op.getSpan(), op.getSpan() == Span::Through,
              [&](int64_t t, int64_t s, int64_t first, int64_t last) {
                d.at(t, s) = decayBetween(g, first, last, 0);
              });
  return d;
}

Array decayMatrixAdjoint(DecayMatrixAdjointOp op, const Array &d, const Array &dd) {
  Array dg = makeResult(op);
  forEachPair(d.rows(), op.getSpan(), false, [&](int64_t t, int64_t s, int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i)
      dg.at(i) += d.at(t, s) * dd.at(t, s);
  });
  return dg;
}

Array decayedScores(DecayedScoresOp op, const Array &x, const Array &k, const Array &g) {
  Array l = makeResult(op);
  forEachPair(g.rows(), op.getSpan(), op.getDiagonal(),
              [&](int64_t t, int64_t s, int64_t first, int64_t last) {
                for (int64_t c = 0; c < x.columns(); ++c)
                  l.at(t, s) += x.at(t, c) * k.at(s, c) * decayBetween(g, first, last, c);
              });
  return l;
}

Arrays decayedScoresAdjoint(DecayedScoresAdjointOp op, const Arrays &in) {
  const Array &x = in[0], &k = in[1], &g = in[2], &dl = in[3];
  Array dx(x.shape), dk(x.shape), dg(x.shape);
  forEachPair(g.rows(), op.getSpan(), op.getDiagonal(),
              [&](int64_t t, int64_t s, int64_t first, int64_t last) {
                for (int64_t c = 0; c < x.columns(); ++c) {
                  double scale = dl.at(t, s) * decayBetween(g, first, last, c);
                  dx.at(t, c) += scale * k.at(s, c);
                  dk.at(s, c) += scale * x.at(t, c);
                  for (int64_t i = first; i < last; ++i)
                    dg.at(i, c) += scale * x.at(t, c) * k.at(s, c);
                }
              });
  return {dx, dk, dg};
}

//===----------------------------------------------------------------------===//
// All ops
//===----------------------------------------------------------------------===//

Array diagonal(DiagonalOp op, const Array &x) {
  Array y = makeResult(op);
  for (int64_t i = 0; i < x.rows(); ++i)
    y.at(i, i) = x.at(i);
  return y;
}

Array diagonalPart(DiagonalPartOp op, const Array &x) {
  Array y = makeResult(op);
  for (int64_t i = 0; i < y.rows(); ++i)
    y.at(i) = x.at(i, i);
  return y;
}

Array pointwise(Operation *op, const Arrays &in) {
  Array y = makeResult(op);
  Scalar unary = getUnary(op);
  Binary binary = getBinary(op);
  auto mask = dyn_cast<MaskOp>(op);
  if (!unary && !binary && !mask)
    throw std::runtime_error("no formula for " + op->getName().getStringRef().str());
  for (int64_t i = 0; i < y.size(); ++i) {
    double x = in[0].data[i];
    if (mask)
      y.data[i] = in[1].data[i] != 0 ? x : mask.getFill().convertToDouble();
    else
      y.data[i] = unary ? unary(x) : binary(x, in[1].data[i]);
  }
  return y;
}

Arrays evaluateOp(Operation *op, const Arrays &in) {
  return llvm::TypeSwitch<Operation *, Arrays>(op)
      .Case([&](ConstantOp constant) {
        auto type = cast<RankedTensorType>(constant.getType());
        return Arrays{Array(type.getShape(), constant.getValue().convertToFloat())};
      })
      .Case([&](ExpandOp o) { return Arrays{expand(o, in[0])}; })
      .Case([&](ReduceOp o) { return Arrays{reduce(o, in[0])}; })
      .Case([&](InterleaveOp o) { return Arrays{interleave(o, in)}; })
      .Case([&](DeinterleaveOp o) { return deinterleave(o, in[0]); })
      .Case([&](DiagonalOp o) { return Arrays{diagonal(o, in[0])}; })
      .Case([&](DiagonalPartOp o) { return Arrays{diagonalPart(o, in[0])}; })
      .Case([&](ProductOp o) { return Arrays{product(o, in[0], in[1])}; })
      .Case([&](UnitLowerInverseOp) { return Arrays{invert(in[0])}; })
      .Case([&](ApplyInverseOp) { return Arrays{multiply(in[0], in[1])}; })
      .Case([&](CumulativeSumOp o) { return Arrays{cumulativeSum(o, in[0])}; })
      .Case([&](DecayMatrixOp o) { return Arrays{decayMatrix(o, in[0])}; })
      .Case([&](DecayMatrixAdjointOp o) { return Arrays{decayMatrixAdjoint(o, in[0], in[1])}; })
      .Case([&](DecayedScoresOp o) { return Arrays{decayedScores(o, in[0], in[1], in[2])}; })
      .Case([&](DecayedScoresAdjointOp o) { return decayedScoresAdjoint(o, in); })
      .Default([&](Operation *other) { return Arrays{pointwise(other, in)}; });
}

} // namespace

Arrays sluice::test::evaluate(Block &block, const Arrays &arguments) {
  llvm::DenseMap<Value, Array> values;
  for (auto [argument, array] : llvm::zip_equal(block.getArguments(), arguments))
    values[argument] = array;
  auto gather = [&](Operation &op) {
    Arrays arrays;
    for (Value operand : op.getOperands())
      arrays.push_back(values[operand]);
    return arrays;
  };
  for (Operation &op : block.without_terminator())
    for (auto [result, array] : llvm::zip_equal(op.getResults(), evaluateOp(&op, gather(op))))
      values[result] = array;
  return gather(*block.getTerminator());
}
