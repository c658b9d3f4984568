// A reverse scan with checkpoints computes the states of a segment first, then walks it backwards.
// RUN: sluice-opt --cpu-scan-to-linalg --cpu-lower-scan %s | FileCheck %s

// CHECK-LABEL: func.func @reverse
// Segments, last to first.
// CHECK: scf.for %[[SEGMENT:.*]] =
// CHECK: arith.minsi
// The recomputation writes the next slot.
// CHECK: scf.for
// CHECK: %[[BEFORE:.*]] = memref.view {{.*}} : memref<?xi8> to memref<16x16xf32>
// CHECK: %[[AFTER:.*]] = memref.view {{.*}} : memref<?xi8> to memref<16x16xf32>
// CHECK: vector.load %[[BEFORE]]
// CHECK: vector.store {{.*}}, %[[AFTER]]
// Then the steps.
// CHECK: scf.for
// CHECK: arith.mulf
// CHECK: return
recur.scan @reverse step 1 key 16 value 16 reverse checkpoint 8
  inputs [#recur.port<"g" : argument scalar per_token>, #recur.port<"state" : saved state per_step>]
  outputs [#recur.port<"g" : gradient scalar per_token>]
  carried [#recur.port<"state" : state_cotangent state per_step>] {
^bb0(%g: tensor<f32>, %s: tensor<16x16xf32>, %ds: tensor<16x16xf32>):
  %product = recur.mul %s, %ds : tensor<16x16xf32>
  %dg = recur.reduce %product along [0, 1] : tensor<16x16xf32> to tensor<f32>
  recur.scan_yield outputs(%dg : tensor<f32>) carried(%ds : tensor<16x16xf32>)
} recompute {
^bb0(%g: tensor<f32>, %s: tensor<16x16xf32>):
  %wide = recur.expand %g along [0, 1] : tensor<f32> to tensor<16x16xf32>
  %next = recur.mul %s, %wide : tensor<16x16xf32>
  recur.scan_yield outputs() carried(%next : tensor<16x16xf32>)
}
