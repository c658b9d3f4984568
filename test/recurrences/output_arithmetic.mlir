// Arithmetic around the scan: silu of the query, a gated and normalised output, a skip per head, softplus gates.
// RUN: %sluice check %s --tokens 70 --key-dim 32 --value-dim 48 --chunk 16
// RUN: %sluice check %s --tokens 150 --key-dim 20 --value-dim 17 --chunk 64

recur.recurrence @output_arithmetic(%q: !recur.key, %k: !recur.key, %v: !recur.value, %z: !recur.value,
    %dt: f32 {recur.draw = "normal"}, %skip: !recur.value {recur.per_head}) state(%state: !recur.state) -> !recur.value {
  %query = recur.silu %q : !recur.key
  %positive = recur.softplus %dt : f32
  %g = recur.neg %positive : f32
  %s = recur.decay %state by %g : f32
  %u = recur.scale %v by %positive : !recur.value
  %next = recur.write %u at %k into %s
  %r = recur.read %next at %query
  %unit = recur.normalize %r {epsilon = 1.0e-2 : f32} : !recur.value
  %gate = recur.silu %z : !recur.value
  %gated = recur.mul %unit, %gate : !recur.value
  %direct = recur.mul %skip, %v : !recur.value
  %o = recur.add %gated, %direct : !recur.value
  recur.yield %o, %next : !recur.value
}
