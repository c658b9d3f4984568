// Delta rule (Schlag et al., arXiv:2102.11174; Yang et al., arXiv:2406.06484):
// S <- S + k (beta (v - S^T k))^T, o = S^T q.
recur.recurrence @delta_rule(%q: !recur.key, %k: !recur.key, %v: !recur.value, %beta: f32)
    state(%state: !recur.state) -> !recur.value {
  %old = recur.read %state at %k
  %error = recur.sub %v, %old : !recur.value
  %delta = recur.scale %error by %beta : !recur.value
  %next = recur.write %delta at %k into %state
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
