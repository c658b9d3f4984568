// Folds: each fires where its identity holds for every number, NaN included, and leaves alone what it does not.
// RUN: sluice-opt %s --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: @identities
func.func @identities(%x: !recur.key) -> (!recur.key, !recur.key, !recur.key, !recur.key, !recur.key) {
  %zero = recur.constant 0.0 : !recur.key
  %one = recur.constant 1.0 : !recur.key
  %0 = recur.add %zero, %x : !recur.key
  %1 = recur.sub %x, %zero : !recur.key
  %2 = recur.mul %one, %x : !recur.key
  %3 = recur.div %x, %one : !recur.key
  %n = recur.neg %x : !recur.key
  %4 = recur.neg %n : !recur.key
  // CHECK-NEXT: return %arg0, %arg0, %arg0, %arg0, %arg0
  return %0, %1, %2, %3, %4 : !recur.key, !recur.key, !recur.key, !recur.key, !recur.key
}

// -----

// 0 * x and 0 / x are NaN for some x, x - x too.
// CHECK-LABEL: @leaves_alone
func.func @leaves_alone(%x: !recur.key) -> (!recur.key, !recur.key, !recur.key) {
  %zero = recur.constant 0.0 : !recur.key
  // CHECK: recur.mul
  %0 = recur.mul %zero, %x : !recur.key
  // CHECK: recur.div
  %1 = recur.div %zero, %x : !recur.key
  // CHECK: recur.sub
  %2 = recur.sub %x, %x : !recur.key
  return %0, %1, %2 : !recur.key, !recur.key, !recur.key
}

// -----

// CHECK-LABEL: @constants
func.func @constants() -> (f32, !recur.key, f32, !recur.value, !recur.matrix, f32) {
  %two = recur.constant 2.0 : f32
  %three = arith.constant 3.0 : f32
  %zero = recur.constant 0.0 : !recur.key
  %vector = recur.constant 4.0 : !recur.value
  // CHECK-DAG: recur.constant 5.000000e+00 : f32
  %0 = recur.add %two, %three : f32
  // CHECK-DAG: recur.constant 1.000000e+00 : !recur.key
  %1 = recur.exp %zero : !recur.key
  // CHECK-DAG: recur.constant -2.000000e+00 : f32
  %2 = recur.neg %two : f32
  // CHECK-DAG: recur.constant 8.000000e+00 : !recur.value
  %3 = recur.scale %vector by %two : !recur.value
  // CHECK-DAG: recur.constant 4.000000e+00 : !recur.matrix
  %4 = recur.broadcast %vector : !recur.value to !recur.matrix
  // CHECK-DAG: recur.constant -1.280000e+02 : f32
  %low = recur.constant -1000.0 : f32
  %5 = recur.clamp_gate %low : f32
  return %0, %1, %2, %3, %4, %5 : f32, !recur.key, f32, !recur.value, !recur.matrix, f32
}

// -----

// CHECK-LABEL: @decays
func.func @decays(%s: !recur.state, %x: !recur.value, %g: f32) -> (!recur.state, !recur.value, f32) {
  %zero = recur.constant 0.0 : f32
  %zeros = recur.constant 0.0 : !recur.value
  %entries = recur.constant 0.0 : !recur.matrix
  %one = recur.constant 1.0 : f32
  %0 = recur.decay %s by %zero : f32
  %1 = recur.decay_values %0 by %zeros
  %2 = recur.decay_entries %1 by %entries
  // CHECK-NEXT: %[[NEXT:.*]] = recur.decay %arg0 by %arg2
  %3 = recur.decay %2 by %g : f32
  %4 = recur.scale %x by %one : !recur.value
  %c = recur.clamp_gate %g : f32
  // CHECK-NEXT: %[[CLAMPED:.*]] = recur.clamp_gate %arg2
  %5 = recur.clamp_gate %c : f32
  // CHECK-NEXT: return %[[NEXT]], %arg1, %[[CLAMPED]]
  return %3, %4, %5 : !recur.state, !recur.value, f32
}
