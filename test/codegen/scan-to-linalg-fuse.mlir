// The elementwise part of a scan becomes one linalg.generic where each tensor is walked once.
// RUN: sluice-opt --cpu-scan-to-linalg %s | FileCheck %s

// CHECK-LABEL: recur.scan @fuses
// CHECK: ^bb0(%[[X:.*]]: tensor<16x32xf32>, %[[G:.*]]: tensor<16xf32>):
// CHECK: %[[E:.*]] = linalg.generic
// CHECK-SAME: ins(%[[G]] : tensor<16xf32>)
// CHECK: math.exp
// CHECK: linalg.generic
// CHECK-SAME: ["parallel", "parallel"]
// CHECK-SAME: ins(%[[X]], %[[E]]
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK-NOT: linalg.generic
// CHECK: recur.scan_yield
recur.scan @fuses step 16 key 32 value 32
  inputs [#recur.port<"x" : argument key per_token>, #recur.port<"g" : argument scalar per_token>]
  outputs [#recur.port<"y" : result key per_token>] carried [] {
^bb0(%x: tensor<16x32xf32>, %g: tensor<16xf32>):
  %wide = recur.expand %g along [1] : tensor<16xf32> to tensor<16x32xf32>
  %e = recur.exp %wide : tensor<16x32xf32>
  %scaled = recur.mul %x, %e : tensor<16x32xf32>
  %one = recur.constant 1.0 : tensor<16x32xf32>
  %y = recur.add %scaled, %one : tensor<16x32xf32>
  recur.scan_yield outputs(%y : tensor<16x32xf32>) carried()
}

// A sum takes its producer in, but an exponential is not computed once per user.
// CHECK-LABEL: recur.scan @sums
// CHECK: math.exp
// CHECK: ["parallel", "reduction"]
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK-NOT: math.exp
// CHECK: recur.scan_yield
recur.scan @sums step 16 key 32 value 32
  inputs [#recur.port<"x" : argument key per_token>]
  outputs [#recur.port<"y" : result key per_token>, #recur.port<"s" : result scalar per_token>] carried [] {
^bb0(%x: tensor<16x32xf32>):
  %e = recur.exp %x : tensor<16x32xf32>
  %square = recur.mul %e, %e : tensor<16x32xf32>
  %s = recur.reduce %square along [1] : tensor<16x32xf32> to tensor<16xf32>
  recur.scan_yield outputs(%e, %s : tensor<16x32xf32>, tensor<16xf32>) carried()
}
