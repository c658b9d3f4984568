// Gated linear attention (Yang et al., arXiv:2312.06635): a decay per key channel,
// S <- diag(e^g) S + k v^T, o = S^T q.
recur.recurrence @gla(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: !recur.key)
    state(%state: !recur.state) -> !recur.value {
  %decayed = recur.decay %state by %g : !recur.key
  %next = recur.write %v at %k into %decayed
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
