// A scan that saves outputs already has its adjoint.
// RUN: sluice-opt --recur-differentiate --verify-diagnostics %s

// expected-error @+1 {{expected a forward scan without saved outputs}}
recur.scan @twice_forward step 16 key 16 value 16
    inputs [#recur.port<"v" : argument value per_token>]
    outputs [#recur.port<"o" : result value per_token>, #recur.port<"state" : saved state per_step>]
    carried [#recur.port<"state" : state state per_step>] {
^bb0(%v: tensor<16x16xf32>, %s: tensor<16x16xf32>):
  recur.scan_yield outputs(%v, %s : tensor<16x16xf32>, tensor<16x16xf32>) carried(%s : tensor<16x16xf32>)
}
