// One write that is affine in three reads, with coefficients that are dot products, sums and constants.
// RUN: %sluice check %s --tokens 70 --key-dim 32 --value-dim 48 --chunk 16
// RUN: %sluice check %s --tokens 150 --key-dim 20 --value-dim 17 --chunk 64

recur.recurrence @several_coefficients(%q: !recur.key, %k: !recur.key, %p: !recur.key, %v: !recur.value, %g: f32,
    %beta: f32) state(%state: !recur.state) -> !recur.value {
  %s = recur.decay %state by %g : f32
  %a = recur.read %s at %k
  %b = recur.read %s at %p
  %c = recur.read %state at %q
  %angle = recur.dot %k, %p : !recur.key
  %weight = arith.mulf %angle, %beta : f32
  %quarter = recur.constant 0.25 : !recur.value
  %ab = recur.sub %a, %b : !recur.value
  %scaled = recur.scale %ab by %weight : !recur.value
  %part = recur.mul %c, %quarter : !recur.value
  %sum = recur.add %scaled, %part : !recur.value
  %error = recur.sub %v, %sum : !recur.value
  %delta = recur.scale %error by %beta : !recur.value
  %next = recur.write %delta at %k into %s
  %o = recur.read %next at %q
  recur.yield %o, %next : !recur.value
}
