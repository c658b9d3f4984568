// Diagonals and masks.
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// CONSTRAINT: recur.diagonal C1
func.func @test(%a0: tensor<4xf32>) {
  // expected-error@+1 {{expected y to be square, got 'tensor<4x5xf32>'}}
  %0 = "recur.diagonal"(%a0) : (tensor<4xf32>) -> tensor<4x5xf32>
  return
}

// -----

// CONSTRAINT: recur.diagonal C2
func.func @test(%a0: tensor<5xf32>) {
  // expected-error@+1 {{expected x of type tensor<4xf32>, got 'tensor<5xf32>'}}
  %0 = "recur.diagonal"(%a0) : (tensor<5xf32>) -> tensor<4x4xf32>
  return
}

// -----

// CONSTRAINT: recur.diagonal_part C1
func.func @test(%a0: tensor<4x5xf32>) {
  // expected-error@+1 {{expected x to be square, got 'tensor<4x5xf32>'}}
  %0 = "recur.diagonal_part"(%a0) : (tensor<4x5xf32>) -> tensor<4xf32>
  return
}

// -----

// CONSTRAINT: recur.diagonal_part C2
func.func @test(%a0: tensor<4x4xf32>) {
  // expected-error@+1 {{expected y of type tensor<4xf32>, got 'tensor<5xf32>'}}
  %0 = "recur.diagonal_part"(%a0) : (tensor<4x4xf32>) -> tensor<5xf32>
  return
}

// -----

// CONSTRAINT: recur.mask C1
func.func @test(%x: !recur.key) {
  // expected-error@+1 {{operand #0 must be statically shaped tensor of 32-bit float values}}
  %0 = "recur.mask"(%x, %x) <{fill = 0.0 : f32}> : (!recur.key, !recur.key) -> !recur.key
  return
}

// -----

// CONSTRAINT: recur.mask C2
func.func @test(%x: tensor<4xf32>, %m: tensor<5xf32>) {
  // expected-error@+1 {{requires the same type for all operands and results}}
  %0 = "recur.mask"(%x, %m) <{fill = 0.0 : f32}> : (tensor<4xf32>, tensor<5xf32>) -> tensor<4xf32>
  return
}
