// A product that is only added to something needed as a whole is added in place.
// RUN: sluice-opt --cpu-scan-to-linalg %s | FileCheck %s

// CHECK-LABEL: recur.scan @state_update
// CHECK: ^bb0(%{{.*}}: tensor<16x16xf32>, %{{.*}}: tensor<16x16xf32>, %[[S:.*]]: tensor<16x16xf32>):
// What reads the state stands before what updates it.
// CHECK: recur.product %{{.*}}, %[[S]] :
// CHECK: %[[P:.*]] = recur.product {{.*}} transpose_lhs
// CHECK: recur.add %[[S]], %[[P]] {sluice.accumulate}
recur.scan @state_update step 16 key 16 value 16
  inputs [#recur.port<"k" : argument key per_token>, #recur.port<"v" : argument value per_token>]
  outputs [#recur.port<"o" : result value per_token>]
  carried [#recur.port<"state" : state state per_step>] {
^bb0(%k: tensor<16x16xf32>, %v: tensor<16x16xf32>, %s: tensor<16x16xf32>):
  %u = recur.product %k, %v transpose_lhs : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  %next = recur.add %u, %s : tensor<16x16xf32>
  %o = recur.product %k, %s : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  recur.scan_yield outputs(%o : tensor<16x16xf32>) carried(%next : tensor<16x16xf32>)
}

// A product with a second user is not.
// CHECK-LABEL: recur.scan @used_twice
// CHECK-NOT: sluice.accumulate
// CHECK: recur.scan_yield
recur.scan @used_twice step 16 key 16 value 16
  inputs [#recur.port<"k" : argument key per_token>, #recur.port<"v" : argument value per_token>]
  outputs [#recur.port<"o" : result value per_token>, #recur.port<"p" : result value per_token>] carried [] {
^bb0(%k: tensor<16x16xf32>, %v: tensor<16x16xf32>):
  %p = recur.product %k, %v : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  %o = recur.add %v, %p : tensor<16x16xf32>
  recur.scan_yield outputs(%o, %p : tensor<16x16xf32>, tensor<16x16xf32>) carried()
}
