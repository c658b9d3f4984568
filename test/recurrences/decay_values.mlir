// Decays each value channel, and gates the output by its own read: no chunk form.
// RUN: %sluice check %s --tokens 70 --key-dim 32 --value-dim 48 --chunk 16
// RUN: %sluice check %s --tokens 150 --key-dim 20 --value-dim 17 --chunk 64

recur.recurrence @decay_values(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: !recur.value, %h: !recur.key)
    state(%state: !recur.state) -> !recur.value {
  %s = recur.decay_values %state by %g
  %t = recur.decay %s by %h : !recur.key
  %next = recur.write %v at %k into %t
  %r = recur.read %next at %q
  %gate = recur.sigmoid %r : !recur.value
  %o = recur.mul %r, %gate : !recur.value
  recur.yield %o, %next : !recur.value
}
