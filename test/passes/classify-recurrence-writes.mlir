// Reasons for which what is written keeps a program from having a chunk form.
// RUN: sluice-opt --recur-classify --verify-diagnostics %s

recur.recurrence @vector_times_read(%k: !recur.key, %v: !recur.value)
    state(%s: !recur.state) -> !recur.value {
  %r = recur.read %s at %k
  // expected-remark @+1 {{recurrent form only: a value vector multiplies a read}}
  %u = recur.mul %v, %r : !recur.value
  %n = recur.write %u at %k into %s
  recur.yield %u, %n as ["o"] : !recur.value
}

recur.recurrence @product_of_reads(%k: !recur.key) state(%s: !recur.state) -> !recur.value {
  %r = recur.read %s at %k
  // expected-remark @+1 {{recurrent form only: the written value holds a product of reads}}
  %u = recur.mul %r, %r : !recur.value
  %n = recur.write %u at %k into %s
  recur.yield %u, %n as ["o"] : !recur.value
}

recur.recurrence @read_over_vector(%k: !recur.key, %v: !recur.value)
    state(%s: !recur.state) -> !recur.value {
  %r = recur.read %s at %k
  // expected-remark @+1 {{recurrent form only: a value vector divides a read}}
  %u = recur.div %r, %v : !recur.value
  %n = recur.write %u at %k into %s
  recur.yield %u, %n as ["o"] : !recur.value
}

recur.recurrence @division_by_read(%k: !recur.key, %v: !recur.value)
    state(%s: !recur.state) -> !recur.value {
  %r = recur.read %s at %k
  // expected-remark @+1 {{recurrent form only: the written value is divided by a read}}
  %u = recur.div %v, %r : !recur.value
  %n = recur.write %u at %k into %s
  recur.yield %u, %n as ["o"] : !recur.value
}

recur.recurrence @scaled_by_read(%k: !recur.key, %v: !recur.value)
    state(%s: !recur.state) -> !recur.value {
  %r = recur.read %s at %k
  %c = recur.dot %r, %v : !recur.value
  // expected-remark @+1 {{recurrent form only: the written value is scaled by what depends on the state}}
  %u = recur.scale %v by %c : !recur.value
  %n = recur.write %u at %k into %s
  recur.yield %u, %n as ["o"] : !recur.value
}

recur.recurrence @mixed_channels(%k: !recur.key) state(%s: !recur.state) -> !recur.value {
  %r = recur.read %s at %k
  %c = recur.sum %r : !recur.value
  // expected-remark @+1 {{recurrent form only: the written value mixes value channels of a read}}
  %u = recur.broadcast %c : f32 to !recur.value
  %n = recur.write %u at %k into %s
  recur.yield %u, %n as ["o"] : !recur.value
}

recur.recurrence @nonlinear(%k: !recur.key) state(%s: !recur.state) -> !recur.value {
  %r = recur.read %s at %k
  // expected-remark @+1 {{the written value depends on a read through recur.tanh, which is not linear}}
  %u = recur.tanh %r : !recur.value
  %n = recur.write %u at %k into %s
  recur.yield %u, %n as ["o"] : !recur.value
}
