// Canonicalisations: signs move into sums, dead steps go, equal steps merge.
// RUN: sluice-opt %s --canonicalize --cse | FileCheck %s

// CHECK-LABEL: @signs
func.func @signs(%x: f32, %y: f32) -> (f32, f32, f32) {
  %n = recur.neg %y : f32
  // CHECK: %[[A:.*]] = recur.sub %arg0, %arg1
  %0 = recur.add %x, %n : f32
  // CHECK: %[[B:.*]] = recur.add %arg0, %arg1
  %1 = recur.sub %x, %n : f32
  %2 = recur.add %n, %x : f32
  // CHECK: return %[[A]], %[[B]], %[[A]]
  return %0, %1, %2 : f32, f32, f32
}

// CHECK-LABEL: @signs_stay
func.func @signs_stay(%x: f32, %y: f32) -> (f32, f32) {
  // CHECK: %[[N:.*]] = recur.neg %arg0
  %n = recur.neg %x : f32
  // CHECK: recur.sub %[[N]], %arg1
  %0 = recur.sub %n, %y : f32
  // CHECK: recur.mul %[[N]], %arg1
  %1 = recur.mul %n, %y : f32
  return %0, %1 : f32, f32
}

// CHECK-LABEL: recur.recurrence @dead
recur.recurrence @dead(%k: !recur.key, %v: !recur.value) state(%state: !recur.state) -> !recur.value {
  // CHECK-NEXT: %[[NEXT:.*]] = recur.write %v at %k into %state
  %fork = recur.write %v at %k into %state
  %unused = recur.read %state at %k
  %next = recur.write %v at %k into %state
  // CHECK-NEXT: %[[O:.*]] = recur.read %[[NEXT]] at %k
  %o = recur.read %fork at %k
  // CHECK-NEXT: recur.yield %[[O]], %[[NEXT]] as ["o"]
  recur.yield %o, %next : !recur.value
}
