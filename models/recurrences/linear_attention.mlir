// Linear attention (Katharopoulos et al., Transformers are RNNs, arXiv:2006.16236), without its
// normaliser: S <- S + k v^T, o = S^T q.
recur.recurrence @linear_attention(%q: !recur.key, %k: !recur.key, %v: !recur.value)
    state(%state: !recur.state) -> !recur.value {
  %next = recur.write %v at %k into %state
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
