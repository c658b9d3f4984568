// Part of recur-normalize: reads of forks.
#pragma once

#include "dialect/recur/Recur.h"

namespace sluice::recur {

/// Rewrites reads of states off the trunk into reads of the trunk. Returns how many it moved; reads of
/// forks that decay entry by entry stay.
unsigned normalizeForks(RecurrenceOp recurrence);

} // namespace sluice::recur
