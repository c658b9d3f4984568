// Scans: types of ports, names of a body's arguments, and the container's verifiers.

#include "dialect/recur/Recur.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace sluice::recur;

RankedTensorType ScanOp::getPortType(PortAttr port) {
  if (port.getRole() == Role::Saved)
    return {};
  int64_t key = getKeyDim(), value = getValueDim();
  SmallVector<int64_t> shape;
  bool rows = getStep() > 1 && port.getExtent() == Extent::PerToken;
  switch (port.getKind()) {
  case Kind::Scalar:
    break;
  case Kind::Key:
    shape.push_back(key);
    break;
  case Kind::Value:
    shape.push_back(value);
    break;
  case Kind::Matrix:
  case Kind::State:
    shape = {key, value};
    rows = false;
    break;
  }
  if (rows)
    shape.insert(shape.begin(), getStep());
  return RankedTensorType::get(shape, Float32Type::get(getContext()));
}

ScanYieldOp ScanOp::getYield() { return cast<ScanYieldOp>(getBody().front().getTerminator()); }

static std::string argumentName(PortAttr port) {
  switch (port.getRole()) {
  case Role::Saved:
    return "saved_" + port.getName().str();
  case Role::Cotangent:
  case Role::Gradient:
  case Role::StateCotangent:
  case Role::Accumulator:
    return "d" + port.getName().str();
  default:
    return port.getName().str();
  }
}

void ScanOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  if (region.empty())
    return;
  SmallVector<Attribute> ports(getInputs().getValue());
  if (&region == &getBody())
    llvm::append_range(ports, getCarried().getValue());
  for (auto [argument, port] : llvm::zip(region.getArguments(), ports))
    setName(argument, argumentName(cast<PortAttr>(port)));
}

LogicalResult ScanOp::verify() { return success(); }

LogicalResult ScanOp::verifyRegions() { return success(); }
