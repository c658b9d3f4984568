// Scans: checkpoints, roles of ports, recomputation.
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// CONSTRAINT: recur.scan C3
// expected-error@+1 {{expected checkpoint of at least 1, got 0}}
recur.scan @scan step 16 key 16 value 16 checkpoint 0
    inputs [#recur.port<"v" : argument value per_token>]
    outputs [#recur.port<"o" : result value per_token>] carried [] {
^bb0(%v: tensor<16x16xf32>):
  recur.scan_yield outputs(%v : tensor<16x16xf32>) carried()
}

// -----

// CONSTRAINT: recur.scan C4
// expected-error@+1 {{expected a role among argument, cotangent, saved, mask in inputs, got result of 'v'}}
recur.scan @scan step 16 key 16 value 16
    inputs [#recur.port<"v" : result value per_token>]
    outputs [#recur.port<"o" : result value per_token>] carried [] {
^bb0(%v: tensor<16x16xf32>):
  recur.scan_yield outputs(%v : tensor<16x16xf32>) carried()
}

// -----

// CONSTRAINT: recur.scan C4
// expected-error@+1 {{expected a role among result, gradient, saved in outputs, got argument of 'o'}}
recur.scan @scan step 16 key 16 value 16
    inputs [#recur.port<"v" : argument value per_token>]
    outputs [#recur.port<"o" : argument value per_token>] carried [] {
^bb0(%v: tensor<16x16xf32>):
  recur.scan_yield outputs(%v : tensor<16x16xf32>) carried()
}

// -----

// CONSTRAINT: recur.scan C4
// expected-error@+1 {{expected a role among state, state_cotangent, accumulator in carried, got saved of 's'}}
recur.scan @scan step 16 key 16 value 16
    inputs [#recur.port<"v" : argument value per_token>]
    outputs [#recur.port<"o" : result value per_token>] carried [#recur.port<"s" : saved state per_head>] {
^bb0(%v: tensor<16x16xf32>):
  recur.scan_yield outputs(%v : tensor<16x16xf32>) carried()
}

// -----

// CONSTRAINT: recur.scan C5
// expected-error@+1 {{expected a recompute region in a reverse scan with checkpoint 4}}
recur.scan @scan step 16 key 16 value 16 reverse checkpoint 4
    inputs [#recur.port<"v" : argument value per_token>]
    outputs [#recur.port<"o" : result value per_token>] carried [] {
^bb0(%v: tensor<16x16xf32>):
  recur.scan_yield outputs(%v : tensor<16x16xf32>) carried()
}

// -----

// CONSTRAINT: recur.scan C5
// expected-error@+1 {{expected no recompute region, got one with checkpoint 1}}
recur.scan @scan step 16 key 16 value 16 reverse
    inputs [#recur.port<"v" : argument value per_token>]
    outputs [#recur.port<"o" : result value per_token>] carried [] {
^bb0(%v: tensor<16x16xf32>):
  recur.scan_yield outputs(%v : tensor<16x16xf32>) carried()
} recompute {
^bb0(%v: tensor<16x16xf32>):
  recur.scan_yield outputs() carried(%v : tensor<16x16xf32>)
}

// -----

// CONSTRAINT: recur.scan C5
// expected-error@+1 {{expected recompute to end with recur.scan_yield of the state alone}}
recur.scan @scan step 16 key 16 value 16 reverse checkpoint 4
    inputs [#recur.port<"v" : argument value per_token>]
    outputs [#recur.port<"o" : result value per_token>] carried [] {
^bb0(%v: tensor<16x16xf32>):
  recur.scan_yield outputs(%v : tensor<16x16xf32>) carried()
} recompute {
^bb0(%v: tensor<16x16xf32>):
  recur.scan_yield outputs() carried()
}

// -----

// CONSTRAINT: recur.scan_yield C1
func.func @test(%x: tensor<16xf32>) {
  // expected-error@+1 {{expects parent op 'recur.scan'}}
  recur.scan_yield outputs(%x : tensor<16xf32>) carried()
}
