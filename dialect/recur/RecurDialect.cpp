// Registration of the recur dialect: types, attributes, ops, and how constants come into being.

#include "dialect/recur/Recur.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sluice::recur;

#include "dialect/recur/RecurDialect.cpp.inc"
#include "dialect/recur/RecurEnums.cpp.inc"
#include "dialect/recur/RecurInterfaces.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialect/recur/RecurTypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/recur/RecurAttributes.cpp.inc"

#define GET_OP_CLASSES
#include "dialect/recur/RecurOps.cpp.inc"

void RecurDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialect/recur/RecurTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/recur/RecurAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/recur/RecurOps.cpp.inc"
      >();
}

Operation *RecurDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  auto number = dyn_cast<FloatAttr>(value);
  if (!number || !number.getType().isF32())
    return nullptr;
  return ConstantOp::create(builder, loc, type, number);
}
