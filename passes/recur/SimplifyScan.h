// Cleans up scans after they are built or differentiated.
#pragma once

#include "dialect/recur/Recur.h"

namespace sluice::recur {

/// Folds, shares equal ops and removes dead ones, until nothing changes.
mlir::LogicalResult simplifyScan(ScanOp scan);

} // namespace sluice::recur
