// Comba (Hu et al., arXiv:2506.02475): reads its error at p, and corrects the query by it,
// S <- e^g S, S <- S + k (beta (v - S^T p))^T, o = S^T (q - d p).
recur.recurrence @comba(
    %q: !recur.key, %k: !recur.key, %v: !recur.value, %p: !recur.key, %g: f32, %beta: f32, %d: f32)
    state(%state: !recur.state) -> !recur.value {
  %gated = recur.decay %state by %g : f32
  %old = recur.read %gated at %p
  %error = recur.sub %v, %old : !recur.value
  %delta = recur.scale %error by %beta : !recur.value
  %next = recur.write %delta at %k into %gated
  %shift = recur.scale %p by %d : !recur.key
  %query = recur.sub %q, %shift : !recur.key
  %o = recur.read %next at %query
  recur.yield %o, %next : !recur.value
}
