// What a token program's arguments, state and results may be.
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// CONSTRAINT: recur.recurrence C1
// expected-error@+1 {{expected f32, !recur.key, !recur.value or !recur.matrix for argument 'x', got 'f64'}}
recur.recurrence @program(%q: !recur.key, %v: !recur.value, %x: f64)
    state(%state: !recur.state) -> !recur.value {
  %next = recur.write %v at %q into %state
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}

// -----

// CONSTRAINT: recur.recurrence C1
// expected-error@+1 {{expected recur.per_head on matrix argument 'm', got one per token}}
recur.recurrence @program(%q: !recur.key, %v: !recur.value, %m: !recur.matrix)
    state(%state: !recur.state) -> !recur.value {
  %next = recur.write %v at %q into %state
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}

// -----

// CONSTRAINT: recur.recurrence C2
// expected-error@+1 {{expected 2 block arguments, the state last, got 3}}
"recur.recurrence"() <{sym_name = "program", function_type = (!recur.value) -> (!recur.value), arg_names = ["v"]}> ({
^bb0(%v: !recur.value, %s: !recur.state, %state: !recur.state):
  "recur.yield"(%v, %state) <{result_names = ["o"]}> : (!recur.value, !recur.state) -> ()
}) : () -> ()

// -----

// CONSTRAINT: recur.recurrence C2
// expected-error@+1 {{expected block argument 0 of type '!recur.value', got '!recur.state'}}
"recur.recurrence"() <{sym_name = "program", function_type = (!recur.value) -> (!recur.value), arg_names = ["v"]}> ({
^bb0(%state: !recur.state, %v: !recur.value):
  "recur.yield"(%v, %state) <{result_names = ["o"]}> : (!recur.value, !recur.state) -> ()
}) : () -> ()

// -----

// CONSTRAINT: recur.recurrence C3
// expected-error@+1 {{expected at least one result, got none}}
recur.recurrence @program(%q: !recur.key) state(%state: !recur.state) -> () {
  recur.yield %state
}

// -----

// CONSTRAINT: recur.recurrence C3
// expected-error@+1 {{expected results of type f32, !recur.key or !recur.value, got '!recur.matrix'}}
recur.recurrence @program(%m: !recur.matrix {recur.per_head}) state(%state: !recur.state) -> !recur.matrix {
  %o = recur.exp %m : !recur.matrix
  recur.yield %o, %state : !recur.matrix
}
