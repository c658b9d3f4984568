// The reference: token programs in float64, one token at a time, with gradients by reverse mode. Everything
// well formed runs. Shares no code with the passes, so that each checks the other.
#pragma once

#include "dialect/recur/Recur.h"
#include "runtime/Tensor.h"

namespace sluice::recur {

/// Runs `recurrence` on the tensors of a run: its arguments by name, [B, T, H or HV, K], [B, T, HV, V],
/// [B, T, HV] or, per head, [HV, ..]; optionally initial_state [N, HV, K, V] and cu_seqlens (i64, [N + 1]).
/// Any floating type is taken. Answers with the results and final_state as f64.
///
/// With `gradients` the inputs also hold d<result> and dfinal_state, zero where absent; the answer then also
/// holds d<argument> in the argument's shape, and dinitial_state if initial_state was given.
/// Throws UserError for a tensor that is missing, unknown or of a wrong shape.
TensorMap interpret(RecurrenceOp recurrence, const TensorMap &inputs, bool gradients);

} // namespace sluice::recur
