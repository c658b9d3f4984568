// Scans: types of ports, names of a body's arguments, and the container's verifiers.

#include "dialect/recur/Recur.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"

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

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

/// C4: the roles that a list of ports may hold.
static LogicalResult verifyRoles(ScanOp op, StringRef list, ArrayAttr ports, ArrayRef<Role> allowed) {
  for (PortAttr port : ports.getAsRange<PortAttr>()) {
    if (llvm::is_contained(allowed, port.getRole()))
      continue;
    auto names = llvm::map_range(allowed, [](Role role) { return stringifyRole(role); });
    return op.emitOpError() << "expected a role among " << llvm::join(names, ", ") << " in " << list
                            << ", got " << stringifyRole(port.getRole()) << " of '" << port.getName() << "'";
  }
  return success();
}

LogicalResult ScanOp::verify() {
  if (!llvm::is_contained({1, 16, 32, 64, 128}, getStep()))
    return emitOpError() << "expected step 1, 16, 32, 64 or 128, got " << getStep();
  if (getKeyDim() <= 0 || getKeyDim() % 16)
    return emitOpError() << "expected a positive multiple of 16 as key dimension, got " << getKeyDim();
  if (getValueDim() <= 0 || getValueDim() % 16)
    return emitOpError() << "expected a positive multiple of 16 as value dimension, got " << getValueDim();
  if (getCheckpoint() < 1)
    return emitOpError() << "expected checkpoint of at least 1, got " << getCheckpoint();
  bool needed = getReverse() && getCheckpoint() > 1;
  if (needed != !getRecompute().empty())
    return emitOpError() << (needed ? "expected a recompute region in a reverse scan with checkpoint "
                                    : "expected no recompute region, got one with checkpoint ")
                         << getCheckpoint();
  if (failed(verifyRoles(*this, "inputs", getInputs(),
                         {Role::Argument, Role::Cotangent, Role::Saved, Role::Mask})) ||
      failed(verifyRoles(*this, "outputs", getOutputs(), {Role::Result, Role::Gradient, Role::Saved})))
    return failure();
  return verifyRoles(*this, "carried", getCarried(), {Role::State, Role::StateCotangent, Role::Accumulator});
}

/// The types of `values` are those of `ports`; a saved port has any.
static LogicalResult verifyPorts(ScanOp op, Location loc, StringRef what, TypeRange types,
                                 ArrayRef<Attribute> ports) {
  if (types.size() != ports.size())
    return emitError(loc) << "expected " << ports.size() << " " << what << ", one for each port, got "
                          << types.size();
  for (auto [type, attribute] : llvm::zip(types, ports)) {
    auto port = cast<PortAttr>(attribute);
    Type expected = op.getPortType(port);
    if (expected && type != expected)
      return emitError(loc) << "expected " << expected << " among " << what << " for port '" << port.getName()
                            << "', got " << type;
  }
  return success();
}

LogicalResult ScanOp::verifyRegions() {
  SmallVector<Attribute> entering(getInputs().getValue());
  if (!getRecompute().empty()) {
    if (failed(
            verifyPorts(*this, getLoc(), "recompute arguments", getRecompute().getArgumentTypes(), entering)))
      return failure();
    auto yield = dyn_cast<ScanYieldOp>(getRecompute().front().back());
    if (!yield || !yield.getOutputs().empty() || yield.getCarried().size() != 1)
      return emitOpError() << "expected recompute to end with recur.scan_yield of the state alone";
  }
  llvm::append_range(entering, getCarried().getValue());
  if (failed(verifyPorts(*this, getLoc(), "body arguments", getBody().getArgumentTypes(), entering)))
    return failure();
  auto yield = dyn_cast<ScanYieldOp>(getBody().front().back());
  if (!yield)
    return emitOpError() << "expected the body to end with recur.scan_yield, got "
                         << getBody().front().back().getName();
  if (failed(verifyPorts(*this, yield.getLoc(), "outputs", yield.getOutputs().getTypes(),
                         getOutputs().getValue())))
    return failure();
  return verifyPorts(*this, yield.getLoc(), "carried values", yield.getCarried().getTypes(),
                     getCarried().getValue());
}
