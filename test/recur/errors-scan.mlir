// Scans: ports, types, roles, recomputation.
// RUN: sluice-opt %s --split-input-file --verify-diagnostics

// CONSTRAINT: recur.scan C1
// expected-error@+1 {{expected 'tensor<16x16xf32>' among body arguments for port 'v', got 'tensor<16x8xf32>'}}
recur.scan @scan step 16 key 16 value 16
    inputs [#recur.port<"v" : argument value per_token>]
    outputs [#recur.port<"o" : result value per_token>] carried [] {
^bb0(%v: tensor<16x8xf32>):
  recur.scan_yield outputs(%v : tensor<16x8xf32>) carried()
}

// -----

// CONSTRAINT: recur.scan C1
// expected-error@+1 {{expected 1 body arguments, one for each port, got 2}}
recur.scan @scan step 16 key 16 value 16
    inputs [#recur.port<"v" : argument value per_token>]
    outputs [#recur.port<"o" : result value per_token>] carried [] {
^bb0(%v: tensor<16x16xf32>, %w: tensor<16xf32>):
  recur.scan_yield outputs(%v : tensor<16x16xf32>) carried()
}

// -----

// CONSTRAINT: recur.scan C2
recur.scan @scan step 16 key 16 value 16
    inputs [#recur.port<"v" : argument value per_token>]
    outputs [#recur.port<"o" : result value per_token>] carried [] {
^bb0(%v: tensor<16x16xf32>):
  // expected-error@+1 {{expected 1 outputs, one for each port, got 0}}
  recur.scan_yield outputs() carried()
}

// -----

// CONSTRAINT: recur.scan C2
recur.scan @scan step 16 key 16 value 16
    inputs [#recur.port<"v" : argument value per_token>]
    outputs [#recur.port<"o" : result value per_token>] carried [] {
^bb0(%v: tensor<16x16xf32>):
  %s = recur.reduce %v along [1] : tensor<16x16xf32> to tensor<16xf32>
  // expected-error@+1 {{expected 'tensor<16x16xf32>' among outputs for port 'o', got 'tensor<16xf32>'}}
  recur.scan_yield outputs(%s : tensor<16xf32>) carried()
}

// -----

// CONSTRAINT: recur.scan C2
recur.scan @scan step 16 key 16 value 16
    inputs [#recur.port<"v" : argument value per_token>]
    outputs [#recur.port<"o" : result value per_token>] carried [] {
^bb0(%v: tensor<16x16xf32>):
  // expected-error@+1 {{block with no terminator}}
  %s = recur.exp %v : tensor<16x16xf32>
}

// -----

// CONSTRAINT: recur.scan C3
// expected-error@+1 {{expected step 1, 16, 32, 64 or 128, got 17}}
recur.scan @scan step 17 key 16 value 16
    inputs [#recur.port<"v" : argument value per_token>]
    outputs [#recur.port<"o" : result value per_token>] carried [] {
^bb0(%v: tensor<16x16xf32>):
  recur.scan_yield outputs(%v : tensor<16x16xf32>) carried()
}

// -----

// CONSTRAINT: recur.scan C3
// expected-error@+1 {{expected a positive multiple of 16 as key dimension, got 17}}
recur.scan @scan step 16 key 17 value 16
    inputs [#recur.port<"v" : argument value per_token>]
    outputs [#recur.port<"o" : result value per_token>] carried [] {
^bb0(%v: tensor<16x16xf32>):
  recur.scan_yield outputs(%v : tensor<16x16xf32>) carried()
}

// -----

// CONSTRAINT: recur.scan C3
// expected-error@+1 {{expected a positive multiple of 16 as value dimension, got 0}}
recur.scan @scan step 16 key 16 value 0
    inputs [#recur.port<"v" : argument value per_token>]
    outputs [#recur.port<"o" : result value per_token>] carried [] {
^bb0(%v: tensor<16x16xf32>):
  recur.scan_yield outputs(%v : tensor<16x16xf32>) carried()
}
