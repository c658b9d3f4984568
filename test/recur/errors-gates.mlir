// Sums and exponentials of gates.
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// CONSTRAINT: recur.cumulative_sum C1
func.func @test(%a0: tensor<f32>) {
  // expected-error@+1 {{expected x of rank 1 or more, got rank 0}}
  %0 = "recur.cumulative_sum"(%a0) : (tensor<f32>) -> tensor<f32>
  return
}

// -----

// CONSTRAINT: recur.decay_matrix C1
func.func @test(%a0: tensor<4x8xf32>) {
  // expected-error@+1 {{expected g of rank 1, got rank 2}}
  %0 = "recur.decay_matrix"(%a0) <{span = 0 : i32}> : (tensor<4x8xf32>) -> tensor<4x4xf32>
  return
}

// -----

// CONSTRAINT: recur.decay_matrix C2
func.func @test(%a0: tensor<4xf32>) {
  // expected-error@+1 {{expected d of type tensor<4x4xf32>, got 'tensor<4x5xf32>'}}
  %0 = "recur.decay_matrix"(%a0) <{span = 0 : i32}> : (tensor<4xf32>) -> tensor<4x5xf32>
  return
}

// -----

// CONSTRAINT: recur.decay_matrix_adjoint C1
func.func @test(%a0: tensor<4x5xf32>, %a1: tensor<4x5xf32>) {
  // expected-error@+1 {{expected d to be square, got 'tensor<4x5xf32>'}}
  %0 = "recur.decay_matrix_adjoint"(%a0, %a1) <{span = 0 : i32}> : (tensor<4x5xf32>, tensor<4x5xf32>) -> tensor<4xf32>
  return
}

// -----

// CONSTRAINT: recur.decay_matrix_adjoint C1
func.func @test(%a0: tensor<4x4xf32>, %a1: tensor<4x5xf32>) {
  // expected-error@+1 {{failed to verify that all of {d, dd} have same type}}
  %0 = "recur.decay_matrix_adjoint"(%a0, %a1) <{span = 0 : i32}> : (tensor<4x4xf32>, tensor<4x5xf32>) -> tensor<4xf32>
  return
}

// -----

// CONSTRAINT: recur.decay_matrix_adjoint C2
func.func @test(%a0: tensor<4x4xf32>, %a1: tensor<4x4xf32>) {
  // expected-error@+1 {{expected dg of type tensor<4xf32>, got 'tensor<5xf32>'}}
  %0 = "recur.decay_matrix_adjoint"(%a0, %a1) <{span = 0 : i32}> : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<5xf32>
  return
}
