// Ports of a scan as ports of its kernel.

#include "codegen/cpu/TaskPorts.h"
#include "codegen/cpu/Passes.h"

using namespace mlir;
using namespace sluice::recur;

namespace sluice::cpu {
namespace {

sluice::Kind kindOf(recur::Kind kind) {
  switch (kind) {
  case recur::Kind::Scalar: return sluice::Kind::scalar;
  case recur::Kind::Key: return sluice::Kind::key;
  case recur::Kind::Value: return sluice::Kind::value;
  case recur::Kind::Matrix: return sluice::Kind::matrix;
  case recur::Kind::State: return sluice::Kind::state;
  }
  llvm_unreachable("expected a kind of port");
}

DType storageOf(ScanOp scan, StringRef name) {
  auto storage = scan->getAttrOfType<DictionaryAttr>(storageAttr);
  auto type = storage ? storage.getAs<TypeAttr>(name) : TypeAttr();
  if (!type || type.getValue().isF32())
    return DType::f32;
  return type.getValue().isF16() ? DType::f16 : DType::bf16;
}

Port makePort(PortAttr port, PortRole role, DType dtype = DType::f32) {
  return {port.getName().str(), role, kindOf(port.getKind()), port.getExtent() == Extent::PerHead, dtype, 0, 1};
}

Port savedPort(ScanOp scan, PortAttr port, Type type) {
  Port saved = makePort(port, PortRole::saved);
  saved.recordElements = cast<RankedTensorType>(type).getNumElements();
  saved.every = recordInterval(scan, port);
  return saved;
}

} // namespace

int64_t recordInterval(ScanOp scan, PortAttr port) {
  return port.getRole() == Role::Saved && port.getName() == "state" ? scan.getCheckpoint() : 1;
}

unsigned taskPortCount(PortAttr port) {
  switch (port.getRole()) {
  case Role::Mask: return 0;
  case Role::State:
  case Role::StateCotangent: return 2;
  default: return 1;
  }
}

std::vector<Port> taskPorts(ScanOp scan) {
  std::vector<Port> ports;
  Block &body = scan.getBody().front();
  for (auto [i, attribute] : llvm::enumerate(scan.getInputs())) {
    auto port = cast<PortAttr>(attribute);
    if (port.getRole() == Role::Argument)
      ports.push_back(makePort(port, PortRole::argument, storageOf(scan, port.getName())));
    else if (port.getRole() == Role::Cotangent)
      ports.push_back(makePort(port, PortRole::cotangent, storageOf(scan, port.getName())));
    else if (port.getRole() == Role::Saved)
      ports.push_back(savedPort(scan, port, body.getArgument(i).getType()));
  }
  for (auto [i, attribute] : llvm::enumerate(scan.getOutputs())) {
    auto port = cast<PortAttr>(attribute);
    if (port.getRole() == Role::Result)
      ports.push_back(makePort(port, PortRole::result, storageOf(scan, port.getName())));
    else if (port.getRole() == Role::Gradient)
      ports.push_back(makePort(port, PortRole::gradient));
    else
      ports.push_back(savedPort(scan, port, scan.getYield().getOutputs()[i].getType()));
  }
  for (auto attribute : scan.getCarried()) {
    auto port = cast<PortAttr>(attribute);
    if (port.getRole() == Role::Accumulator) {
      ports.push_back(makePort(port, PortRole::gradient));
      continue;
    }
    bool state = port.getRole() == Role::State;
    ports.push_back(makePort(port, state ? PortRole::initialState : PortRole::stateCotangent));
    ports.push_back(makePort(port, state ? PortRole::finalState : PortRole::stateGradient));
  }
  return ports;
}

} // namespace sluice::cpu
