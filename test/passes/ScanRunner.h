// Runs forward and reverse scans over a sequence, step by step, with the evaluator.
#pragma once

#include "test/passes/ScanEvaluator.h"

#include <map>
#include <string>

namespace sluice::test {

/// Tensors of one (sequence, value head): [T, K], [T, V] or [T] per token, without T per head. Unpadded.
using Tensors = std::map<std::string, Array>;

struct Sequence {
  int64_t tokens = 0, keyDim = 0, valueDim = 0;
  Tensors inputs;     ///< Arguments by name, and `initial_state`.
  Tensors cotangents; ///< Of results by name, and of `final_state`.
};

/// Runs the forward scan, and the adjoint if there is one. Names of results, `final_state`; and `dNAME` for
/// gradients.
Tensors runScans(recur::ScanOp forward, recur::ScanOp adjoint, const Sequence &sequence);

} // namespace sluice::test
