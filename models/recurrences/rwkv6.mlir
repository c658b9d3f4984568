// RWKV-6 (Peng et al., Eagle and Finch, arXiv:2404.05892): reads before it writes, with a bonus
// u for the token at hand: o = (S + (u * k) v^T)^T q, S <- diag(e^g) S + k v^T.
recur.recurrence @rwkv6(
    %q: !recur.key, %k: !recur.key, %v: !recur.value, %g: !recur.key,
    %u: !recur.key {recur.per_head})
    state(%state: !recur.state) -> !recur.value {
  %bonus = recur.mul %u, %k : !recur.key
  %seen = recur.write %v at %bonus into %state
  %o = recur.read %seen at %q
  %decayed = recur.decay %state by %g : !recur.key
  %next = recur.write %v at %k into %decayed
  recur.yield %o, %next : !recur.value
}
