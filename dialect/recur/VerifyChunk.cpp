// Shapes of the ops of a scan's body: builders that infer them, and verifiers of the numbered constraints.

#include "dialect/recur/Recur.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace sluice::recur;

using Shape = ArrayRef<int64_t>;

static Shape shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

static std::string text(Shape shape) {
  std::string result = "tensor<";
  for (int64_t size : shape)
    result += std::to_string(size) + "x";
  return result + "f32>";
}

static LogicalResult expectShape(Operation *op, StringRef name, Value value, Shape expected) {
  if (shapeOf(value) == expected)
    return success();
  return op->emitOpError() << "expected " << name << " of type " << text(expected) << ", got "
                           << value.getType();
}

static LogicalResult expectRank(Operation *op, StringRef name, Value value, int64_t rank) {
  int64_t got = cast<RankedTensorType>(value.getType()).getRank();
  if (got == rank)
    return success();
  return op->emitOpError() << "expected " << name << " of rank " << rank << ", got rank " << got;
}

static LogicalResult expectSquare(Operation *op, StringRef name, Value value) {
  if (failed(expectRank(op, name, value, 2)))
    return failure();
  if (shapeOf(value)[0] == shapeOf(value)[1])
    return success();
  return op->emitOpError() << "expected " << name << " to be square, got " << value.getType();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// `small` is `large` without `dimensions`, which ascend.
static LogicalResult verifyRepeated(Operation *op, StringRef name, Value small, Value large,
                                    Shape dimensions) {
  Shape full = shapeOf(large);
  SmallVector<int64_t> expected(full);
  int64_t previous = -1;
  for (int64_t dimension : dimensions) {
    if (dimension <= previous || dimension >= int64_t(full.size()))
      return op->emitOpError() << "expected ascending dimensions below " << full.size() << ", got ["
                               << dimensions << "]";
    previous = dimension;
  }
  for (int64_t dimension : llvm::reverse(dimensions))
    expected.erase(expected.begin() + dimension);
  return expectShape(op, name, small, expected);
}

LogicalResult ExpandOp::verify() { return verifyRepeated(*this, "x", getX(), getY(), getDimensions()); }

LogicalResult ReduceOp::verify() { return verifyRepeated(*this, "y", getY(), getX(), getDimensions()); }

/// `whole` is n `parts` of one type side by side along `dimension`.
static LogicalResult verifyParts(Operation *op, ValueRange parts, Value whole, int64_t dimension) {
  if (parts.empty())
    return op->emitOpError() << "expected at least one part, got none";
  for (Value part : parts)
    if (part.getType() != parts[0].getType())
      return op->emitOpError() << "expected parts of one type, got " << parts[0].getType() << " and "
                               << part.getType();
  SmallVector<int64_t> expected(shapeOf(parts[0]));
  if (dimension < 0 || dimension >= int64_t(expected.size()))
    return op->emitOpError() << "expected dimension below " << expected.size() << ", got " << dimension;
  expected[dimension] *= parts.size();
  return expectShape(op, "the whole", whole, expected);
}

LogicalResult InterleaveOp::verify() { return verifyParts(*this, getParts(), getY(), getDimension()); }

LogicalResult DeinterleaveOp::verify() { return verifyParts(*this, getParts(), getX(), getDimension()); }

static LogicalResult verifyDiagonal(Operation *op, Value vector, StringRef name, Value matrix) {
  if (failed(expectSquare(op, name, matrix)))
    return failure();
  return expectShape(op, name == "y" ? "x" : "y", vector, shapeOf(matrix).take_front());
}

LogicalResult DiagonalOp::verify() { return verifyDiagonal(*this, getX(), "y", getY()); }

LogicalResult DiagonalPartOp::verify() { return verifyDiagonal(*this, getY(), "x", getX()); }

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void ProductOp::build(OpBuilder &builder, OperationState &state, Value x, Value y, bool transposeLhs,
                      bool transposeRhs, Triangle triangle) {
  auto lhs = cast<RankedTensorType>(x.getType()), rhs = cast<RankedTensorType>(y.getType());
  int64_t rows = lhs.getDimSize(transposeLhs ? 1 : 0), columns = rhs.getDimSize(transposeRhs ? 0 : 1);
  auto type = RankedTensorType::get({rows, columns}, lhs.getElementType());
  build(builder, state, type, x, y, transposeLhs, transposeRhs, triangle);
}

static bool isLowerResult(Triangle triangle) {
  return triangle == Triangle::LowerResult || triangle == Triangle::StrictlyLowerResult;
}
static bool isLowerLhs(Triangle triangle) {
  return triangle == Triangle::LowerLhs || triangle == Triangle::StrictlyLowerLhs;
}

LogicalResult ProductOp::verify() {
  if (failed(expectRank(*this, "x", getX(), 2)) || failed(expectRank(*this, "y", getY(), 2)))
    return failure();
  Shape x = shapeOf(getX()), y = shapeOf(getY());
  int64_t innerX = x[getTransposeLhs() ? 0 : 1], innerY = y[getTransposeRhs() ? 1 : 0];
  if (innerX != innerY)
    return emitOpError() << "expected inner dimensions to agree, got " << innerX << " of x and " << innerY
                         << " of y";
  if (failed(expectShape(*this, "z", getZ(), {x[getTransposeLhs() ? 1 : 0], y[getTransposeRhs() ? 0 : 1]})))
    return failure();
  if (isLowerResult(getTriangle())) {
    if (getTransposeLhs() || !getTransposeRhs())
      return emitOpError() << "expected x untransposed and y transposed for a lower result, got x "
                           << (getTransposeLhs() ? "transposed" : "untransposed") << " and y "
                           << (getTransposeRhs() ? "transposed" : "untransposed");
    return expectSquare(*this, "z", getZ());
  }
  return isLowerLhs(getTriangle()) ? expectSquare(*this, "x", getX()) : success();
}

LogicalResult UnitLowerInverseOp::verify() { return expectSquare(*this, "a", getA()); }

LogicalResult ApplyInverseOp::verify() {
  if (failed(expectSquare(*this, "a", getA())) || failed(expectRank(*this, "b", getB(), 2)))
    return failure();
  return expectShape(*this, "b", getB(), {shapeOf(getA())[0], shapeOf(getB())[1]});
}

//===----------------------------------------------------------------------===//
// Gates
//===----------------------------------------------------------------------===//

LogicalResult CumulativeSumOp::verify() {
  if (shapeOf(getX()).empty())
    return emitOpError() << "expected x of rank 1 or more, got rank 0";
  return success();
}

LogicalResult DecayMatrixOp::verify() {
  if (failed(expectRank(*this, "g", getG(), 1)))
    return failure();
  int64_t tokens = shapeOf(getG())[0];
  return expectShape(*this, "d", getD(), {tokens, tokens});
}

LogicalResult DecayMatrixAdjointOp::verify() {
  if (failed(expectSquare(*this, "d", getD())))
    return failure();
  return expectShape(*this, "dg", getDg(), shapeOf(getD()).take_front());
}

/// x is C x K, the scores are C x C, and a diagonal means span through: its exponent is 0 by definition.
static LogicalResult verifyScores(Operation *op, Value x, StringRef name, Value scores, Span span,
                                  bool diagonal) {
  if (failed(expectRank(op, "x", x, 2)))
    return failure();
  int64_t tokens = shapeOf(x)[0];
  if (failed(expectShape(op, name, scores, {tokens, tokens})))
    return failure();
  if (diagonal && span != Span::Through)
    return op->emitOpError() << "expected span through for scores with a diagonal, got "
                             << stringifySpan(span);
  return success();
}

LogicalResult DecayedScoresOp::verify() {
  return verifyScores(*this, getX(), "l", getL(), getSpan(), getDiagonal());
}

LogicalResult DecayedScoresAdjointOp::verify() {
  return verifyScores(*this, getX(), "dl", getDl(), getSpan(), getDiagonal());
}
