// Two decays with a write between them: S <- e^h (e^g S + k v^T), o = S^T q.
// RUN: %sluice check %s --tokens 70 --key-dim 32 --value-dim 48 --chunk 16
// RUN: %sluice check %s --tokens 150 --key-dim 20 --value-dim 17 --chunk 64

recur.recurrence @decays_around_write(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32, %h: f32)
    state(%state: !recur.state) -> !recur.value {
  %before = recur.decay %state by %g : f32
  %written = recur.write %v at %k into %before
  %next = recur.decay %written by %h : f32
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
