// An op without code for its shape is named.
// RUN: sluice-opt --cpu-lower-scan --verify-diagnostics %s

recur.scan @no_code step 16 key 16 value 16 inputs [#recur.port<"k" : argument key per_token>]
  outputs [#recur.port<"o" : result key per_token>] carried [] {
^bb0(%k: tensor<16x16xf32>):
  // expected-error @+1 {{expected an op that the CPU path has code for, got recur.exp}}
  %o = recur.exp %k : tensor<16x16xf32>
  recur.scan_yield outputs(%o : tensor<16x16xf32>) carried()
}
