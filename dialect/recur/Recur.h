// The recur dialect: token programs and scans. Includes everything that passes need of it.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/RegionKindInterface.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialect/recur/RecurDialect.h.inc"
#include "dialect/recur/RecurEnums.h.inc"
#include "dialect/recur/RecurInterfaces.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialect/recur/RecurTypes.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/recur/RecurAttributes.h.inc"

namespace sluice::recur {
class YieldOp;
class ScanYieldOp;

/// Attributes of a token program's argument: a constant per head; how test inputs are drawn; a name that its
/// SSA name does not tell.
constexpr llvm::StringLiteral perHeadAttribute = "recur.per_head";
constexpr llvm::StringLiteral drawAttribute = "recur.draw";
constexpr llvm::StringLiteral nameAttribute = "recur.name";

/// A log decay is clamped here: e^-128 is 0 in float32, and the gradient at or below is 0.
constexpr float gateFloor = -128.0f;
} // namespace sluice::recur

#define GET_OP_CLASSES
#include "dialect/recur/RecurOps.h.inc"
