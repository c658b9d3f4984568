// Every op of token programs, printed and parsed again.
// RUN: sluice-opt %s | sluice-opt | FileCheck %s
// RUN: sluice-opt %s -mlir-print-op-generic | sluice-opt | FileCheck %s

// CHECK-LABEL: recur.recurrence @states(%q: !recur.key, %v: !recur.value, %g: f32,
// CHECK-SAME: %h: !recur.key {recur.per_head}, %w: !recur.value {recur.draw = "gate"},
// CHECK-SAME: %m: !recur.matrix {recur.draw = "normal", recur.per_head})
// CHECK-SAME: state(%state: !recur.state) -> (!recur.value, f32)
recur.recurrence @states(%q: !recur.key, %v: !recur.value, %g: f32, %h: !recur.key {recur.per_head},
    %w: !recur.value {recur.draw = "gate"}, %m: !recur.matrix {recur.per_head, recur.draw = "normal"})
    state(%state: !recur.state) -> (!recur.value, f32) {
  // CHECK: %[[S1:.*]] = recur.decay %state by %g : f32
  %s1 = recur.decay %state by %g : f32
  // CHECK: %[[S2:.*]] = recur.decay %[[S1]] by %h : !recur.key
  %s2 = recur.decay %s1 by %h : !recur.key
  // CHECK: %[[S3:.*]] = recur.decay_values %[[S2]] by %w
  %s3 = recur.decay_values %s2 by %w
  // CHECK: %[[S4:.*]] = recur.decay_entries %[[S3]] by %m
  %s4 = recur.decay_entries %s3 by %m
  // CHECK: %[[NEXT:.*]] = recur.write %v at %q into %[[S4]]
  %next = recur.write %v at %q into %s4
  // CHECK: %[[O:.*]] = recur.read %[[NEXT]] at %q
  %o = recur.read %next at %q
  // CHECK: recur.yield %[[O]], %g, %[[NEXT]] as ["o", "s"] : !recur.value, f32
  recur.yield %o, %g, %next as ["o", "s"] : !recur.value, f32
}

// CHECK-LABEL: @kinds
recur.recurrence @kinds(%q: !recur.key, %v: !recur.value, %s: f32) state(%state: !recur.state) -> f32 {
  // CHECK: recur.constant 2.500000e-01 : !recur.matrix
  %c = recur.constant 0.25 : !recur.matrix
  // CHECK: recur.scale %q by %s : !recur.key
  %k = recur.scale %q by %s : !recur.key
  // CHECK: recur.broadcast %s : f32 to !recur.value
  %b = recur.broadcast %s : f32 to !recur.value
  // CHECK: recur.broadcast %q : !recur.key to !recur.matrix
  %rows = recur.broadcast %q : !recur.key to !recur.matrix
  // CHECK: recur.dot %q, %{{.*}} : !recur.key
  %d = recur.dot %q, %k : !recur.key
  // CHECK: recur.sum %v : !recur.value
  %t = recur.sum %v : !recur.value
  // CHECK: recur.normalize %q : !recur.key
  %n = recur.normalize %q : !recur.key
  // CHECK: recur.normalize %v {epsilon = 1.000000e-03 : f32} : !recur.value
  %n2 = recur.normalize %v {epsilon = 1.0e-3 : f32} : !recur.value
  // CHECK: recur.outer %q, %v
  %x = recur.outer %q, %v
  // CHECK: recur.yield %{{.*}}, %state as ["o"] : f32
  recur.yield %t, %state as ["o"] : f32
}
