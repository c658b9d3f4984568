//===- RecurOps.td - everything that TableGen makes of the dialect ---------===//

include "dialect/recur/RecurTokenOps.td"
include "dialect/recur/RecurScanOps.td"
include "dialect/recur/RecurChunkOps.td"
