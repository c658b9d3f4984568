// The inputs that `check` tries on a recurrence.
#pragma once

#include "tools/sluice/Draw.h"

#include <string>
#include <vector>

namespace sluice {

struct Case {
  std::string name;
  Problem problem;
  Variation variation;
  /// Nearly equal keys that are overwritten: 16-bit operands lose more than elsewhere.
  bool hard = false;
};

/// Ordinary and adversarial cases, of the latter those that the recurrence has inputs for.
std::vector<Case> casesFor(const RecurrenceInfo &info, const Problem &problem);

} // namespace sluice
