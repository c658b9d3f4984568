// Arithmetic that changes kinds without sums: what it takes and gives.
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// CONSTRAINT: recur.scale C1
func.func @test(%a0: f32, %a1: f32) {
  // expected-error@+1 {{operand #0 must be}}
  %0 = "recur.scale"(%a0, %a1) : (f32, f32) -> f32
  return
}

// -----

// CONSTRAINT: recur.scale C2
func.func @test(%a0: !recur.key, %a1: !recur.key) {
  // expected-error@+1 {{operand #1 must be 32-bit float}}
  %0 = "recur.scale"(%a0, %a1) : (!recur.key, !recur.key) -> !recur.key
  return
}

// -----

// CONSTRAINT: recur.scale C3
func.func @test(%a0: !recur.key, %a1: f32) {
  // expected-error@+1 {{failed to verify that all of {x, y} have same type}}
  %0 = "recur.scale"(%a0, %a1) : (!recur.key, f32) -> !recur.value
  return
}

// -----

// CONSTRAINT: recur.broadcast C1
func.func @test(%a0: !recur.key) {
  // expected-error@+1 {{expected a result of type !recur.matrix for x of type '!recur.key', got '!recur.value'}}
  %0 = "recur.broadcast"(%a0) : (!recur.key) -> !recur.value
  return
}

// -----

// CONSTRAINT: recur.broadcast C1
func.func @test(%a0: !recur.matrix) {
  // expected-error@+1 {{operand #0 must be}}
  %0 = "recur.broadcast"(%a0) : (!recur.matrix) -> !recur.matrix
  return
}

// -----

// CONSTRAINT: recur.outer C1
func.func @test(%a0: !recur.value, %a1: !recur.value) {
  // expected-error@+1 {{operand #0 must be a float32 vector over the K key channels}}
  %0 = "recur.outer"(%a0, %a1) : (!recur.value, !recur.value) -> !recur.matrix
  return
}

// -----

// CONSTRAINT: recur.outer C2
func.func @test(%a0: !recur.key, %a1: !recur.key) {
  // expected-error@+1 {{operand #1 must be a float32 vector over the V value channels}}
  %0 = "recur.outer"(%a0, %a1) : (!recur.key, !recur.key) -> !recur.matrix
  return
}
