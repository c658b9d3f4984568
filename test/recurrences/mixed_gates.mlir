// Scalar and channel gates in turn, a delta rule between them, and a last decay after the read.
// RUN: %sluice check %s --tokens 70 --key-dim 32 --value-dim 48 --chunk 16
// RUN: %sluice check %s --tokens 150 --key-dim 20 --value-dim 17 --chunk 64

recur.recurrence @mixed_gates(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32, %h: !recur.key,
    %last: f32 {recur.per_head}, %beta: f32) state(%state: !recur.state) -> !recur.value {
  %s1 = recur.decay %state by %g : f32
  %old = recur.read %s1 at %k
  %s2 = recur.decay %s1 by %h : !recur.key
  %error = recur.sub %v, %old : !recur.value
  %delta = recur.scale %error by %beta : !recur.value
  %s3 = recur.write %delta at %k into %s2
  %o = recur.read %s3 at %q
  %next = recur.decay %s3 by %last : f32
  recur.yield %o, %next : !recur.value
}
