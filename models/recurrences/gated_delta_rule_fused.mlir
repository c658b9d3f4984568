// Gated delta rule with the gates and the normalisation of its layer (arXiv:2412.06464; gates of Mamba-2):
// g = -exp(A_log) softplus(a + dt_bias), beta = sigmoid(b), q and k of unit length, then as gated_delta_rule.
recur.recurrence @gated_delta_rule_fused(
    %q: !recur.key, %k: !recur.key, %v: !recur.value, %a: f32 {recur.draw = "normal"},
    %b: f32 {recur.draw = "normal"}, %A_log: f32 {recur.per_head, recur.draw = "constant"},
    %dt_bias: f32 {recur.per_head, recur.draw = "constant"})
    state(%state: !recur.state) -> !recur.value {
  %rate = math.exp %A_log : f32
  %biased = arith.addf %a, %dt_bias : f32
  %dt = recur.softplus %biased : f32
  %forget = arith.mulf %rate, %dt : f32
  %g = arith.negf %forget : f32
  %beta = recur.sigmoid %b : f32
  %query = recur.normalize %q : !recur.key
  %key = recur.normalize %k : !recur.key
  %gated = recur.decay %state by %g : f32
  %old = recur.read %gated at %key
  %error = recur.sub %v, %old : !recur.value
  %delta = recur.scale %error by %beta : !recur.value
  %next = recur.write %delta at %key into %gated
  %o = recur.read %next at %query
  recur.yield %o, %next : !recur.value
}
