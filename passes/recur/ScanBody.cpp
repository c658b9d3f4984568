// Ports and tensor ops of forward scans.

#include "passes/recur/ScanBody.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sluice::recur;

Kind sluice::recur::getKind(Type type) {
  return llvm::TypeSwitch<Type, Kind>(type)
      .Case([](KeyType) { return Kind::Key; })
      .Case([](ValueType) { return Kind::Value; })
      .Case([](MatrixType) { return Kind::Matrix; })
      .Case([](StateType) { return Kind::State; })
      .Default([](Type) { return Kind::Scalar; });
}

RankedTensorType sluice::recur::getTensorType(Value tensor) {
  return cast<RankedTensorType>(tensor.getType());
}

static int64_t roundUp(int64_t extent) { return (extent + 15) / 16 * 16; }

static SmallVector<Attribute> getArgumentPorts(RecurrenceOp recurrence) {
  SmallVector<Attribute> ports;
  for (auto [index, argument] : llvm::enumerate(recurrence.getProgramArguments())) {
    Extent extent = recurrence.isPerHead(index) ? Extent::PerHead : Extent::PerToken;
    ports.push_back(PortAttr::get(recurrence.getContext(), recurrence.getArgumentName(index), Role::Argument,
                                  getKind(argument.getType()), extent));
  }
  return ports;
}

static SmallVector<Attribute> getResultPorts(RecurrenceOp recurrence) {
  SmallVector<Attribute> ports;
  for (auto [index, value] : llvm::enumerate(recurrence.getYield().getValues()))
    ports.push_back(PortAttr::get(recurrence.getContext(), recurrence.getResultName(index), Role::Result,
                                  getKind(value.getType()), Extent::PerToken));
  return ports;
}

ScanBody::ScanBody(RecurrenceOp recurrence, StringRef suffix, int64_t step, const ScanOptions &options)
    : builder(recurrence.getContext()), loc(recurrence.getLoc()), keysArePadded(options.keyDim % 16 != 0) {
  builder.setInsertionPointAfter(recurrence);
  Attribute state = PortAttr::get(builder.getContext(), "state", Role::State, Kind::State, Extent::PerStep);
  SmallVector<Attribute> arguments = getArgumentPorts(recurrence);
  scan = ScanOp::create(builder, loc, (recurrence.getSymName() + suffix).str(), step, roundUp(options.keyDim),
                        roundUp(options.valueDim), builder.getArrayAttr(arguments),
                        builder.getArrayAttr(getResultPorts(recurrence)), builder.getArrayAttr(state),
                        options.checkpoint, /*reverse=*/false);
  block = builder.createBlock(&scan.getBody());
  arguments.push_back(state);
  for (Attribute port : arguments)
    block->addArgument(scan.getPortType(cast<PortAttr>(port)), loc);
}

Value ScanBody::getMask(Kind kind) {
  Value &mask = masks[unsigned(kind)];
  if (mask)
    return mask;
  constexpr StringRef names[] = {"rows", "key_channels", "value_channels"};
  Extent extent = kind == Kind::Scalar ? Extent::PerToken : Extent::PerHead;
  auto port = PortAttr::get(builder.getContext(), names[unsigned(kind)], Role::Mask, kind, extent);
  SmallVector<Attribute> inputs(scan.getInputs().getValue());
  mask = block->insertArgument(inputs.size(), scan.getPortType(port), loc);
  inputs.push_back(port);
  scan.setInputsAttr(builder.getArrayAttr(inputs));
  return mask;
}

RankedTensorType ScanBody::getType(Kind kind, bool perToken) const {
  ScanOp op = scan;
  Extent extent = perToken ? Extent::PerToken : Extent::PerHead;
  return op.getPortType(PortAttr::get(op.getContext(), "", Role::Argument, kind, extent));
}

void ScanBody::finish(ValueRange results, Value nextState) {
  ScanYieldOp::create(builder, loc, results, nextState);
}

Value ScanBody::constant(Type type, float number) { return ConstantOp::create(builder, loc, type, number); }

Value ScanBody::add(Value x, Value y) {
  if (!x || !y)
    return x ? x : y;
  return AddOp::create(builder, loc, x, y);
}

Value ScanBody::mul(Value x, Value y) { return MulOp::create(builder, loc, x, y); }

Value ScanBody::exp(Value x) { return ExpOp::create(builder, loc, x); }

Value ScanBody::expand(Value x, ArrayRef<int64_t> dimensions, Type type) {
  return ExpandOp::create(builder, loc, type, x, builder.getDenseI64ArrayAttr(dimensions));
}

Value ScanBody::reduce(Value x, int64_t dimension) {
  SmallVector<int64_t> shape(getTensorType(x).getShape());
  shape.erase(shape.begin() + dimension);
  auto type = RankedTensorType::get(shape, builder.getF32Type());
  return ReduceOp::create(builder, loc, type, x, builder.getDenseI64ArrayAttr(dimension));
}

Value ScanBody::product(Value x, Value y, Triangle triangle) {
  return ProductOp::create(builder, loc, x, y, false, false, triangle);
}

Value ScanBody::productTransposed(Value x, Value y, Triangle triangle) {
  return ProductOp::create(builder, loc, x, y, false, true, triangle);
}

Value ScanBody::scaleRows(Value x, Value s) { return s ? mul(x, expand(s, 1, x.getType())) : x; }
