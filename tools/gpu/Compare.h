// Compares what two sides left in the arguments of a kernel.
#pragma once

#include "tools/gpu/Sides.h"

#include <cstdint>
#include <string>

namespace sluice::gpusuite {

struct Difference {
  uint64_t elements = 0, different = 0; ///< Of all arguments; of those that differ.
  std::string first;                    ///< "output[12]: 3f800000 on ..., 3f800001 on ..."
};

/// Of two runs on the arguments `before`. A problem of either side counts as a difference.
Difference compareOutcomes(const Probe &probe, const Arrays &before, const Outcome &left,
                           const Outcome &right);

} // namespace sluice::gpusuite
