//===- RecurInterfaces.td - what ops say of themselves ---------------------===//
//
// Two interfaces carry all knowledge of an op's meaning that passes need: its
// scalar body, and its adjoint.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_RECUR_INTERFACES_TD
#define SLUICE_RECUR_INTERFACES_TD

include "mlir/IR/OpBase.td"

def PointwiseOpInterface : OpInterface<"PointwiseOpInterface"> {
  let cppNamespace = "::sluice::recur";
  let description = [{
    An op that applies one scalar function to each element; operands and result
    have one type.
  }];
  let methods = [
    InterfaceMethod<[{
        Builds the function on scalars or vectors: `operands` are f32 or
        vector<..xf32>, one for each operand; only arith and math ops are built.
      }],
      "::mlir::Value", "buildScalar",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc, "::mlir::ValueRange":$operands)>
  ];
}

def DifferentiableOpInterface : OpInterface<"DifferentiableOpInterface"> {
  let cppNamespace = "::sluice::recur";
  let description = [{
    An op of a scan's body that can build its adjoint (vector-Jacobian product).
  }];
  let methods = [
    InterfaceMethod<[{
        Builds ops that compute the cotangent of each operand from those of the
        results. `cotangents` has one entry per result, null where it is zero;
        the answer has one entry per operand, null where it is zero.
      }],
      "::llvm::SmallVector<::mlir::Value>", "buildAdjoint",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::ValueRange":$cotangents)>
  ];
}

#endif // SLUICE_RECUR_INTERFACES_TD
