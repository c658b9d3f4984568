// Gated DeltaProduct (Siems et al., arXiv:2502.10297) with two steps per token:
// S <- e^g S, then for j = 1, 2: S <- S + kj (betaj (vj - S^T kj))^T; o = S^T q.
recur.recurrence @gated_deltaproduct(
    %q: !recur.key, %k1: !recur.key, %v1: !recur.value, %beta1: f32, %k2: !recur.key,
    %v2: !recur.value, %beta2: f32, %g: f32)
    state(%state: !recur.state) -> !recur.value {
  %gated = recur.decay %state by %g : f32
  %old1 = recur.read %gated at %k1
  %error1 = recur.sub %v1, %old1 : !recur.value
  %delta1 = recur.scale %error1 by %beta1 : !recur.value
  %half = recur.write %delta1 at %k1 into %gated
  %old2 = recur.read %half at %k2
  %error2 = recur.sub %v2, %old2 : !recur.value
  %delta2 = recur.scale %error2 by %beta2 : !recur.value
  %next = recur.write %delta2 at %k2 into %half
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
