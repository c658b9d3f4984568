// Every op of scans' bodies, printed and parsed again.
// RUN: sluice-opt %s | sluice-opt | FileCheck %s

// CHECK-LABEL: @shapes
func.func @shapes(%g: tensor<16xf32>, %k: tensor<16x32xf32>, %l: tensor<16x16xf32>) {
  // CHECK: recur.expand %{{.*}} along [1] : tensor<16xf32> to tensor<16x32xf32>
  %0 = recur.expand %g along [1] : tensor<16xf32> to tensor<16x32xf32>
  // CHECK: recur.reduce %{{.*}} along [0, 1] : tensor<16x32xf32> to tensor<f32>
  %1 = recur.reduce %k along [0, 1] : tensor<16x32xf32> to tensor<f32>
  // CHECK: recur.interleave %{{.*}}, %{{.*}} dimension 0 : (tensor<16xf32>, tensor<16xf32>) -> tensor<32xf32>
  %2 = recur.interleave %g, %g dimension 0 : (tensor<16xf32>, tensor<16xf32>) -> tensor<32xf32>
  // CHECK: recur.deinterleave %{{.*}} dimension 1 : (tensor<16x32xf32>) -> (tensor<16x16xf32>, tensor<16x16xf32>)
  %3:2 = recur.deinterleave %k dimension 1 : (tensor<16x32xf32>) -> (tensor<16x16xf32>, tensor<16x16xf32>)
  // CHECK: recur.diagonal %{{.*}} : tensor<16xf32> to tensor<16x16xf32>
  %4 = recur.diagonal %g : tensor<16xf32> to tensor<16x16xf32>
  // CHECK: recur.mask %{{.*}} by %{{.*}} else 0.000000e+00 : tensor<16xf32>
  %6 = recur.mask %g by %g else 0.0 : tensor<16xf32>
  // CHECK: recur.diagonal_part %{{.*}} : tensor<16x16xf32> to tensor<16xf32>
  %5 = recur.diagonal_part %l : tensor<16x16xf32> to tensor<16xf32>
  return
}

// CHECK-LABEL: @products
func.func @products(%k: tensor<16x32xf32>, %l: tensor<16x16xf32>) {
  // CHECK: recur.product %{{.*}}, %{{.*}} : (tensor<16x16xf32>, tensor<16x32xf32>) -> tensor<16x32xf32>
  %0 = recur.product %l, %k : (tensor<16x16xf32>, tensor<16x32xf32>) -> tensor<16x32xf32>
  // CHECK: recur.product %{{.*}}, %{{.*}} transpose_lhs lower_lhs :
  %1 = recur.product %l, %k transpose_lhs lower_lhs : (tensor<16x16xf32>, tensor<16x32xf32>) -> tensor<16x32xf32>
  // CHECK: recur.product %{{.*}}, %{{.*}} strictly_lower_lhs :
  %2 = recur.product %l, %k strictly_lower_lhs : (tensor<16x16xf32>, tensor<16x32xf32>) -> tensor<16x32xf32>
  // CHECK: recur.product %{{.*}}, %{{.*}} transpose_rhs lower_result :
  %3 = recur.product %k, %k transpose_rhs lower_result : (tensor<16x32xf32>, tensor<16x32xf32>) -> tensor<16x16xf32>
  // CHECK: recur.product %{{.*}}, %{{.*}} transpose_rhs strictly_lower_result :
  %4 = recur.product %k, %k transpose_rhs strictly_lower_result
      : (tensor<16x32xf32>, tensor<16x32xf32>) -> tensor<16x16xf32>
  // CHECK: recur.unit_lower_inverse %{{.*}} : tensor<16x16xf32>
  %5 = recur.unit_lower_inverse %l : tensor<16x16xf32>
  // CHECK: recur.apply_inverse %{{.*}} to %{{.*}} of %{{.*}} : tensor<16x16xf32>, tensor<16x32xf32>
  %6 = recur.apply_inverse %5 to %k of %l : tensor<16x16xf32>, tensor<16x32xf32>
  return
}

// CHECK-LABEL: @gates
func.func @gates(%g: tensor<16xf32>, %h: tensor<16x32xf32>, %k: tensor<16x32xf32>, %l: tensor<16x16xf32>) {
  // CHECK: recur.cumulative_sum %{{.*}} : tensor<16xf32>
  %0 = recur.cumulative_sum %g : tensor<16xf32>
  // CHECK: recur.cumulative_sum %{{.*}} reverse exclusive : tensor<16x32xf32>
  %1 = recur.cumulative_sum %h reverse exclusive : tensor<16x32xf32>
  // CHECK: recur.decay_matrix through %{{.*}} : tensor<16xf32> to tensor<16x16xf32>
  %2 = recur.decay_matrix through %g : tensor<16xf32> to tensor<16x16xf32>
  // CHECK: recur.decay_matrix_adjoint between %{{.*}}, %{{.*}} : tensor<16x16xf32> to tensor<16xf32>
  %3 = recur.decay_matrix_adjoint between %2, %l : tensor<16x16xf32> to tensor<16xf32>
  // CHECK: recur.decayed_scores through diagonal %{{.*}}, %{{.*}}, %{{.*}} : tensor<16x32xf32> to tensor<16x16xf32>
  %4 = recur.decayed_scores through diagonal %k, %k, %h : tensor<16x32xf32> to tensor<16x16xf32>
  // CHECK: recur.decayed_scores_adjoint between %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<16x32xf32>, tensor<16x16xf32>
  %5:3 = recur.decayed_scores_adjoint between %k, %k, %h, %l : tensor<16x32xf32>, tensor<16x16xf32>
  return
}
