// The adjoint of the gated delta rule: its products, in this order and no others, and its ports.
// RUN: sluice-opt --recur-chunk="chunk=16 key-dim=32 value-dim=48" --recur-differentiate %s | FileCheck %s
// RUN: sluice-opt --recur-chunk="chunk=16 key-dim=32 value-dim=48" --recur-differentiate %s \
// RUN:   | FileCheck %s --check-prefix=COUNT
// RUN: sluice-opt --recur-chunk="chunk=16 key-dim=32 value-dim=48" \
// RUN:   --recur-differentiate=store-inverse=false %s | FileCheck %s --check-prefix=RECOMPUTE

// COUNT-LABEL: recur.scan @gated_delta_rule_chunk_backward
// COUNT-COUNT-18: recur.product
// COUNT-NOT: recur.product

// CHECK-LABEL: recur.scan @gated_delta_rule_chunk_forward
// CHECK-SAME: outputs [#recur.port<"o" : result value per_token>, #recur.port<"state" : saved state per_step>, #recur.port<"inverse" : saved matrix per_step>]
// CHECK: %[[T:.*]] = recur.unit_lower_inverse
// CHECK: recur.scan_yield outputs(%{{.*}}, %state, %[[T]] :

// CHECK-LABEL: recur.scan @gated_delta_rule_chunk_backward
// CHECK-SAME: reverse
// CHECK-SAME: #recur.port<"state" : saved state per_step>, #recur.port<"inverse" : saved matrix per_step>, #recur.port<"o" : cotangent value per_token>]
// CHECK-SAME: outputs [#recur.port<"q" : gradient key per_token>, #recur.port<"k" : gradient key per_token>, #recur.port<"v" : gradient value per_token>, #recur.port<"g" : gradient scalar per_token>, #recur.port<"beta" : gradient scalar per_token>]
// CHECK-SAME: carried [#recur.port<"state" : state_cotangent state per_step>]
// CHECK-NOT: recur.unit_lower_inverse
// CHECK-NOT: recur.apply_inverse
// Computed again: scores of the keys, K~ S0, U = T B, scores of the queries.
// CHECK: recur.product %k, %k transpose_rhs strictly_lower_result
// CHECK: recur.product %{{.*}}, %saved_state :
// CHECK: %[[U:.*]] = recur.product %saved_inverse, %{{.*}} lower_lhs
// CHECK: recur.product %q, %k transpose_rhs lower_result
// dL of the queries, dU, dQ and dK from it.
// CHECK: recur.product %do, %[[U]] transpose_rhs lower_result
// CHECK: %[[DU:.*]] = recur.product %{{.*}}, %do transpose_lhs lower_lhs
// CHECK: recur.product %{{.*}}, %k lower_lhs
// CHECK: recur.product %{{.*}}, %q transpose_lhs lower_lhs
// dQ~ and its part of dS0.
// CHECK: recur.product %do, %saved_state transpose_rhs
// CHECK: recur.product %{{.*}}, %do transpose_lhs :
// dK^ and its part of dU, dB, dA.
// CHECK: recur.product %[[U]], %dstate transpose_rhs
// CHECK: recur.product %{{.*}}, %dstate :
// CHECK: %[[DB:.*]] = recur.product %saved_inverse, %{{.*}} transpose_lhs lower_lhs
// CHECK: recur.product %[[DB]], %[[U]] transpose_rhs strictly_lower_result
// dK~ and its part of dS0, then dK twice.
// CHECK: recur.product %{{.*}}, %saved_state transpose_rhs
// CHECK: recur.product %{{.*}} transpose_lhs :
// CHECK: recur.product %{{.*}}, %k strictly_lower_lhs
// CHECK: recur.product %{{.*}}, %k transpose_lhs strictly_lower_lhs
// CHECK-NOT: recur.product
// CHECK: recur.clamp_gate_adjoint %g

// RECOMPUTE-LABEL: recur.scan @gated_delta_rule_chunk_backward
// RECOMPUTE-NOT: inverse" : saved
// RECOMPUTE: recur.unit_lower_inverse
recur.recurrence @gated_delta_rule(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32,
    %beta: f32) state(%s: !recur.state) -> !recur.value {
  %d = recur.decay %s by %g : f32
  %r = recur.read %d at %k
  %e = recur.sub %v, %r : !recur.value
  %u = recur.scale %e by %beta : !recur.value
  %n = recur.write %u at %k into %d
  %o = recur.read %n at %q
  recur.yield %o, %n : !recur.value
}
