// A scan becomes a function that takes a task; an update of the state happens in the state's own place.
// RUN: sluice-opt --cpu-scan-to-linalg --cpu-lower-scan %s | FileCheck %s

// CHECK-LABEL: func.func @decay
// CHECK-SAME: (%[[TASK:.*]]: !llvm.ptr)
// CHECK-SAME: sluice.scratch_bytes = {{[0-9]+}} : i64
// CHECK: %[[S:.*]] = memref.view {{.*}} to memref<16x32xf32>
// The initial state, or zero.
// CHECK: llvm.icmp "eq"
// CHECK: scf.for
// Steps.
// CHECK: vector.load %[[S]]
// CHECK: math.exp
// CHECK: vector.store {{.*}}, %[[S]]
// CHECK: return
// CHECK-NOT: recur.scan
recur.scan @decay step 1 key 16 value 32 inputs [#recur.port<"g" : argument value per_token>]
  outputs [] carried [#recur.port<"state" : state state per_step>] {
^bb0(%g: tensor<32xf32>, %s: tensor<16x32xf32>):
  %wide = recur.expand %g along [0] : tensor<32xf32> to tensor<16x32xf32>
  %e = recur.exp %s : tensor<16x32xf32>
  %next = recur.mul %e, %wide : tensor<16x32xf32>
  recur.scan_yield outputs() carried(%next : tensor<16x32xf32>)
}
