// Ops of a scan's body that only move elements.
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// CONSTRAINT: recur.expand C1
func.func @test(%a0: tensor<4xf32>) {
  // expected-error@+1 {{expected ascending dimensions below 2, got [2]}}
  %0 = "recur.expand"(%a0) <{dimensions = array<i64: 2>}> : (tensor<4xf32>) -> tensor<4x8xf32>
  return
}

// -----

// CONSTRAINT: recur.expand C1
func.func @test(%a0: tensor<4xf32>) {
  // expected-error@+1 {{expected ascending dimensions below 3, got [2, 1]}}
  %0 = "recur.expand"(%a0) <{dimensions = array<i64: 2, 1>}> : (tensor<4xf32>) -> tensor<4x8x2xf32>
  return
}

// -----

// CONSTRAINT: recur.expand C2
func.func @test(%a0: tensor<4xf32>) {
  // expected-error@+1 {{expected x of type tensor<8xf32>, got 'tensor<4xf32>'}}
  %0 = "recur.expand"(%a0) <{dimensions = array<i64: 0>}> : (tensor<4xf32>) -> tensor<4x8xf32>
  return
}

// -----

// CONSTRAINT: recur.reduce C1
func.func @test(%a0: tensor<4x8xf32>) {
  // expected-error@+1 {{expected ascending dimensions below 2, got [-1]}}
  %0 = "recur.reduce"(%a0) <{dimensions = array<i64: -1>}> : (tensor<4x8xf32>) -> tensor<4xf32>
  return
}

// -----

// CONSTRAINT: recur.reduce C2
func.func @test(%a0: tensor<4x8xf32>) {
  // expected-error@+1 {{expected y of type tensor<8xf32>, got 'tensor<4xf32>'}}
  %0 = "recur.reduce"(%a0) <{dimensions = array<i64: 0>}> : (tensor<4x8xf32>) -> tensor<4xf32>
  return
}

// -----

// CONSTRAINT: recur.interleave C1
func.func @test(%a0: tensor<4xf32>, %a1: tensor<8xf32>) {
  // expected-error@+1 {{expected parts of one type, got 'tensor<4xf32>' and 'tensor<8xf32>'}}
  %0 = "recur.interleave"(%a0, %a1) <{dimension = 0 : i64}> : (tensor<4xf32>, tensor<8xf32>) -> tensor<8xf32>
  return
}

// -----

// CONSTRAINT: recur.interleave C1
func.func @test() {
  // expected-error@+1 {{expected at least one part, got none}}
  %0 = "recur.interleave"() <{dimension = 0 : i64}> : () -> tensor<8xf32>
  return
}

// -----

// CONSTRAINT: recur.interleave C2
func.func @test(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  // expected-error@+1 {{expected dimension below 1, got 1}}
  %0 = "recur.interleave"(%a0, %a1) <{dimension = 1 : i64}> : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  return
}

// -----

// CONSTRAINT: recur.interleave C3
func.func @test(%a0: tensor<4xf32>, %a1: tensor<4xf32>) {
  // expected-error@+1 {{expected the whole of type tensor<8xf32>, got 'tensor<4xf32>'}}
  %0 = "recur.interleave"(%a0, %a1) <{dimension = 0 : i64}> : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// CONSTRAINT: recur.deinterleave C1
func.func @test(%x: tensor<8xf32>) {
  // expected-error@+1 {{expected parts of one type}}
  %0:2 = "recur.deinterleave"(%x) <{dimension = 0 : i64}> : (tensor<8xf32>) -> (tensor<4xf32>, tensor<5xf32>)
  return
}

// -----

// CONSTRAINT: recur.deinterleave C2
func.func @test(%a0: tensor<4xf32>) {
  // expected-error@+1 {{expected dimension below 1, got -1}}
  %0 = "recur.deinterleave"(%a0) <{dimension = -1 : i64}> : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// CONSTRAINT: recur.deinterleave C3
func.func @test(%a0: tensor<8xf32>) {
  // expected-error@+1 {{expected the whole of type tensor<4xf32>, got 'tensor<8xf32>'}}
  %0 = "recur.deinterleave"(%a0) <{dimension = 0 : i64}> : (tensor<8xf32>) -> tensor<4xf32>
  return
}
