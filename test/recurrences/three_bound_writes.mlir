// Three bound writes per token, each at a key of its own and with the error of the state so far; one is free.
// RUN: %sluice check %s --tokens 70 --key-dim 32 --value-dim 48 --chunk 16
// RUN: %sluice check %s --tokens 150 --key-dim 20 --value-dim 17 --chunk 64

recur.recurrence @three_bound_writes(%q: !recur.key, %k1: !recur.key, %k2: !recur.key, %k3: !recur.key,
    %v1: !recur.value, %v2: !recur.value, %g: f32, %beta: f32) state(%state: !recur.state) -> !recur.value {
  %s0 = recur.decay %state by %g : f32
  %r1 = recur.read %s0 at %k1
  %e1 = recur.sub %v1, %r1 : !recur.value
  %u1 = recur.scale %e1 by %beta : !recur.value
  %s1 = recur.write %u1 at %k1 into %s0
  %r2 = recur.read %s1 at %k2
  %e2 = recur.sub %v2, %r2 : !recur.value
  %u2 = recur.scale %e2 by %beta : !recur.value
  %s2 = recur.write %u2 at %k2 into %s1
  %s3 = recur.write %v1 at %k3 into %s2
  %r3 = recur.read %s3 at %k3
  %half = arith.constant 0.5 : f32
  %u3 = recur.scale %r3 by %half : !recur.value
  %n3 = recur.neg %u3 : !recur.value
  %next = recur.write %n3 at %k3 into %s3
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
