// Kimi delta attention (Kimi Linear, arXiv:2510.26692): the gated delta rule with a decay per key channel,
// S <- diag(e^g) S, S <- S + k (beta (v - S^T k))^T, o = S^T q.
recur.recurrence @kda(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: !recur.key, %beta: f32)
    state(%state: !recur.state) -> !recur.value {
  %gated = recur.decay %state by %g : !recur.key
  %old = recur.read %gated at %k
  %error = recur.sub %v, %old : !recur.value
  %delta = recur.scale %error by %beta : !recur.value
  %next = recur.write %delta at %k into %gated
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
