// Decays in chunk programs: scalar and channel gates, spans through and between, the token's own write.
// RUN: sluice-opt --recur-chunk="chunk=16 key-dim=32 value-dim=32" %s | FileCheck %s

// A scalar gate: ungated scores times the decay matrix.
// CHECK-LABEL: recur.scan @scalar_chunk_forward
// CHECK: %[[G:.*]] = recur.clamp_gate %g : tensor<16xf32>
// CHECK: %[[TOTAL:.*]] = recur.reduce %[[G]] along [0]
// CHECK: %[[AFTER:.*]] = recur.cumulative_sum %[[G]] reverse exclusive
// CHECK: %[[UPTO:.*]] = recur.cumulative_sum %[[G]] : tensor<16xf32>
// CHECK: %[[QK:.*]] = recur.product %q, %k transpose_rhs lower_result
// CHECK: %[[D:.*]] = recur.decay_matrix through %[[G]]
// CHECK: recur.mul %[[QK]], %[[D]]
recur.recurrence @scalar(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32)
    state(%s: !recur.state) -> !recur.value {
  %d = recur.decay %s by %g : f32
  %n = recur.write %v at %k into %d
  %o = recur.read %n at %q
  recur.yield %o, %n : !recur.value
}

// A channel gate, read before its own token decays and writes: strictly between, no diagonal.
// CHECK-LABEL: recur.scan @rwkv6_chunk_forward
// CHECK: %[[G:.*]] = recur.clamp_gate %gk : tensor<16x32xf32>
// CHECK: recur.cumulative_sum %[[G]] exclusive : tensor<16x32xf32>
// CHECK: %[[L:.*]] = recur.decayed_scores between %q, %k, %[[G]] : tensor<16x32xf32> to tensor<16x16xf32>
// CHECK: recur.product %[[L]], %v strictly_lower_lhs
recur.recurrence @rwkv6(%q: !recur.key, %k: !recur.key, %v: !recur.value, %gk: !recur.key)
    state(%s: !recur.state) -> !recur.value {
  %o = recur.read %s at %q
  %d = recur.decay %s by %gk : !recur.key
  %n = recur.write %v at %k into %d
  recur.yield %o, %n : !recur.value
}

// A read between two decays: the first is a factor of its key, the second of the written one, and the
// token's own write reaches the read undecayed, by itself.
// CHECK-LABEL: recur.scan @around_chunk_forward
// CHECK-DAG: %[[G:.*]] = recur.clamp_gate %g : tensor<16xf32>
// CHECK-DAG: %[[GK:.*]] = recur.clamp_gate %gk : tensor<16x32xf32>
// CHECK-DAG: %[[WIDE:.*]] = recur.expand %[[G]] along [1]
// CHECK-DAG: %[[SUM:.*]] = recur.add %[[WIDE]], %[[GK]]
// CHECK-DAG: %[[TAIL:.*]] = recur.exp %[[GK]]
// CHECK-DAG: %[[K:.*]] = recur.mul %k, %[[TAIL]]
// CHECK-DAG: %[[LEAD:.*]] = recur.exp %[[WIDE]]
// CHECK-DAG: %[[Q:.*]] = recur.mul %q, %[[LEAD]]
// CHECK-DAG: %[[QK:.*]] = recur.mul %q, %k
// CHECK-DAG: recur.reduce %[[QK]] along [1]
// CHECK: recur.decayed_scores between %[[Q]], %[[K]], %[[SUM]]
recur.recurrence @around(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32,
    %gk: !recur.key) state(%s: !recur.state) -> !recur.value {
  %d = recur.decay %s by %g : f32
  %w = recur.write %v at %k into %d
  %o = recur.read %w at %q
  %n = recur.decay %w by %gk : !recur.key
  recur.yield %o, %n : !recur.value
}

// A decay after the write but before the read is in the written key, the diagonal in the scores.
// CHECK-LABEL: recur.scan @late_decay_chunk_forward
// CHECK: %[[G:.*]] = recur.clamp_gate %g
// CHECK: %[[TAIL:.*]] = recur.exp %[[G]] : tensor<16xf32>
// CHECK: %[[ROWS:.*]] = recur.expand %[[TAIL]] along [1]
// CHECK: %[[K:.*]] = recur.mul %k, %[[ROWS]]
// CHECK: recur.product %q, %[[K]] transpose_rhs lower_result
// CHECK: recur.decay_matrix through %[[G]]
recur.recurrence @late_decay(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32)
    state(%s: !recur.state) -> !recur.value {
  %w = recur.write %v at %k into %s
  %n = recur.decay %w by %g : f32
  %o = recur.read %n at %q
  recur.yield %o, %n : !recur.value
}
