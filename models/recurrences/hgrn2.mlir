// HGRN2 (Qin et al., arXiv:2404.07904): gated linear attention whose key is what the gate forgets,
// k = 1 - e^g, S <- diag(e^g) S + k v^T, o = S^T q.
recur.recurrence @hgrn2(%q: !recur.key, %v: !recur.value, %g: !recur.key)
    state(%state: !recur.state) -> !recur.value {
  %kept = recur.expm1 %g : !recur.key
  %k = recur.neg %kept : !recur.key
  %decayed = recur.decay %state by %g : !recur.key
  %next = recur.write %v at %k into %decayed
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
