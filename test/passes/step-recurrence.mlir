// The recurrent form: one token per step, elementwise on the state; any well-formed program has it.
// RUN: sluice-opt --recur-step="key-dim=16 value-dim=32" %s | FileCheck %s

// CHECK-LABEL: recur.scan @gated_recurrent_forward step 1 key 16 value 32
// CHECK-NEXT: ^bb0(%q: tensor<16xf32>, %k: tensor<16xf32>, %v: tensor<32xf32>, %g: tensor<f32>, %state: tensor<16x32xf32>):
// CHECK-NEXT: %[[CLAMPED:.*]] = recur.clamp_gate %g : tensor<f32>
// CHECK-NEXT: %[[E:.*]] = recur.exp %[[CLAMPED]]
// CHECK-NEXT: %[[FACTOR:.*]] = recur.expand %[[E]] along [0, 1] : tensor<f32> to tensor<16x32xf32>
// CHECK-NEXT: %[[DECAYED:.*]] = recur.mul %state, %[[FACTOR]]
// CHECK-NEXT: %[[K:.*]] = recur.expand %k along [1]
// CHECK-NEXT: %[[V:.*]] = recur.expand %v along [0]
// CHECK-NEXT: %[[KV:.*]] = recur.mul %[[K]], %[[V]]
// CHECK-NEXT: %[[NEXT:.*]] = recur.add %[[DECAYED]], %[[KV]]
// CHECK-NEXT: %[[Q:.*]] = recur.expand %q along [1]
// CHECK-NEXT: %[[SQ:.*]] = recur.mul %[[NEXT]], %[[Q]]
// CHECK-NEXT: %[[O:.*]] = recur.reduce %[[SQ]] along [0]
// CHECK-NEXT: recur.scan_yield outputs(%[[O]] : tensor<32xf32>) carried(%[[NEXT]] : tensor<16x32xf32>)
recur.recurrence @gated(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32)
    state(%s: !recur.state) -> !recur.value {
  %d = recur.decay %s by %g : f32
  %n = recur.write %v at %k into %d
  %o = recur.read %n at %q
  recur.yield %o, %n : !recur.value
}

// Every kind of gate; a fork that decays entry by entry is a second state.
// CHECK-LABEL: recur.scan @gates_recurrent_forward
// CHECK-SAME: #recur.port<"m" : argument matrix per_head>
// CHECK-DAG: recur.expand %{{.*}} along [1] : tensor<16xf32> to tensor<16x32xf32>
// CHECK-DAG: recur.expand %{{.*}} along [0] : tensor<32xf32> to tensor<16x32xf32>
// CHECK-DAG: %[[M:.*]] = recur.clamp_gate %m : tensor<16x32xf32>
// CHECK-DAG: %[[FACTOR:.*]] = recur.exp %[[M]]
// CHECK: recur.mul %{{.*}}, %[[FACTOR]] : tensor<16x32xf32>
recur.recurrence @gates(%q: !recur.key, %gk: !recur.key, %gv: !recur.value,
    %m: !recur.matrix {recur.per_head}) state(%s: !recur.state) -> !recur.value {
  %a = recur.decay %s by %gk : !recur.key
  %b = recur.decay_values %a by %gv
  %fork = recur.decay_entries %b by %m
  %o = recur.read %fork at %q
  recur.yield %o, %b : !recur.value
}
