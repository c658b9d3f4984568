// A scalar gate spread over the channels, and the minimum of two gates: still key gates to the passes.
// RUN: %sluice check %s --tokens 70 --key-dim 32 --value-dim 48 --chunk 16
// RUN: %sluice check %s --tokens 150 --key-dim 20 --value-dim 17 --chunk 64

recur.recurrence @uniform_channel_gate(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32, %h: !recur.key,
    %beta: f32) state(%state: !recur.state) -> !recur.value {
  %spread = recur.broadcast %g : f32 to !recur.key
  %gate = recur.min %spread, %h : !recur.key
  %s1 = recur.decay %state by %spread : !recur.key
  %s2 = recur.decay %s1 by %gate : !recur.key
  %old = recur.read %s2 at %k
  %error = recur.sub %v, %old : !recur.value
  %delta = recur.scale %error by %beta : !recur.value
  %next = recur.write %delta at %k into %s2
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
