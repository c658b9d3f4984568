// Programs that no built-in covers and that have a chunk form.

// Reads before and after the write, before the decay: the write reaches its own token undecayed.
recur.recurrence @decay_last(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32)
    state(%s: !recur.state) -> !recur.value {
  %before = recur.read %s at %q
  %w = recur.write %v at %k into %s
  %after = recur.read %w at %k
  %next = recur.decay %w by %g : f32
  %sum = recur.add %before, %after : !recur.value
  recur.yield %sum, %next as ["o"] : !recur.value
}

// Decays of both kinds around a bound and a free write, reads in between.
recur.recurrence @mixed_gates(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32,
    %gk: !recur.key, %beta: f32)
    state(%s: !recur.state) -> (!recur.value, !recur.value) {
  %a = recur.decay %s by %g : f32
  %w1 = recur.write %v at %q into %a
  %r = recur.read %w1 at %k
  %b = recur.decay %w1 by %gk : !recur.key
  %u = recur.scale %r by %beta : !recur.value
  %minus = recur.neg %u : !recur.value
  %w2 = recur.write %minus at %k into %b
  %o1 = recur.read %w2 at %q
  %next = recur.decay %w2 by %g : f32
  %o2 = recur.read %next at %q
  recur.yield %o1, %o2, %next : !recur.value, !recur.value
}

// RWKV-6 as its paper spells it: a fork that is only read.
recur.recurrence @literal_bonus(%q: !recur.key, %k: !recur.key, %v: !recur.value, %gk: !recur.key,
    %u: !recur.key {recur.per_head})
    state(%s: !recur.state) -> !recur.value {
  %uk = recur.mul %u, %k : !recur.key
  %fork = recur.write %v at %uk into %s
  %o = recur.read %fork at %q
  %d = recur.decay %s by %gk : !recur.key
  %next = recur.write %v at %k into %d
  recur.yield %o, %next : !recur.value
}

// A fork two steps long whose read is written: bound through the fork.
recur.recurrence @bound_fork(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32, %beta: f32)
    state(%s: !recur.state) -> !recur.value {
  %f1 = recur.decay %s by %g : f32
  %f2 = recur.write %v at %q into %f1
  %old = recur.read %f2 at %k
  %error = recur.sub %v, %old : !recur.value
  %delta = recur.scale %error by %beta : !recur.value
  %d = recur.decay %s by %g : f32
  %next = recur.write %delta at %k into %d
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}

// Three bound writes with decays between them, and a free one in the middle.
recur.recurrence @three_bound(%q: !recur.key, %k: !recur.key, %k2: !recur.key, %v: !recur.value,
    %g: f32, %g2: f32, %beta: f32)
    state(%s: !recur.state) -> !recur.value {
  %r1 = recur.read %s at %k
  %e1 = recur.sub %v, %r1 : !recur.value
  %u1 = recur.scale %e1 by %beta : !recur.value
  %s1 = recur.write %u1 at %k into %s
  %s2 = recur.decay %s1 by %g : f32
  %r2 = recur.read %s2 at %k2
  %half = recur.constant 0.5 : !recur.value
  %u2 = recur.mul %r2, %half : !recur.value
  %m2 = recur.neg %u2 : !recur.value
  %s3 = recur.write %m2 at %k2 into %s2
  %s4 = recur.write %v at %q into %s3
  %s5 = recur.decay %s4 by %g2 : f32
  %r3 = recur.read %s5 at %k
  %both = recur.add %r3, %r1 : !recur.value
  %u3 = recur.scale %both by %beta : !recur.value
  %m3 = recur.neg %u3 : !recur.value
  %s6 = recur.write %m3 at %k2 into %s5
  %o = recur.read %s6 at %q
  recur.yield %o, %s6 : !recur.value
}

// Coefficients by division, constants and broadcasts of scalar arithmetic in upstream ops.
recur.recurrence @odd_coefficients(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32,
    %beta: f32, %c: f32 {recur.per_head})
    state(%s: !recur.state) -> !recur.value {
  %d = recur.decay %s by %g : f32
  %r = recur.read %d at %k
  %r2 = recur.read %d at %q
  %two = arith.constant 2.0 : f32
  %den = arith.addf %beta, %two : f32
  %dens = recur.broadcast %den : f32 to !recur.value
  %x = recur.div %r, %dens : !recur.value
  %cs = recur.broadcast %c : f32 to !recur.value
  %tanh = recur.tanh %cs : !recur.value
  %y = recur.mul %tanh, %r2 : !recur.value
  %z = recur.sub %y, %x : !recur.value
  %by = recur.broadcast %beta : f32 to !recur.value
  %w = recur.div %z, %by : !recur.value
  %u = recur.add %v, %w : !recur.value
  %half = recur.scale %u by %beta : !recur.value
  %next = recur.write %half at %k into %d
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}

// Keys and gates that are not zero where their inputs are: padding must not reach the state.
recur.recurrence @loud_padding(%q: !recur.key, %k: !recur.key, %v: !recur.value, %a: f32,
    %f: !recur.key, %bias: f32 {recur.per_head}, %A: f32 {recur.per_head})
    state(%s: !recur.state) -> !recur.value {
  %x = arith.addf %a, %bias : f32
  %soft = recur.softplus %x : f32
  %e = math.exp %A : f32
  %n = arith.negf %e : f32
  %g = arith.mulf %n, %soft : f32
  %d = recur.decay %s by %g : f32
  %open = recur.sigmoid %f : !recur.key
  %gk = recur.log %open : !recur.key
  %d2 = recur.decay %d by %gk : !recur.key
  %one = recur.constant 1.0 : !recur.key
  %closed = recur.sub %one, %open : !recur.key
  %query = recur.sigmoid %q : !recur.key
  %norm = recur.dot %closed, %query : !recur.key
  %scaled = recur.scale %v by %norm : !recur.value
  %raised = recur.exp %scaled : !recur.value
  %next = recur.write %raised at %closed into %d2
  %o = recur.read %next at %query
  %unit = recur.normalize %o : !recur.value
  recur.yield %unit, %next : !recur.value
}

// Logarithms, roots and quotients of inputs, which are zero in padding.
recur.recurrence @bare_domains(%q: !recur.key, %k: !recur.key, %v: !recur.value,
    %beta: f32 {recur.draw = "sigmoid"}, %A: f32 {recur.per_head})
    state(%s: !recur.state) -> !recur.value {
  %log = math.log %beta : f32
  %a = math.exp %A : f32
  %g = arith.mulf %log, %a : f32
  %d = recur.decay %s by %g : f32
  %kk = recur.dot %k, %k : !recur.key
  %norm = math.sqrt %kk : f32
  %norms = recur.broadcast %norm : f32 to !recur.key
  %unit = recur.div %k, %norms : !recur.key
  %old = recur.read %d at %unit
  %inverse = math.rsqrt %beta : f32
  %scaled = recur.scale %v by %inverse : !recur.value
  %error = recur.sub %scaled, %old : !recur.value
  %delta = recur.scale %error by %beta : !recur.value
  %next = recur.write %delta at %unit into %d
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}

// Everything per head that may be; results of every kind.
recur.recurrence @constants(%q: !recur.key, %v: !recur.value, %k: !recur.key {recur.per_head},
    %gk: !recur.key {recur.per_head}, %w: !recur.value {recur.per_head}, %c: f32 {recur.per_head})
    state(%s: !recur.state) -> (!recur.value, !recur.key, f32, f32) {
  %d = recur.decay %s by %gk : !recur.key
  %u = recur.mul %v, %w : !recur.value
  %n1 = recur.write %u at %k into %d
  %n2 = recur.write %w at %q into %n1
  %o = recur.read %n2 at %q
  %ow = recur.mul %o, %w : !recur.value
  %silu = recur.silu %ow : !recur.value
  %qk = recur.mul %q, %k : !recur.key
  %sum = recur.sum %silu : !recur.value
  %dot = recur.dot %o, %v : !recur.value
  %cd = arith.mulf %c, %dot : f32
  recur.yield %silu, %qk, %sum, %cd, %n2 : !recur.value, !recur.key, f32, f32
}

// Nothing is written; the state only decays.
recur.recurrence @only_decay(%q: !recur.key, %g: f32) state(%s: !recur.state) -> !recur.value {
  %d = recur.decay %s by %g : f32
  %o = recur.read %d at %q
  recur.yield %o, %d : !recur.value
}

// Nothing is read, and one value is written at two keys.
recur.recurrence @only_writes(%k: !recur.key, %v: !recur.value, %gk: !recur.key)
    state(%s: !recur.state) -> !recur.value {
  %a = recur.write %v at %k into %s
  %d = recur.decay %a by %gk : !recur.key
  %next = recur.write %v at %k into %d
  %twice = recur.add %v, %v : !recur.value
  recur.yield %twice, %next as ["o"] : !recur.value
}

// A plain read is written back, bound with coefficient one, between two decays.
recur.recurrence @write_back(%q: !recur.key, %k: !recur.key, %v: !recur.value, %gk: !recur.key,
    %g: f32)
    state(%s: !recur.state) -> !recur.value {
  %d = recur.decay %s by %gk : !recur.key
  %r = recur.read %d at %q
  %w = recur.write %r at %k into %d
  %d2 = recur.decay %w by %g : f32
  %next = recur.write %v at %k into %d2
  %o = recur.read %w at %q
  recur.yield %o, %next : !recur.value
}
