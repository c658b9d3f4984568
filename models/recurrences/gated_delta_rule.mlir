// Gated delta rule (Yang et al., Gated Delta Networks, arXiv:2412.06464):
// S <- e^g S, S <- S + k (beta (v - S^T k))^T, o = S^T q.
recur.recurrence @gated_delta_rule(
    %q: !recur.key, %k: !recur.key, %v: !recur.value, %g: f32, %beta: f32)
    state(%state: !recur.state) -> !recur.value {
  %gated = recur.decay %state by %g : f32
  %old = recur.read %gated at %k
  %error = recur.sub %v, %old : !recur.value
  %delta = recur.scale %error by %beta : !recur.value
  %next = recur.write %delta at %k into %gated
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
