// Keys that are constants: one per head, one a number, and a value that is a number too.
// RUN: %sluice check %s --tokens 70 --key-dim 32 --value-dim 48 --chunk 16
// RUN: %sluice check %s --tokens 150 --key-dim 20 --value-dim 17 --chunk 64

recur.recurrence @constant_keys(%q: !recur.key, %v: !recur.value, %g: f32, %slot: !recur.key {recur.per_head},
    %bias: !recur.value {recur.per_head}) state(%state: !recur.state) -> !recur.value {
  %ones = recur.constant 0.125 : !recur.key
  %half = recur.constant 0.5 : !recur.value
  %s1 = recur.decay %state by %g : f32
  %s2 = recur.write %v at %slot into %s1
  %s3 = recur.write %half at %ones into %s2
  %next = recur.write %bias at %q into %s3
  %r = recur.read %next at %slot
  %t = recur.read %next at %q
  %o = recur.add %r, %t : !recur.value
  recur.yield %o, %next : !recur.value
}
