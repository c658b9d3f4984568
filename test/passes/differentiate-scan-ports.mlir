// Gradients of per-head arguments accumulate; arguments that nothing depends on have gradient zero; sparse
// states are recomputed.
// RUN: sluice-opt --recur-step="key-dim=16 value-dim=32 checkpoint=8" --recur-differentiate %s | FileCheck %s

// CHECK-LABEL: recur.scan @constants_recurrent_forward
// CHECK-SAME: checkpoint 8
// CHECK-SAME: #recur.port<"state" : saved state per_step>]

// CHECK-LABEL: recur.scan @constants_recurrent_backward
// CHECK-SAME: reverse checkpoint 8
// CHECK-SAME: outputs [#recur.port<"k" : gradient key per_token>, #recur.port<"unused" : gradient scalar per_token>]
// CHECK-SAME: carried [#recur.port<"state" : state_cotangent state per_step>, #recur.port<"w" : accumulator value per_head>, #recur.port<"c" : accumulator scalar per_head>]
// CHECK-NEXT: ^bb0(%k: tensor<16xf32>, %unused: tensor<f32>, %w: tensor<32xf32>, %c: tensor<f32>, %saved_state: tensor<16x32xf32>, %do: tensor<32xf32>, %dstate: tensor<16x32xf32>, %dw: tensor<32xf32>, %dc: tensor<f32>):
// CHECK-DAG: %[[ZERO:.*]] = recur.constant 0.0{{.*}} : tensor<f32>
// CHECK-DAG: %[[SUM:.*]] = recur.add %dw, %{{.*}} : tensor<32xf32>
// CHECK: recur.scan_yield outputs(%{{.*}}, %[[ZERO]] : {{.*}}) carried(%{{.*}}, %[[SUM]], %dc :
// From the inputs and the state before a step to the state after it; cotangents are not read.
// CHECK-NEXT: } recompute {
// CHECK-NEXT: ^bb0(%k: tensor<16xf32>, %unused: tensor<f32>, %w: tensor<32xf32>, %c: tensor<f32>, %saved_state: tensor<16x32xf32>, %do: tensor<32xf32>):
// CHECK: %[[NEXT:.*]] = recur.add %saved_state, %{{.*}} : tensor<16x32xf32>
// CHECK-NEXT: recur.scan_yield outputs() carried(%[[NEXT]] : tensor<16x32xf32>)
recur.recurrence @constants(%k: !recur.key, %unused: f32, %w: !recur.value {recur.per_head},
    %c: f32 {recur.per_head}) state(%s: !recur.state) -> !recur.value {
  %n = recur.write %w at %k into %s
  %o = recur.read %n at %k
  recur.yield %o, %n : !recur.value
}
