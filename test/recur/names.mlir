// Names of arguments and results survive printing, parsing and passes; an attribute tells a name only where
// the printed SSA name does not.
// RUN: sluice-opt %s | FileCheck %s
// RUN: sluice-opt %s -mlir-print-op-generic | sluice-opt | FileCheck %s
// RUN: sluice-opt %s --canonicalize --cse | sluice-opt | FileCheck %s

// CHECK-LABEL: recur.recurrence @from_ssa(%q: !recur.key, %A_log: f32 {recur.per_head})
// CHECK: recur.yield %{{.*}}, %state as ["result"] : !recur.key
recur.recurrence @from_ssa(%q: !recur.key, %A_log: f32 {recur.per_head}) state(%state: !recur.state) -> !recur.key {
  %result = recur.scale %q by %A_log : !recur.key
  recur.yield %result, %state : !recur.key
}

// CHECK-LABEL: recur.recurrence @given(%first-name: !recur.key, %x: f32)
// CHECK-SAME: state(%state: !recur.state)
recur.recurrence @given(%q: !recur.key {recur.name = "first-name"}, %x: f32) state(%s: !recur.state) -> f32 {
  // CHECK: recur.yield %x, %state as ["y"] : f32
  recur.yield %x, %s as ["y"] : f32
}

// A name that is no SSA name is told by an attribute.
// CHECK-LABEL: recur.recurrence @odd(%_2x: f32 {recur.name = "2x"}
// CHECK: recur.yield %_2x, %state as ["3 y"] : f32
recur.recurrence @odd(%x: f32 {recur.name = "2x"}, %q: !recur.key) state(%state: !recur.state) -> f32 {
  recur.yield %x, %state as ["3 y"] : f32
}
