// Well-formed programs without a chunk form.

// Every entry decays by its own factor; a fork that does is read.
recur.recurrence @entries(%q: !recur.key, %k: !recur.key, %v: !recur.value, %dt: !recur.value,
    %A: !recur.matrix {recur.per_head})
    state(%s: !recur.state) -> (!recur.value, !recur.value) {
  %wide = recur.broadcast %dt : !recur.value to !recur.matrix
  %square = recur.mul %wide, %wide : !recur.matrix
  %e = recur.exp %A : !recur.matrix
  %rate = recur.mul %e, %square : !recur.matrix
  %g = recur.neg %rate : !recur.matrix
  %fork = recur.decay_entries %s by %g
  %f = recur.read %fork at %q
  %outer = recur.outer %k, %v
  %o2 = recur.mul %outer, %outer : !recur.matrix
  %g2 = recur.neg %o2 : !recur.matrix
  %d = recur.decay_entries %s by %g2
  %next = recur.write %v at %k into %d
  %o = recur.read %next at %q
  recur.yield %o, %f, %next : !recur.value, !recur.value
}

// A decay per value channel, on the trunk and on a fork.
recur.recurrence @value_channels(%q: !recur.key, %k: !recur.key, %v: !recur.value, %gv: !recur.value)
    state(%s: !recur.state) -> (!recur.value, !recur.value) {
  %g = recur.log_sigmoid %gv : !recur.value
  %w = recur.write %v at %k into %s
  %fork = recur.decay_values %w by %g
  %f = recur.read %fork at %q
  %d = recur.decay_values %s by %g
  %next = recur.write %v at %k into %d
  %o = recur.read %next at %q
  recur.yield %o, %f, %next : !recur.value, !recur.value
}

// What is written is a non-linear function of a read, as in test-time training.
recur.recurrence @nonlinear_write(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32)
    state(%s: !recur.state) -> !recur.value {
  %d = recur.decay %s by %g : f32
  %r = recur.read %d at %k
  %t = recur.tanh %r : !recur.value
  %error = recur.sub %v, %t : !recur.value
  %next = recur.write %error at %k into %d
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}

// Gates and keys that depend on reads.
recur.recurrence @closed_loop(%q: !recur.key, %k: !recur.key, %v: !recur.value)
    state(%s: !recur.state) -> !recur.value {
  %r = recur.read %s at %q
  %c = recur.dot %r, %v : !recur.value
  %g = recur.log_sigmoid %c : f32
  %d = recur.decay %s by %g : f32
  %e = math.tanh %c : f32
  %ke = recur.scale %k by %e : !recur.key
  %next = recur.write %v at %ke into %d
  %n = recur.normalize %r : !recur.value
  recur.yield %n, %next as ["o"] : !recur.value
}
