// What a token program may compute with, and its arguments' attributes.
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// CONSTRAINT: recur.recurrence C6
// expected-error@+1 {{expected recur.per_head or recur.draw = "..." on argument 'v', got recur.per_tokn = unit}}
recur.recurrence @program(%q: !recur.key, %v: !recur.value {recur.per_tokn})
    state(%state: !recur.state) -> !recur.value {
  %next = recur.write %v at %q into %state
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}

// -----

// CONSTRAINT: recur.recurrence C6
// expected-error@+1 {{expected recur.per_head or recur.draw = "..." on argument 'q', got recur.draw = 1 : i32}}
recur.recurrence @program(%q: !recur.key {recur.draw = 1 : i32}, %v: !recur.value)
    state(%state: !recur.state) -> !recur.value {
  %next = recur.write %v at %q into %state
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}

// -----

// CONSTRAINT: recur.recurrence C6
// expected-error@+1 {{expected a string in recur.name, got 1}}
recur.recurrence @program(%q: !recur.key {recur.name = 1 : i32}) state(%state: !recur.state) -> !recur.key {
  recur.yield %q, %state as ["o"] : !recur.key
}

// -----

// CONSTRAINT: recur.recurrence C7
recur.recurrence @program(%s: f32) state(%state: !recur.state) -> f32 {
  // expected-error@+1 {{expected a recur op, or an arith or math op that recur.recurrence lists}}
  %o = math.sin %s : f32
  recur.yield %o, %state : f32
}

// -----

// CONSTRAINT: recur.recurrence C7
recur.recurrence @program(%s: f32) state(%state: !recur.state) -> f32 {
  // expected-error@+1 {{expected f32 in a token program, got 'f64'}}
  %x = arith.constant 1.0 : f64
  %o = recur.exp %s : f32
  recur.yield %o, %state : f32
}

// -----

// CONSTRAINT: recur.recurrence C7
recur.recurrence @program(%s: f32) state(%state: !recur.state) -> f32 {
  // expected-error@+1 {{expected f32, keys, values, matrices and states in a token program, got 'tensor<4xf32>'}}
  %x = recur.constant 1.0 : tensor<4xf32>
  %o = recur.exp %s : f32
  recur.yield %o, %state : f32
}
