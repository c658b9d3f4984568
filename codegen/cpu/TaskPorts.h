// The tensors that a kernel made of a scan exchanges with its caller, in the order of KernelTask::pointers.
#pragma once

#include "dialect/recur/Recur.h"
#include "runtime/KernelPackage.h"

#include <vector>

namespace sluice::cpu {

/// The inputs but for masks, the outputs, then for each carried port: state: initialState, finalState;
/// state_cotangent: stateCotangent, stateGradient; accumulator: gradient. Storage types are those of the
/// attribute `sluice.storage`.
std::vector<Port> taskPorts(recur::ScanOp scan);

/// How many of taskPorts() an input or carried port has.
unsigned taskPortCount(recur::PortAttr port);

/// Steps of the scan between two records of a saved port.
int64_t recordInterval(recur::ScanOp scan, recur::PortAttr port);

} // namespace sluice::cpu
