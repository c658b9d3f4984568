// The chunk program of free writes, and of one bound write: the solve.
// RUN: sluice-opt --recur-chunk="chunk=16 key-dim=20 value-dim=40" %s | FileCheck %s

// No write depends on a read: no solve. No decay: no gates. Dimensions are padded to 16.
// CHECK-LABEL: recur.scan @linear_attention_chunk_forward step 16 key 32 value 48
// CHECK-SAME: inputs [#recur.port<"q" : argument key per_token>, #recur.port<"k" : argument key per_token>, #recur.port<"v" : argument value per_token>]
// CHECK-SAME: outputs [#recur.port<"o" : result value per_token>]
// CHECK-SAME: carried [#recur.port<"state" : state state per_step>]
// CHECK-NEXT: ^bb0(%q: tensor<16x32xf32>, %k: tensor<16x32xf32>, %v: tensor<16x48xf32>, %state: tensor<32x48xf32>):
// CHECK-NEXT: %[[KV:.*]] = recur.product %k, %v transpose_lhs
// CHECK-NEXT: %[[NEXT:.*]] = recur.add %state, %[[KV]]
// CHECK-NEXT: %[[OLD:.*]] = recur.product %q, %state
// CHECK-NEXT: %[[L:.*]] = recur.product %q, %k transpose_rhs lower_result
// CHECK-NEXT: %[[NEW:.*]] = recur.product %[[L]], %v lower_lhs
// CHECK-NEXT: %[[O:.*]] = recur.add %[[OLD]], %[[NEW]]
// CHECK-NEXT: recur.scan_yield outputs(%[[O]] : tensor<16x48xf32>) carried(%[[NEXT]] : tensor<32x48xf32>)
recur.recurrence @linear_attention(%q: !recur.key, %k: !recur.key, %v: !recur.value)
    state(%s: !recur.state) -> !recur.value {
  %n = recur.write %v at %k into %s
  %o = recur.read %n at %q
  recur.yield %o, %n : !recur.value
}

// (I - A) U = B with A = -beta K K^T below the diagonal and B = beta V - beta K S.
// CHECK-LABEL: recur.scan @delta_rule_chunk_forward
// CHECK-DAG: %[[BV:.*]] = recur.mul %v, %{{.*}} : tensor<16x48xf32>
// CHECK-DAG: %[[KK:.*]] = recur.product %k, %k transpose_rhs strictly_lower_result
// CHECK-DAG: %[[A:.*]] = recur.mul %[[KK]], %{{.*}} : tensor<16x16xf32>
// CHECK-DAG: %[[KS:.*]] = recur.product %k, %state
// CHECK-DAG: %[[CKS:.*]] = recur.mul %[[KS]], %{{.*}}
// CHECK: %[[B:.*]] = recur.add %[[BV]], %[[CKS]]
// CHECK: %[[T:.*]] = recur.unit_lower_inverse %[[A]]
// CHECK: %[[U:.*]] = recur.apply_inverse %[[T]] to %[[B]] of %[[A]]
// CHECK: recur.product %k, %[[U]] transpose_lhs
// CHECK: recur.product %{{.*}}, %[[U]] lower_lhs
// CHECK-NOT: recur.mask
recur.recurrence @delta_rule(%q: !recur.key, %k: !recur.key, %v: !recur.value, %beta: f32)
    state(%s: !recur.state) -> !recur.value {
  %r = recur.read %s at %k
  %e = recur.sub %v, %r : !recur.value
  %u = recur.scale %e by %beta : !recur.value
  %n = recur.write %u at %k into %s
  %o = recur.read %n at %q
  recur.yield %o, %n : !recur.value
}
