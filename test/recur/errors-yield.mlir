// What a token program must yield.
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// CONSTRAINT: recur.recurrence C5
// expected-note@+1 {{declared here}}
recur.recurrence @program(%q: !recur.key) state(%state: !recur.state) -> !recur.value {
  // expected-error@+1 {{expected results of types ('!recur.value'), got ('!recur.key')}}
  recur.yield %q, %state as ["o"] : !recur.key
}

// -----

// CONSTRAINT: recur.recurrence C5
recur.recurrence @program(%q: !recur.key) state(%state: !recur.state) -> !recur.key {
  %other = builtin.unrealized_conversion_cast %q : !recur.key to !recur.state
  // expected-error@+1 {{expected a state that descends from the state argument, got another}}
  recur.yield %q, %other as ["o"] : !recur.key
}

// -----

// CONSTRAINT: recur.recurrence C5
recur.recurrence @program(%q: !recur.key) state(%state: !recur.state) -> !recur.key {
  // expected-error@+1 {{block with no terminator}}
  %o = recur.exp %q : !recur.key
}

// -----

// CONSTRAINT: recur.recurrence C5
recur.recurrence @program(%g: f32) state(%state: !recur.state) -> f32 {
  %a = recur.decay %b by %g : f32
  %b = recur.decay %a by %g : f32
  // expected-error@+1 {{expected a state that descends from the state argument, got another}}
  recur.yield %g, %b as ["o"] : f32
}

// -----

// CONSTRAINT: recur.yield C1
recur.recurrence @program(%q: !recur.key) state(%state: !recur.state) -> !recur.key {
  // expected-error@+1 {{expected 1 result names, one for each result, got 2}}
  recur.yield %q, %state as ["o", "p"] : !recur.key
}

// -----

// CONSTRAINT: recur.yield C1
recur.recurrence @program(%q: !recur.key) state(%state: !recur.state) -> !recur.key {
  // expected-error@+1 {{expected 2 operands, one for each type and the state, got 1}}
  recur.yield %state : !recur.key
}
