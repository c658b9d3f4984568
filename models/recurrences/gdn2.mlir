// Gated DeltaNet-2: erases at b * k and writes w * v, each channel with a strength of its own,
// S <- diag(e^g) S, S <- S + k (w * v - S^T (b * k))^T, o = S^T q.
recur.recurrence @gdn2(
    %q: !recur.key, %k: !recur.key, %v: !recur.value, %g: !recur.key,
    %b: !recur.key {recur.draw = "sigmoid"}, %w: !recur.value {recur.draw = "sigmoid"})
    state(%state: !recur.state) -> !recur.value {
  %gated = recur.decay %state by %g : !recur.key
  %erase = recur.mul %b, %k : !recur.key
  %old = recur.read %gated at %erase
  %new = recur.mul %w, %v : !recur.value
  %delta = recur.sub %new, %old : !recur.value
  %next = recur.write %delta at %k into %gated
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
