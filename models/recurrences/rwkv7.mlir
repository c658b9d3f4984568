// RWKV-7 (Peng et al., Goose, arXiv:2503.14456): a transition diagonal plus rank one,
// S <- diag(e^g) S + b (S^T a)^T + k v^T, o = S^T q; the model has a = -kappa and b = kappa * strength.
recur.recurrence @rwkv7(
    %q: !recur.key, %k: !recur.key, %v: !recur.value, %g: !recur.key,
    %a: !recur.key {recur.draw = "unit"}, %b: !recur.key {recur.draw = "constant"})
    state(%state: !recur.state) -> !recur.value {
  %old = recur.read %state at %a
  %gated = recur.decay %state by %g : !recur.key
  %moved = recur.write %old at %b into %gated
  %next = recur.write %v at %k into %moved
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
