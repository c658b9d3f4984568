// Masks keep padding out of the state where it is not zero by itself, and only there.
// RUN: sluice-opt --recur-chunk="chunk=16 key-dim=20 value-dim=32" %s | FileCheck %s

// Functions that are zero at zero need none.
// CHECK-LABEL: recur.scan @quiet_chunk_forward
// CHECK-NOT: mask
// CHECK: recur.scan_yield
recur.recurrence @quiet(%q: !recur.key, %v: !recur.value, %g: !recur.key)
    state(%s: !recur.state) -> !recur.value {
  %kept = recur.expm1 %g : !recur.key
  %k = recur.neg %kept : !recur.key
  %silu = recur.silu %k : !recur.key
  %unit = recur.normalize %silu : !recur.key
  %d = recur.decay %s by %g : !recur.key
  %n = recur.write %v at %unit into %d
  %o = recur.read %n at %q
  recur.yield %o, %n : !recur.value
}

// A gate per head is a gate in padded rows too.
// CHECK-LABEL: recur.scan @per_head_gate_chunk_forward
// CHECK-SAME: #recur.port<"rows" : mask scalar per_token>]
// CHECK: %[[CLAMPED:.*]] = recur.clamp_gate %g : tensor<f32>
// CHECK: %[[ROWS:.*]] = recur.expand %[[CLAMPED]] along [0]
// CHECK: %[[G:.*]] = recur.mask %[[ROWS]] by %rows else 0.0{{.*}} : tensor<16xf32>
// CHECK: recur.reduce %[[G]] along [0]
recur.recurrence @per_head_gate(%q: !recur.key, %k: !recur.key, %v: !recur.value,
    %g: f32 {recur.per_head}) state(%s: !recur.state) -> !recur.value {
  %d = recur.decay %s by %g : f32
  %n = recur.write %v at %k into %d
  %o = recur.read %n at %q
  recur.yield %o, %n : !recur.value
}

// A sigmoid is 1/2 in padded rows and padded channels; only the written key matters.
// CHECK-LABEL: recur.scan @sigmoid_key_chunk_forward
// CHECK-DAG: %[[K:.*]] = recur.sigmoid %k
// CHECK-DAG: %[[CHANNELS:.*]] = recur.expand %key_channels along [0]
// CHECK-DAG: %[[REAL:.*]] = recur.mask %[[K]] by %[[CHANNELS]] else 0.0
// CHECK-DAG: %[[ROWS:.*]] = recur.expand %rows along [1]
// CHECK-DAG: %[[WRITTEN:.*]] = recur.mask %[[REAL]] by %[[ROWS]] else 0.0
// CHECK-DAG: recur.product %[[WRITTEN]], %v transpose_lhs
// CHECK-DAG: %[[Q:.*]] = recur.sigmoid %q
// CHECK-DAG: recur.product %[[Q]], %state
recur.recurrence @sigmoid_key(%q: !recur.key, %k: !recur.key, %v: !recur.value)
    state(%s: !recur.state) -> !recur.value {
  %key = recur.sigmoid %k : !recur.key
  %query = recur.sigmoid %q : !recur.key
  %n = recur.write %v at %key into %s
  %o = recur.read %n at %query
  recur.yield %o, %n : !recur.value
}

// A quotient of inputs has divisor 1 in padding; a sum over values of a read is over true columns.
// CHECK-LABEL: recur.scan @domains_chunk_forward
// CHECK-DAG: %[[DIVISOR:.*]] = recur.mask %x by %rows else 1.0
// CHECK-DAG: recur.div %{{.*}}, %[[DIVISOR]]
// CHECK-DAG: %[[COLUMNS:.*]] = recur.expand %value_channels along [0]
// CHECK-DAG: %[[READ:.*]] = recur.mask %{{.*}} by %[[COLUMNS]] else 0.0
// CHECK-DAG: recur.reduce %[[READ]] along [1]
recur.recurrence @domains(%k: !recur.key, %v: !recur.value, %x: f32)
    state(%s: !recur.state) -> (!recur.value, f32) {
  %y = arith.divf %x, %x : f32
  %u = recur.scale %v by %y : !recur.value
  %n = recur.write %u at %k into %s
  %o = recur.read %n at %k
  %sum = recur.sum %o : !recur.value
  recur.yield %o, %sum, %n : !recur.value, f32
}
