// Writes tanh of what it reads, so it has no chunk form.
// RUN: %sluice check %s --tokens 70 --key-dim 32 --value-dim 48 --chunk 16
// RUN: %sluice check %s --tokens 150 --key-dim 20 --value-dim 17 --chunk 64

recur.recurrence @nonlinear_write(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32)
    state(%state: !recur.state) -> !recur.value {
  %s = recur.decay %state by %g : f32
  %old = recur.read %s at %k
  %bounded = recur.tanh %old : !recur.value
  %error = recur.sub %v, %bounded : !recur.value
  %next = recur.write %error at %k into %s
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
