// Ops on the state: kinds of their operands.
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// CONSTRAINT: recur.decay C1
func.func @test(%a0: !recur.state, %a1: !recur.value) {
  // expected-error@+1 {{operand #1 must be 32-bit float or a float32 vector over the K key channels of a head}}
  %0 = "recur.decay"(%a0, %a1) : (!recur.state, !recur.value) -> !recur.state
  return
}

// -----

// CONSTRAINT: recur.decay_values C1
func.func @test(%a0: !recur.state, %a1: !recur.key) {
  // expected-error@+1 {{operand #1 must be a float32 vector over the V value channels}}
  %0 = "recur.decay_values"(%a0, %a1) : (!recur.state, !recur.key) -> !recur.state
  return
}

// -----

// CONSTRAINT: recur.decay_entries C1
func.func @test(%a0: !recur.state, %a1: !recur.key) {
  // expected-error@+1 {{operand #1 must be a float32 K x V matrix}}
  %0 = "recur.decay_entries"(%a0, %a1) : (!recur.state, !recur.key) -> !recur.state
  return
}

// -----

// CONSTRAINT: recur.read C1
func.func @test(%a0: !recur.state, %a1: !recur.value) {
  // expected-error@+1 {{operand #1 must be a float32 vector over the K key channels}}
  %0 = "recur.read"(%a0, %a1) : (!recur.state, !recur.value) -> !recur.value
  return
}

// -----

// CONSTRAINT: recur.write C1
func.func @test(%a0: !recur.key, %a1: !recur.key, %a2: !recur.state) {
  // expected-error@+1 {{operand #0 must be a float32 vector over the V value channels}}
  %0 = "recur.write"(%a0, %a1, %a2) : (!recur.key, !recur.key, !recur.state) -> !recur.state
  return
}

// -----

// CONSTRAINT: recur.write C2
func.func @test(%a0: !recur.value, %a1: !recur.value, %a2: !recur.state) {
  // expected-error@+1 {{operand #1 must be a float32 vector over the K key channels}}
  %0 = "recur.write"(%a0, %a1, %a2) : (!recur.value, !recur.value, !recur.state) -> !recur.state
  return
}
