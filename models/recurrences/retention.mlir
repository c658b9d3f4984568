// Retention (Sun et al., Retentive Network, arXiv:2307.08621): one decay per head,
// S <- e^g S + k v^T, o = S^T q.
recur.recurrence @retention(
    %q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32 {recur.per_head})
    state(%state: !recur.state) -> !recur.value {
  %decayed = recur.decay %state by %g : f32
  %next = recur.write %v at %k into %decayed
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
