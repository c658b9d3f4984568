// Results of every kind: a value, a normalised key and two scalars, one of them a sum over the channels of a read.
// RUN: %sluice check %s --tokens 70 --key-dim 32 --value-dim 48 --chunk 16
// RUN: %sluice check %s --tokens 150 --key-dim 20 --value-dim 17 --chunk 64

recur.recurrence @key_results(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32)
    state(%state: !recur.state) -> (!recur.value, !recur.key, f32, f32) {
  %unit = recur.normalize %k : !recur.key
  %s = recur.decay %state by %g : f32
  %next = recur.write %v at %unit into %s
  %o = recur.read %next at %q
  %norm = recur.dot %o, %o : !recur.value
  %cosine = recur.dot %q, %unit : !recur.key
  recur.yield %o, %unit, %norm, %cosine, %next : !recur.value, !recur.key, f32, f32
}
