// A learned matrix per head: as gates of every entry, and read against its outer product. No chunk form.
// RUN: %sluice check %s --tokens 70 --key-dim 32 --value-dim 48 --chunk 16
// RUN: %sluice check %s --tokens 150 --key-dim 20 --value-dim 17 --chunk 64

recur.recurrence @matrix_constants(%q: !recur.key, %k: !recur.key {recur.draw = "unit"},
    %v: !recur.value {recur.draw = "normal"}, %rates: !recur.matrix {recur.per_head})
    state(%state: !recur.state) -> !recur.value {
  %outer = recur.outer %k, %v
  %sum = recur.add %rates, %outer : !recur.matrix
  %gates = recur.log_sigmoid %sum : !recur.matrix
  %s = recur.decay_entries %state by %gates
  %next = recur.write %v at %k into %s
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
