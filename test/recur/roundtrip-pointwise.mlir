// Every pointwise op, on each type.
// RUN: sluice-opt %s | sluice-opt | FileCheck %s

// CHECK-LABEL: @pointwise
func.func @pointwise(%x0: f32, %x1: !recur.key, %x2: !recur.value, %x3: !recur.matrix, %x4: tensor<16x8xf32>, %x5: tensor<f32>) {
  // CHECK: recur.neg %{{.*}} : f32
  %0 = recur.neg %x0 : f32
  // CHECK: recur.abs %{{.*}} : !recur.key
  %1 = recur.abs %x1 : !recur.key
  // CHECK: recur.exp %{{.*}} : !recur.value
  %2 = recur.exp %x2 : !recur.value
  // CHECK: recur.expm1 %{{.*}} : !recur.matrix
  %3 = recur.expm1 %x3 : !recur.matrix
  // CHECK: recur.log %{{.*}} : tensor<16x8xf32>
  %4 = recur.log %x4 : tensor<16x8xf32>
  // CHECK: recur.log1p %{{.*}} : tensor<f32>
  %5 = recur.log1p %x5 : tensor<f32>
  // CHECK: recur.sqrt %{{.*}} : f32
  %6 = recur.sqrt %x0 : f32
  // CHECK: recur.rsqrt %{{.*}} : !recur.key
  %7 = recur.rsqrt %x1 : !recur.key
  // CHECK: recur.tanh %{{.*}} : !recur.value
  %8 = recur.tanh %x2 : !recur.value
  // CHECK: recur.sigmoid %{{.*}} : !recur.matrix
  %9 = recur.sigmoid %x3 : !recur.matrix
  // CHECK: recur.log_sigmoid %{{.*}} : tensor<16x8xf32>
  %10 = recur.log_sigmoid %x4 : tensor<16x8xf32>
  // CHECK: recur.softplus %{{.*}} : tensor<f32>
  %11 = recur.softplus %x5 : tensor<f32>
  // CHECK: recur.silu %{{.*}} : f32
  %12 = recur.silu %x0 : f32
  // CHECK: recur.clamp_gate %{{.*}} : !recur.key
  %13 = recur.clamp_gate %x1 : !recur.key
  // CHECK: recur.add %{{.*}}, %{{.*}} : f32
  %14 = recur.add %x0, %x0 : f32
  // CHECK: recur.sub %{{.*}}, %{{.*}} : !recur.key
  %15 = recur.sub %x1, %x1 : !recur.key
  // CHECK: recur.mul %{{.*}}, %{{.*}} : !recur.value
  %16 = recur.mul %x2, %x2 : !recur.value
  // CHECK: recur.div %{{.*}}, %{{.*}} : !recur.matrix
  %17 = recur.div %x3, %x3 : !recur.matrix
  // CHECK: recur.max %{{.*}}, %{{.*}} : tensor<16x8xf32>
  %18 = recur.max %x4, %x4 : tensor<16x8xf32>
  // CHECK: recur.min %{{.*}}, %{{.*}} : tensor<f32>
  %19 = recur.min %x5, %x5 : tensor<f32>
  // CHECK: recur.step %{{.*}}, %{{.*}} : f32
  %20 = recur.step %x0, %x0 : f32
  // CHECK: recur.clamp_gate_adjoint %{{.*}}, %{{.*}} : !recur.key
  %21 = recur.clamp_gate_adjoint %x1, %x1 : !recur.key
  // CHECK: recur.constant 2.000000e+00 : f32
  %22 = recur.constant 2.0 : f32
  // CHECK: recur.constant 2.000000e+00 : !recur.key
  %23 = recur.constant 2.0 : !recur.key
  // CHECK: recur.constant 2.000000e+00 : !recur.value
  %24 = recur.constant 2.0 : !recur.value
  // CHECK: recur.constant 2.000000e+00 : !recur.matrix
  %25 = recur.constant 2.0 : !recur.matrix
  // CHECK: recur.constant 2.000000e+00 : tensor<16x8xf32>
  %26 = recur.constant 2.0 : tensor<16x8xf32>
  // CHECK: recur.constant 2.000000e+00 : tensor<f32>
  %27 = recur.constant 2.0 : tensor<f32>
  return
}
