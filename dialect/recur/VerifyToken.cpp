// Verifiers of token programs: the numbered constraints of recur.recurrence and of the ops in it.

#include "dialect/recur/Recur.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sluice::recur;

//===----------------------------------------------------------------------===//
// Signature
//===----------------------------------------------------------------------===//

/// C1: what an argument may be.
static LogicalResult verifyArgument(RecurrenceOp op, unsigned index) {
  Type type = op.getFunctionType().getInput(index);
  StringRef name = op.getArgumentName(index);
  if (!type.isF32() && !isa<KeyType, ValueType, MatrixType>(type))
    return op.emitOpError() << "expected f32, !recur.key, !recur.value or !recur.matrix for argument '"
                            << name << "', got " << type;
  if (isa<MatrixType>(type) && !op.isPerHead(index))
    return op.emitOpError() << "expected " << perHeadAttribute << " on matrix argument '" << name
                            << "', got one per token";
  return success();
}

/// C6: the attributes of an argument.
static LogicalResult verifyAttributes(RecurrenceOp op, unsigned index) {
  ArrayAttr all = op.getArgAttrsAttr();
  if (!all)
    return success();
  for (NamedAttribute attribute : cast<DictionaryAttr>(all[index])) {
    bool known = attribute.getName() == perHeadAttribute
                     ? isa<UnitAttr>(attribute.getValue())
                     : attribute.getName() == drawAttribute && isa<StringAttr>(attribute.getValue());
    if (!known)
      return op.emitOpError() << "expected " << perHeadAttribute << " or " << drawAttribute
                              << " = \"...\" on argument '" << op.getArgumentName(index) << "', got "
                              << attribute.getName().getValue() << " = " << attribute.getValue();
  }
  return success();
}

LogicalResult RecurrenceOp::verify() {
  FunctionType type = getFunctionType();
  if (getArgNames().size() != type.getNumInputs())
    return emitOpError() << "expected " << type.getNumInputs() << " argument names, got "
                         << getArgNames().size();
  if (ArrayAttr attributes = getArgAttrsAttr(); attributes && attributes.size() != type.getNumInputs())
    return emitOpError() << "expected attributes of " << type.getNumInputs() << " arguments, got those of "
                         << attributes.size();
  for (unsigned index = 0; index < type.getNumInputs(); ++index)
    if (failed(verifyArgument(*this, index)) || failed(verifyAttributes(*this, index)))
      return failure();
  if (type.getNumResults() == 0)
    return emitOpError() << "expected at least one result, got none";
  for (Type result : type.getResults())
    if (!result.isF32() && !isa<KeyType, ValueType>(result))
      return emitOpError() << "expected results of type f32, !recur.key or !recur.value, got " << result;
  return success();
}

//===----------------------------------------------------------------------===//
// Body
//===----------------------------------------------------------------------===//

/// C1 and C2 of the block: the arguments, then the state.
static LogicalResult verifyBlockArguments(RecurrenceOp op) {
  SmallVector<Type> expected(op.getFunctionType().getInputs());
  expected.push_back(StateType::get(op.getContext()));
  Block &block = op.getBody().front();
  if (block.getArgumentTypes() == TypeRange(expected))
    return success();
  if (block.getNumArguments() != expected.size())
    return op.emitOpError() << "expected " << expected.size() << " block arguments, the state last, got "
                            << block.getNumArguments();
  for (auto [argument, type] : llvm::zip(block.getArguments(), expected))
    if (argument.getType() != type)
      return op.emitOpError() << "expected block argument " << argument.getArgNumber() << " of type " << type
                              << ", got " << argument.getType();
  return success();
}

/// C4: one name for each tensor.
static LogicalResult verifyNames(RecurrenceOp op) {
  SmallVector<StringRef> names(op.getArgNames().getAsValueRange<StringAttr>());
  llvm::append_range(names, op.getYield().getResultNames().getAsValueRange<StringAttr>());
  llvm::StringSet<> seen;
  for (StringRef name : names) {
    if (name.empty())
      return op.emitOpError() << "expected a name for each argument and result, got an empty one";
    if (llvm::is_contained({"initial_state", "final_state", "cu_seqlens", "state"}, name))
      return op.emitOpError() << "expected a name that is not reserved, got '" << name << "'";
    if (!seen.insert(name).second)
      return op.emitOpError() << "expected each name once among arguments and results, got '" << name
                              << "' twice";
  }
  for (StringRef name : names)
    if (name.starts_with("d") &&
        (seen.contains(name.drop_front()) || name == "dinitial_state" || name == "dfinal_state"))
      return op.emitOpError() << "expected a name that is not a gradient's, got '" << name
                              << "', the gradient of '" << name.drop_front() << "'";
  return success();
}

static Value previousState(Value state) {
  Operation *op = state.getDefiningOp();
  Value previous =
      TypeSwitch<Operation *, Value>(op)
          .Case<DecayOp, DecayValuesOp, DecayEntriesOp, WriteOp>([](auto step) { return step.getState(); })
          .Default([](Operation *) { return Value(); });
  // Dominance is verified later; two steps that use each other would never end.
  Operation *earlier = previous ? previous.getDefiningOp() : nullptr;
  return earlier && !earlier->isBeforeInBlock(op) ? Value() : previous;
}

/// C5: the declared types, and a state that comes from this token's.
static LogicalResult verifyYield(RecurrenceOp op) {
  YieldOp yield = op.getYield();
  TypeRange declared = op.getFunctionType().getResults();
  if (TypeRange(yield.getValues().getTypes()) != declared) {
    auto diagnostic = yield.emitOpError() << "expected results of types (" << declared << "), got ("
                                          << yield.getValues().getTypes() << ")";
    diagnostic.attachNote(op.getLoc()) << "declared here";
    return diagnostic;
  }
  Value state = yield.getState();
  while (state && !isa<BlockArgument>(state))
    state = previousState(state);
  if (!state)
    return yield.emitOpError() << "expected a state that descends from the state argument, got another";
  return success();
}

static bool isScalarArithmetic(Operation &op) {
  return isa<arith::ConstantOp, arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::NegFOp,
             arith::MaximumFOp, arith::MinimumFOp, math::AbsFOp, math::ExpOp, math::Exp2Op, math::ExpM1Op,
             math::FmaOp, math::LogOp, math::Log1pOp, math::Log2Op, math::SqrtOp, math::RsqrtOp,
             math::TanhOp>(op);
}

/// C7: what a token program may compute with.
static LogicalResult verifyBodyOp(Operation &op) {
  if (!isa_and_nonnull<RecurDialect>(op.getDialect()) && !isScalarArithmetic(op))
    return op.emitOpError() << "expected a recur op, or an arith or math op that recur.recurrence lists";
  auto isAllowed = [&](Type type) {
    return type.isF32() ||
           (isa<KeyType, ValueType, MatrixType, StateType>(type) && isa<RecurDialect>(op.getDialect()));
  };
  for (Type type : llvm::concat<const Type>(SmallVector<Type>(op.getOperandTypes()),
                                            SmallVector<Type>(op.getResultTypes())))
    if (!isAllowed(type))
      return op.emitOpError() << "expected "
                              << (isa<RecurDialect>(op.getDialect())
                                      ? "f32, keys, values, matrices and states"
                                      : "f32")
                              << " in a token program, got " << type;
  return success();
}

LogicalResult RecurrenceOp::verifyRegions() {
  if (failed(verifyBlockArguments(*this)))
    return failure();
  Operation &last = getBody().front().back();
  if (!isa<YieldOp>(last))
    return emitOpError() << "expected the body to end with recur.yield, got " << last.getName();
  if (failed(verifyNames(*this)) || failed(verifyYield(*this)))
    return failure();
  for (Operation &op : getBody().front())
    if (failed(verifyBodyOp(op)))
      return failure();
  return success();
}

LogicalResult YieldOp::verify() {
  if (getResultNames().size() != getValues().size())
    return emitOpError() << "expected " << getValues().size() << " result names, one for each result, got "
                         << getResultNames().size();
  return success();
}

//===----------------------------------------------------------------------===//
// Arithmetic that changes kinds
//===----------------------------------------------------------------------===//

LogicalResult BroadcastOp::verify() {
  Type from = getX().getType(), to = getY().getType();
  if (from.isF32() || isa<MatrixType>(to))
    return success();
  return emitOpError() << "expected a result of type !recur.matrix for x of type " << from << ", got " << to;
}

LogicalResult NormalizeOp::verify() {
  if (getEpsilon().isNegative() || getEpsilon().isNaN())
    return emitOpError() << "expected epsilon of at least 0, got " << getEpsilonAttr();
  return success();
}
