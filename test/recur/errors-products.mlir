// Products and triangular inverses.
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// CONSTRAINT: recur.product C1
func.func @test(%a0: tensor<4x8xf32>, %a1: tensor<4x8xf32>) {
  // expected-error@+1 {{expected inner dimensions to agree, got 8 of x and 4 of y}}
  %0 = "recur.product"(%a0, %a1) : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

// CONSTRAINT: recur.product C1
func.func @test(%a0: tensor<4x8xf32>, %a1: tensor<8x5xf32>) {
  // expected-error@+1 {{expected z of type tensor<4x5xf32>, got 'tensor<4x4xf32>'}}
  %0 = "recur.product"(%a0, %a1) : (tensor<4x8xf32>, tensor<8x5xf32>) -> tensor<4x4xf32>
  return
}

// -----

// CONSTRAINT: recur.product C1
func.func @test(%a0: tensor<4x8xf32>, %a1: tensor<8xf32>) {
  // expected-error@+1 {{expected y of rank 2, got rank 1}}
  %0 = "recur.product"(%a0, %a1) : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4xf32>
  return
}

// -----

// CONSTRAINT: recur.product C2
func.func @test(%a0: tensor<8x8xf32>, %a1: tensor<8x8xf32>) {
  // expected-error@+1 {{expected x untransposed and y transposed for a lower result, got x untransposed and y untransposed}}
  %0 = "recur.product"(%a0, %a1) <{triangle = 3 : i32}> : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

// CONSTRAINT: recur.product C2
func.func @test(%a0: tensor<4x8xf32>, %a1: tensor<5x8xf32>) {
  // expected-error@+1 {{expected z to be square, got 'tensor<4x5xf32>'}}
  %0 = "recur.product"(%a0, %a1) <{transpose_rhs, triangle = 4 : i32}> : (tensor<4x8xf32>, tensor<5x8xf32>) -> tensor<4x5xf32>
  return
}

// -----

// CONSTRAINT: recur.product C3
func.func @test(%a0: tensor<4x8xf32>, %a1: tensor<8x4xf32>) {
  // expected-error@+1 {{expected x to be square, got 'tensor<4x8xf32>'}}
  %0 = "recur.product"(%a0, %a1) <{triangle = 1 : i32}> : (tensor<4x8xf32>, tensor<8x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

// CONSTRAINT: recur.unit_lower_inverse C1
func.func @test(%a0: tensor<4x8xf32>) {
  // expected-error@+1 {{expected a to be square, got 'tensor<4x8xf32>'}}
  %0 = "recur.unit_lower_inverse"(%a0) : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

// CONSTRAINT: recur.apply_inverse C1
func.func @test(%a0: tensor<4x8xf32>, %a1: tensor<4x2xf32>, %a2: tensor<4x8xf32>) {
  // expected-error@+1 {{expected a to be square, got 'tensor<4x8xf32>'}}
  %0 = "recur.apply_inverse"(%a0, %a1, %a2) : (tensor<4x8xf32>, tensor<4x2xf32>, tensor<4x8xf32>) -> tensor<4x2xf32>
  return
}

// -----

// CONSTRAINT: recur.apply_inverse C1
func.func @test(%a0: tensor<4x4xf32>, %a1: tensor<4x2xf32>, %a2: tensor<8x8xf32>) {
  // expected-error@+1 {{failed to verify that all of {t, a} have same type}}
  %0 = "recur.apply_inverse"(%a0, %a1, %a2) : (tensor<4x4xf32>, tensor<4x2xf32>, tensor<8x8xf32>) -> tensor<4x2xf32>
  return
}

// -----

// CONSTRAINT: recur.apply_inverse C2
func.func @test(%a0: tensor<4x4xf32>, %a1: tensor<5x2xf32>, %a2: tensor<4x4xf32>) {
  // expected-error@+1 {{expected b of type tensor<4x2xf32>, got 'tensor<5x2xf32>'}}
  %0 = "recur.apply_inverse"(%a0, %a1, %a2) : (tensor<4x4xf32>, tensor<5x2xf32>, tensor<4x4xf32>) -> tensor<5x2xf32>
  return
}
