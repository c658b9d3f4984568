// Reads at a key that an earlier read decides: a step that no chunk form has.
// RUN: %sluice check %s --tokens 70 --key-dim 32 --value-dim 48 --chunk 16
// RUN: %sluice check %s --tokens 150 --key-dim 20 --value-dim 17 --chunk 64

recur.recurrence @read_of_read(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32)
    state(%state: !recur.state) -> !recur.value {
  %s = recur.decay %state by %g : f32
  %old = recur.read %s at %k
  %size = recur.dot %old, %v : !recur.value
  %small = arith.constant 0.01 : f32
  %weak = arith.mulf %size, %small : f32
  %bounded = recur.tanh %weak : f32
  %half = arith.constant 0.5 : f32
  %strength = arith.addf %bounded, %half : f32
  %key = recur.scale %k by %strength : !recur.key
  %next = recur.write %v at %key into %s
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
