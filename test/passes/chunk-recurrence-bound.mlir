// Several writes per token: bound ones interleave in the solve, free ones stay out of it.
// RUN: sluice-opt --recur-chunk="chunk=16 key-dim=32 value-dim=32" %s | FileCheck %s

// CHECK-LABEL: recur.scan @two_bound_chunk_forward
// The block of the second write against the first holds the diagonal: both stand in one token.
// CHECK-DAG: %[[K1K1:.*]] = recur.product %k1, %k1 transpose_rhs strictly_lower_result
// CHECK-DAG: %[[K1K2:.*]] = recur.product %k1, %k2 transpose_rhs strictly_lower_result
// CHECK-DAG: %[[K2K1:.*]] = recur.product %k2, %k1 transpose_rhs lower_result
// CHECK-DAG: %[[K2K2:.*]] = recur.product %k2, %k2 transpose_rhs strictly_lower_result
// CHECK-DAG: %[[A11:.*]] = recur.neg %[[K1K1]]
// CHECK-DAG: %[[A12:.*]] = recur.neg %[[K1K2]]
// CHECK-DAG: %[[A21:.*]] = recur.neg %[[K2K1]]
// CHECK-DAG: %[[A22:.*]] = recur.neg %[[K2K2]]
// CHECK-DAG: %[[A1:.*]] = recur.interleave %[[A11]], %[[A12]] dimension 1
// CHECK-DAG: %[[A2:.*]] = recur.interleave %[[A21]], %[[A22]] dimension 1
// CHECK-DAG: %[[A:.*]] = recur.interleave %[[A1]], %[[A2]] dimension 0 : {{.*}} -> tensor<32x32xf32>
// CHECK-DAG: %[[S1:.*]] = recur.product %k1, %state
// CHECK-DAG: %[[B1:.*]] = recur.sub %v1, %[[S1]]
// CHECK-DAG: %[[B:.*]] = recur.interleave %[[B1]], %{{.*}} dimension 0
// CHECK-DAG: %[[K:.*]] = recur.interleave %k1, %k2 dimension 0
// CHECK: %[[T:.*]] = recur.unit_lower_inverse %[[A]]
// CHECK: %[[U:.*]] = recur.apply_inverse %[[T]] to %[[B]] of %[[A]]
// What reads and the state sum over is in time order too.
// CHECK: recur.product %[[K]], %[[U]] transpose_lhs
// CHECK: %[[L:.*]] = recur.interleave %{{.*}}, %{{.*}} dimension 1 : {{.*}} -> tensor<16x32xf32>
// CHECK: recur.product %[[L]], %[[U]] :
recur.recurrence @two_bound(%q: !recur.key, %k1: !recur.key, %k2: !recur.key, %v1: !recur.value,
    %v2: !recur.value) state(%s: !recur.state) -> !recur.value {
  %r1 = recur.read %s at %k1
  %u1 = recur.sub %v1, %r1 : !recur.value
  %s1 = recur.write %u1 at %k1 into %s
  %r2 = recur.read %s1 at %k2
  %u2 = recur.sub %v2, %r2 : !recur.value
  %s2 = recur.write %u2 at %k2 into %s1
  %o = recur.read %s2 at %q
  recur.yield %o, %s2 : !recur.value
}

// RWKV-7: one bound write, one free. What the free one adds to the read stands on the right-hand side.
// CHECK-LABEL: recur.scan @rwkv7_chunk_forward
// CHECK-DAG: %[[AB:.*]] = recur.product %a, %{{.*}} transpose_rhs strictly_lower_result
// CHECK-DAG: %[[AK:.*]] = recur.product %a, %k transpose_rhs strictly_lower_result
// CHECK-DAG: %[[AS:.*]] = recur.product %{{.*}}, %state
// CHECK-DAG: %[[AKV:.*]] = recur.product %{{.*}}, %v strictly_lower_lhs
// CHECK-DAG: %[[B:.*]] = recur.add %[[AS]], %[[AKV]]
// CHECK-DAG: recur.apply_inverse %{{.*}} to %[[B]] of %{{.*}} : tensor<16x16xf32>, tensor<16x32xf32>
// CHECK-NOT: recur.interleave
recur.recurrence @rwkv7(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32, %a: !recur.key,
    %b: !recur.key) state(%s: !recur.state) -> !recur.value {
  %r = recur.read %s at %a
  %d = recur.decay %s by %g : f32
  %s1 = recur.write %r at %b into %d
  %n = recur.write %v at %k into %s1
  %o = recur.read %n at %q
  recur.yield %o, %n : !recur.value
}
