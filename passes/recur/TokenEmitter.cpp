// State-free arithmetic of a token program, as tensor ops. Padding: inputs are zero there; a value that
// must not spread (a written key, a gate, what is summed over channels) is masked unless it is known to be
// zero, and so is the operand of a function that is undefined at 0.

#include "passes/recur/TokenEmitter.h"
#include "passes/recur/TokenProgram.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sluice::recur;

//===----------------------------------------------------------------------===//
// What the chunk and step forms ask for
//===----------------------------------------------------------------------===//

Value TokenEmitter::emitRows(Value value) {
  Emitted x = emit(value);
  return align(x, x.kind, true);
}

Value TokenEmitter::emitWrittenKey(Value key) {
  Emitted x = mask(emit(key), Axis::keys, 0);
  x.tensor = align(x, x.kind, true);
  x.perToken = true;
  return mask(x, Axis::rows, 0).tensor;
}

Value TokenEmitter::emitGate(Value gate) {
  Emitted x = emit(gate);
  x.tensor = ClampGateOp::create(body.getBuilder(), body.getLocation(), x.tensor);
  x.tensor = align(x, x.kind, true);
  x.perToken = true;
  return mask(x, Axis::rows, 0).tensor;
}

Value TokenEmitter::emitScalar(Value uniform, bool divisor) {
  if (auto constant = uniform.getDefiningOp<ConstantOp>())
    return body.constant(body.getType(Kind::Scalar, true), constant.getValue().convertToFloat());
  Emitted x = emit(uniform);
  return align(divisor ? maskDomain(x, 1) : x, Kind::Scalar, true);
}

//===----------------------------------------------------------------------===//
// Axes and padding
//===----------------------------------------------------------------------===//

static bool hasKeys(Kind kind) { return kind == Kind::Key || kind == Kind::Matrix; }
static bool hasValues(Kind kind) { return kind == Kind::Value || kind == Kind::Matrix; }

bool TokenEmitter::hasPadding(const Emitted &x, Axis axis) const {
  switch (axis) {
  case Axis::rows:
    return x.perToken && body.getStep() > 1;
  case Axis::keys:
    return hasKeys(x.kind) && body.padsKeys();
  case Axis::values:
    return hasValues(x.kind);
  }
  llvm_unreachable("all axes are handled");
}

Emitted TokenEmitter::mask(Emitted x, Axis axis, float fill) {
  Sign filled = fill == 0 ? Sign::zero : Sign::positive;
  if (!hasPadding(x, axis) || x.signs[axis] == filled)
    return x;
  constexpr Kind kinds[] = {Kind::Scalar, Kind::Key, Kind::Value};
  Emitted real{body.getMask(kinds[unsigned(axis)]), kinds[unsigned(axis)], axis == Axis::rows, Signs{}};
  x.tensor = MaskOp::create(body.getBuilder(), body.getLocation(), x.tensor, align(real, x.kind, x.perToken),
                            body.getBuilder().getF32FloatAttr(fill));
  x.signs[axis] = filled;
  return x;
}

Emitted TokenEmitter::maskDomain(Emitted x, float fill) {
  for (Axis axis : allAxes)
    if (x.signs[axis] != Sign::positive)
      x = mask(x, axis, fill);
  return x;
}

Emitted TokenEmitter::keepInDomain(Operation *op, unsigned operand, Emitted x) {
  if (isa<LogOp, SqrtOp, RsqrtOp>(op) || (isa<DivOp>(op) && operand == 1))
    return maskDomain(x, 1);
  // log1p is undefined at -1 and below, which only unknown values reach.
  return isa<Log1pOp>(op) ? maskDomain(x, 0) : x;
}

Value TokenEmitter::align(const Emitted &x, Kind kind, bool perToken) {
  RankedTensorType type = body.getType(kind, perToken);
  if (x.tensor.getType() == type)
    return x.tensor;
  if (auto constant = x.tensor.getDefiningOp<ConstantOp>())
    return body.constant(type, constant.getValue().convertToFloat());
  SmallVector<int64_t> missing;
  int64_t dimension = 0;
  if (perToken && body.getStep() > 1) {
    if (!x.perToken)
      missing.push_back(dimension);
    ++dimension;
  }
  if (hasKeys(kind)) {
    if (!hasKeys(x.kind))
      missing.push_back(dimension);
    ++dimension;
  }
  if (hasValues(kind) && !hasValues(x.kind))
    missing.push_back(dimension);
  return body.expand(x.tensor, missing, type);
}

//===----------------------------------------------------------------------===//
// Values and ops
//===----------------------------------------------------------------------===//

Emitted TokenEmitter::emit(Value value) {
  if (auto found = emitted.find(value); found != emitted.end())
    return found->second;
  Location outer = body.getLocation();
  body.setLocation(value.getLoc());
  auto argument = dyn_cast<BlockArgument>(value);
  Emitted x = argument ? emitArgument(argument) : emitOp(value.getDefiningOp());
  body.setLocation(outer);
  return emitted[value] = x;
}

Emitted TokenEmitter::emitArgument(BlockArgument argument) {
  unsigned index = argument.getArgNumber();
  Emitted x{body.getArgument(index), getKind(argument.getType()), !recurrence.isPerHead(index), Signs{}};
  for (Axis axis : allAxes)
    if (hasPadding(x, axis))
      x.signs[axis] = Sign::zero;
  return x;
}

Emitted TokenEmitter::emitOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, Emitted>(op)
      .Case([&](ReadOp read) {
        return Emitted{emitRead(read), Kind::Value, true, Signs{}};
      })
      .Case([&](ConstantOp constant) { return emitConstant(constant); })
      .Case([&](ScaleOp scale) { return emitScale(scale); })
      .Case([&](BroadcastOp broadcast) { return emitBroadcast(broadcast); })
      .Case([&](DotOp dot) {
        return sumChannels(emitProduct(dot.getX(), dot.getY(), getKind(dot.getX().getType())));
      })
      .Case([&](SumOp sum) { return sumChannels(emit(sum.getX())); })
      .Case([&](NormalizeOp normalize) { return emitNormalize(normalize); })
      .Case([&](OuterOp outer) { return emitOuter(outer); })
      .Default([&](Operation *other) { return emitPointwise(other); });
}

Emitted TokenEmitter::emitConstant(ConstantOp op) {
  Kind kind = getKind(op.getType());
  float number = op.getValue().convertToFloat();
  Sign sign = number == 0 ? Sign::zero : number > 0 ? Sign::positive : Sign::any;
  return {body.constant(body.getType(kind, false), number), kind, false, Signs{{sign, sign, sign}}};
}

Emitted TokenEmitter::emitPointwise(Operation *op) {
  Kind kind = getKind(op->getResult(0).getType());
  SmallVector<Emitted> operands;
  bool perToken = false;
  for (OpOperand &operand : op->getOpOperands()) {
    operands.push_back(keepInDomain(op, operand.getOperandNumber(), emit(operand.get())));
    perToken |= operands.back().perToken;
  }
  Emitted result{{}, kind, perToken, Signs{}};
  for (Axis axis : allAxes) {
    SmallVector<Sign> signs;
    for (const Emitted &operand : operands)
      signs.push_back(operand.signs[axis]);
    result.signs[axis] = getPointwiseSign(op, signs);
  }
  SmallVector<Value> tensors;
  for (const Emitted &operand : operands)
    tensors.push_back(align(operand, kind, perToken));
  OperationState state(op->getLoc(), op->getName(), tensors, body.getType(kind, perToken), op->getAttrs());
  result.tensor = body.getBuilder().create(state)->getResult(0);
  return result;
}

/// x y of one kind; a scalar operand is repeated.
Emitted TokenEmitter::emitProduct(Value x, Value y, Kind kind) {
  Emitted left = emit(x), right = emit(y);
  bool perToken = left.perToken || right.perToken;
  Emitted result{{}, kind, perToken, Signs{}};
  for (Axis axis : allAxes)
    result.signs[axis] = getProductSign(left.signs[axis], right.signs[axis]);
  result.tensor = body.mul(align(left, kind, perToken), align(right, kind, perToken));
  return result;
}

Emitted TokenEmitter::emitScale(ScaleOp op) {
  return emitProduct(op.getX(), op.getBy(), getKind(op.getType()));
}

Emitted TokenEmitter::emitBroadcast(BroadcastOp op) {
  Emitted x = emit(op.getX());
  Kind kind = getKind(op.getType());
  return {align(x, kind, x.perToken), kind, x.perToken, x.signs};
}

/// The sum over the one kind of channels that x has.
Emitted TokenEmitter::sumChannels(Emitted x) {
  Axis axis = x.kind == Kind::Key ? Axis::keys : Axis::values;
  x = mask(x, axis, 0);
  x.tensor = body.reduce(x.tensor, getTensorType(x.tensor).getRank() - 1);
  x.kind = Kind::Scalar;
  x.signs[axis] = Sign::any;
  return x;
}

/// x / sqrt(sum x^2 + epsilon).
Emitted TokenEmitter::emitNormalize(NormalizeOp op) {
  Emitted x = emit(op.getX());
  x = mask(x, x.kind == Kind::Key ? Axis::keys : Axis::values, 0);
  Emitted square = x;
  square.tensor = body.mul(x.tensor, x.tensor);
  Emitted norm = sumChannels(square);
  Value epsilon = body.constant(norm.tensor.getType(), op.getEpsilon().convertToFloat());
  norm.tensor = RsqrtOp::create(body.getBuilder(), body.getLocation(), body.add(norm.tensor, epsilon));
  x.tensor = body.mul(x.tensor, align(norm, x.kind, x.perToken));
  return x;
}

/// x u^T, per step or per head: chunks have no rows of matrices.
Emitted TokenEmitter::emitOuter(OuterOp op) { return emitProduct(op.getX(), op.getU(), Kind::Matrix); }
