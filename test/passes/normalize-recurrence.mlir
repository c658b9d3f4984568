// Upstream arithmetic becomes recur ops, and arithmetic is lifted out of broadcasts.
// RUN: sluice-opt --recur-normalize %s | FileCheck %s

// CHECK-LABEL: @upstream
recur.recurrence @upstream(%x: f32, %y: f32, %k: !recur.key) state(%s: !recur.state) -> f32 {
  // CHECK-DAG: %[[LN2:.*]] = recur.constant 0.693147182
  // CHECK-DAG: %[[LOG2E:.*]] = recur.constant 1.44269502
  // CHECK: recur.add %x, %y : f32
  %0 = arith.addf %x, %y : f32
  // CHECK-NEXT: recur.sub
  %1 = arith.subf %0, %y : f32
  // CHECK-NEXT: recur.div
  %2 = arith.divf %1, %y : f32
  // CHECK-NEXT: recur.max
  %3 = arith.maximumf %2, %y : f32
  // CHECK-NEXT: recur.min
  %4 = arith.minimumf %3, %y : f32
  // CHECK-NEXT: recur.exp
  %5 = math.exp %4 : f32
  // CHECK-NEXT: recur.expm1
  %6 = math.expm1 %5 : f32
  // CHECK-NEXT: recur.log1p
  %7 = math.log1p %6 : f32
  // CHECK-NEXT: recur.sqrt
  %8 = math.sqrt %7 : f32
  // CHECK-NEXT: recur.rsqrt
  %9 = math.rsqrt %8 : f32
  // CHECK-NEXT: recur.tanh
  %10 = math.tanh %9 : f32
  // CHECK-NEXT: recur.abs
  %11 = math.absf %10 : f32
  // CHECK-NEXT: %[[SCALED:.*]] = recur.mul %{{.*}}, %[[LN2]]
  // CHECK-NEXT: recur.exp %[[SCALED]]
  %12 = math.exp2 %11 : f32
  // CHECK-NEXT: %[[LOG:.*]] = recur.log
  // CHECK-NEXT: recur.mul %[[LOG]], %[[LOG2E]]
  %13 = math.log2 %12 : f32
  // CHECK-NEXT: %[[PRODUCT:.*]] = recur.mul %{{.*}}, %x
  // CHECK-NEXT: recur.add %[[PRODUCT]], %y
  %14 = math.fma %13, %x, %y : f32
  // CHECK-NEXT: recur.yield
  recur.yield %14, %s as ["o"] : f32
}

// CHECK-LABEL: @broadcasts
recur.recurrence @broadcasts(%x: f32, %v: !recur.value) state(%s: !recur.state) -> !recur.value {
  %half = recur.constant 0.5 : !recur.value
  %xs = recur.broadcast %x : f32 to !recur.value
  // CHECK: %[[SIGMOID:.*]] = recur.sigmoid %x : f32
  %sigmoid = recur.sigmoid %xs : !recur.value
  // CHECK: %[[HALF:.*]] = recur.mul %[[SIGMOID]], %{{.*}} : f32
  %scaled = recur.mul %sigmoid, %half : !recur.value
  // CHECK: %[[AGAIN:.*]] = recur.mul %[[HALF]], %x : f32
  %again = recur.scale %scaled by %x : !recur.value
  // CHECK: %[[WIDE:.*]] = recur.broadcast %[[AGAIN]] : f32 to !recur.value
  // CHECK-NEXT: recur.mul %[[WIDE]], %v : !recur.value
  %o = recur.mul %again, %v : !recur.value
  recur.yield %o, %s : !recur.value
}

// What is in this form stays as it is.
// CHECK-LABEL: @untouched
recur.recurrence @untouched(%k: !recur.key, %v: !recur.value)
    state(%s: !recur.state) -> !recur.value {
  // CHECK: %[[R:.*]] = recur.read %state at %k
  // CHECK-NEXT: %[[N:.*]] = recur.write %v at %k into %state
  // CHECK-NEXT: recur.yield %[[R]], %[[N]]
  %o = recur.read %s at %k
  %n = recur.write %v at %k into %s
  recur.yield %o, %n : !recur.value
}
