// Names of arguments and results: unique, not reserved, not those of gradients.
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// CONSTRAINT: recur.recurrence C4
// expected-error@+1 {{expected each name once among arguments and results, got 'q' twice}}
recur.recurrence @program(%q: !recur.key, %v: !recur.value, %x: f32 {recur.name = "q"})
    state(%state: !recur.state) -> !recur.value {
  %next = recur.write %v at %q into %state
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}

// -----

// CONSTRAINT: recur.recurrence C4
// expected-error@+1 {{expected each name once among arguments and results, got 'x' twice}}
recur.recurrence @program(%q: !recur.key, %v: !recur.value, %o: f32 {recur.name = "x"})
    state(%state: !recur.state) -> !recur.value {
  recur.yield %v, %state as ["x"] : !recur.value
}

// -----

// CONSTRAINT: recur.recurrence C4
// expected-error@+1 {{expected a name that is not reserved, got 'initial_state'}}
recur.recurrence @program(%q: !recur.key, %v: !recur.value, %x: f32 {recur.name = "initial_state"})
    state(%state: !recur.state) -> !recur.value {
  %next = recur.write %v at %q into %state
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}

// -----

// CONSTRAINT: recur.recurrence C4
// expected-error@+1 {{expected a name that is not reserved, got 'final_state'}}
recur.recurrence @program(%q: !recur.key, %v: !recur.value, %x: f32 {recur.name = "final_state"})
    state(%state: !recur.state) -> !recur.value {
  %next = recur.write %v at %q into %state
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}

// -----

// CONSTRAINT: recur.recurrence C4
// expected-error@+1 {{expected a name that is not reserved, got 'cu_seqlens'}}
recur.recurrence @program(%q: !recur.key, %v: !recur.value, %x: f32 {recur.name = "cu_seqlens"})
    state(%state: !recur.state) -> !recur.value {
  %next = recur.write %v at %q into %state
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}

// -----

// CONSTRAINT: recur.recurrence C4
// expected-error@+1 {{expected a name that is not reserved, got 'state'}}
recur.recurrence @program(%q: !recur.key, %v: !recur.value, %x: f32 {recur.name = "state"})
    state(%state: !recur.state) -> !recur.value {
  %next = recur.write %v at %q into %state
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}

// -----

// CONSTRAINT: recur.recurrence C4
// expected-error@+1 {{expected a name that is not a gradient's, got 'dq', the gradient of 'q'}}
recur.recurrence @program(%q: !recur.key, %v: !recur.value, %dq: f32)
    state(%state: !recur.state) -> !recur.value {
  %next = recur.write %v at %q into %state
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}

// -----

// CONSTRAINT: recur.recurrence C4
// expected-error@+1 {{expected a name that is not a gradient's, got 'dinitial_state', the gradient of 'initial_state'}}
recur.recurrence @program(%q: !recur.key, %v: !recur.value, %dinitial_state: f32)
    state(%state: !recur.state) -> !recur.value {
  %next = recur.write %v at %q into %state
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}

// -----

// CONSTRAINT: recur.recurrence C4
// expected-error@+1 {{expected a name for each argument and result, got an empty one}}
recur.recurrence @program(%q: !recur.key, %v: !recur.value, %x: f32 {recur.name = ""})
    state(%state: !recur.state) -> !recur.value {
  %next = recur.write %v at %q into %state
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
