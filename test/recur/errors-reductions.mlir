// Arithmetic that sums over channels: what it takes and gives.
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// CONSTRAINT: recur.dot C1
func.func @test(%a0: !recur.matrix, %a1: !recur.matrix) {
  // expected-error@+1 {{operand #0 must be a key or a value}}
  %0 = "recur.dot"(%a0, %a1) : (!recur.matrix, !recur.matrix) -> f32
  return
}

// -----

// CONSTRAINT: recur.dot C2
func.func @test(%a0: !recur.key, %a1: !recur.value) {
  // expected-error@+1 {{failed to verify that all of {x, y} have same type}}
  %0 = "recur.dot"(%a0, %a1) : (!recur.key, !recur.value) -> f32
  return
}

// -----

// CONSTRAINT: recur.sum C1
func.func @test(%a0: !recur.matrix) {
  // expected-error@+1 {{operand #0 must be a key or a value}}
  %0 = "recur.sum"(%a0) : (!recur.matrix) -> f32
  return
}

// -----

// CONSTRAINT: recur.normalize C1
func.func @test(%a0: f32) {
  // expected-error@+1 {{operand #0 must be a key or a value}}
  %0 = "recur.normalize"(%a0) : (f32) -> f32
  return
}

// -----

// CONSTRAINT: recur.normalize C2
func.func @test(%a0: !recur.key) {
  // expected-error@+1 {{failed to verify that all of {x, y} have same type}}
  %0 = "recur.normalize"(%a0) : (!recur.key) -> !recur.value
  return
}

// -----

// CONSTRAINT: recur.normalize C3
func.func @test(%a0: !recur.key) {
  // expected-error@+1 {{expected epsilon of at least 0, got -1.000000e+00 : f32}}
  %0 = "recur.normalize"(%a0) {epsilon = -1.0 : f32} : (!recur.key) -> !recur.key
  return
}
