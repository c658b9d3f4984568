// Scans, printed and parsed again: ports, carried values, a recompute region.
// RUN: sluice-opt %s | sluice-opt | FileCheck %s

// CHECK-LABEL: recur.scan @forward step 16 key 32 value 16 checkpoint 4
// CHECK-SAME: inputs [#recur.port<"k" : argument key per_token>, #recur.port<"v" : argument value per_token>, #recur.port<"u" : argument key per_head>]
// CHECK-SAME: outputs [#recur.port<"o" : result value per_token>, #recur.port<"state" : saved state per_step>]
// CHECK-SAME: carried [#recur.port<"state" : state state per_head>]
recur.scan @forward step 16 key 32 value 16 checkpoint 4
    inputs [#recur.port<"k" : argument key per_token>, #recur.port<"v" : argument value per_token>,
            #recur.port<"u" : argument key per_head>]
    outputs [#recur.port<"o" : result value per_token>, #recur.port<"state" : saved state per_step>]
    carried [#recur.port<"state" : state state per_head>] {
// CHECK: ^bb0(%k: tensor<16x32xf32>, %v: tensor<16x16xf32>, %u: tensor<32xf32>, %state: tensor<32x16xf32>):
^bb0(%k: tensor<16x32xf32>, %v: tensor<16x16xf32>, %u: tensor<32xf32>, %state: tensor<32x16xf32>):
  %o = recur.product %k, %state : (tensor<16x32xf32>, tensor<32x16xf32>) -> tensor<16x16xf32>
  %kv = recur.product %k, %v transpose_lhs : (tensor<16x32xf32>, tensor<16x16xf32>) -> tensor<32x16xf32>
  %next = recur.add %state, %kv : tensor<32x16xf32>
  // CHECK: recur.scan_yield outputs(%{{.*}}, %state : tensor<16x16xf32>, tensor<32x16xf32>)
  // CHECK-SAME: carried(%{{.*}} : tensor<32x16xf32>)
  recur.scan_yield outputs(%o, %state : tensor<16x16xf32>, tensor<32x16xf32>) carried(%next : tensor<32x16xf32>)
}

// CHECK-LABEL: recur.scan @backward step 1 key 32 value 16 reverse checkpoint 4
recur.scan @backward step 1 key 32 value 16 reverse checkpoint 4
    inputs [#recur.port<"g" : argument scalar per_token>, #recur.port<"state" : saved state per_step>]
    outputs [#recur.port<"g" : gradient scalar per_token>]
    carried [#recur.port<"state" : state_cotangent state per_head>] {
// CHECK: ^bb0(%g: tensor<f32>, %saved_state: tensor<32x16xf32>, %dstate: tensor<32x16xf32>):
^bb0(%g: tensor<f32>, %state: tensor<32x16xf32>, %dstate: tensor<32x16xf32>):
  // CHECK: recur.scan_yield outputs(%g : tensor<f32>) carried(%dstate : tensor<32x16xf32>)
  recur.scan_yield outputs(%g : tensor<f32>) carried(%dstate : tensor<32x16xf32>)
// CHECK: } recompute {
} recompute {
^bb0(%g: tensor<f32>, %state: tensor<32x16xf32>):
  // CHECK: recur.scan_yield outputs() carried(%{{.*}} : tensor<32x16xf32>)
  recur.scan_yield outputs() carried(%state : tensor<32x16xf32>)
}
