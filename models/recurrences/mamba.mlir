// Mamba (Gu and Dao, arXiv:2312.00752): every entry of the state decays by itself, so there is no chunk
// form: S <- exp(-exp(A_log) dt) * S + k (dt * v)^T, o = S^T q + D * v.
recur.recurrence @mamba(
    %q: !recur.key, %k: !recur.key, %v: !recur.value, %dt: !recur.value {recur.draw = "sigmoid"},
    %A_log: !recur.matrix {recur.per_head, recur.draw = "constant"},
    %D: !recur.value {recur.per_head})
    state(%state: !recur.state) -> !recur.value {
  %rate = recur.exp %A_log : !recur.matrix
  %steps = recur.broadcast %dt : !recur.value to !recur.matrix
  %forget = recur.mul %rate, %steps : !recur.matrix
  %gates = recur.neg %forget : !recur.matrix
  %decayed = recur.decay_entries %state by %gates
  %input = recur.mul %dt, %v : !recur.value
  %next = recur.write %input at %k into %decayed
  %read = recur.read %next at %q
  %skip = recur.mul %D, %v : !recur.value
  %o = recur.add %read, %skip : !recur.value
  recur.yield %o, %next : !recur.value
}
