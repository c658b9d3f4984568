// A chunkable program, and the reasons in decays and keys for which others have the recurrent form only.
// RUN: sluice-opt --recur-classify --verify-diagnostics %s

// expected-remark @+1 {{chunkable: 1 bound and 0 free writes, 2 reads, 1 decays}}
recur.recurrence @bound(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32)
    state(%s: !recur.state) -> !recur.value {
  %d = recur.decay %s by %g : f32
  %r = recur.read %d at %k
  %half = recur.constant 0.5 : !recur.value
  %scaled = recur.mul %half, %r : !recur.value
  %u = recur.sub %v, %scaled : !recur.value
  %n = recur.write %u at %k into %d
  %o = recur.read %n at %q
  recur.yield %o, %n : !recur.value
}

recur.recurrence @decay_values(%k: !recur.key, %v: !recur.value)
    state(%s: !recur.state) -> !recur.value {
  // expected-remark @+1 {{recurrent form only: each value channel decays by a factor of its own}}
  %d = recur.decay_values %s by %v
  %o = recur.read %d at %k
  recur.yield %o, %d : !recur.value
}

recur.recurrence @decay_entries(%k: !recur.key, %m: !recur.matrix {recur.per_head})
    state(%s: !recur.state) -> !recur.value {
  // expected-remark @+1 {{recurrent form only: each entry of the state decays by a factor of its own}}
  %d = recur.decay_entries %s by %m
  %o = recur.read %d at %k
  recur.yield %o, %d : !recur.value
}

recur.recurrence @fork_of_entries(%k: !recur.key, %m: !recur.matrix {recur.per_head})
    state(%s: !recur.state) -> !recur.value {
  %d = recur.decay_entries %s by %m
  // expected-remark @+1 {{recurrent form only: reads a state that decays entry by entry and is not yielded}}
  %o = recur.read %d at %k
  recur.yield %o, %s : !recur.value
}

recur.recurrence @gate(%k: !recur.key) state(%s: !recur.state) -> !recur.value {
  %r = recur.read %s at %k
  %g = recur.sum %r : !recur.value
  // expected-remark @+1 {{recurrent form only: the gate depends on the state}}
  %d = recur.decay %s by %g : f32
  recur.yield %r, %d as ["o"] : !recur.value
}

recur.recurrence @key_of_read(%k: !recur.key) state(%s: !recur.state) -> !recur.value {
  %r = recur.read %s at %k
  %c = recur.sum %r : !recur.value
  %x = recur.scale %k by %c : !recur.key
  // expected-remark @+1 {{recurrent form only: the key depends on the state}}
  %o = recur.read %s at %x
  recur.yield %o, %s : !recur.value
}

recur.recurrence @key_of_write(%k: !recur.key, %v: !recur.value)
    state(%s: !recur.state) -> !recur.value {
  %r = recur.read %s at %k
  %c = recur.sum %r : !recur.value
  %x = recur.scale %k by %c : !recur.key
  // expected-remark @+1 {{recurrent form only: the key depends on the state}}
  %n = recur.write %v at %x into %s
  recur.yield %r, %n as ["o"] : !recur.value
}
