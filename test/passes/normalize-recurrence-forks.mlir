// Reads of states that the yielded one does not descend from move onto the trunk.
// RUN: sluice-opt --recur-normalize %s | FileCheck %s

// CHECK-LABEL: @write
recur.recurrence @write(%q: !recur.key, %k: !recur.key, %v: !recur.value)
    state(%s: !recur.state) -> !recur.value {
  %fork = recur.write %v at %k into %s
  // CHECK: %[[TRUNK:.*]] = recur.read %state at %q
  // CHECK-NEXT: %[[OVERLAP:.*]] = recur.dot %k, %q
  // CHECK-NEXT: %[[BONUS:.*]] = recur.scale %v by %[[OVERLAP]]
  // CHECK-NEXT: %[[SUM:.*]] = recur.add %[[TRUNK]], %[[BONUS]]
  // CHECK-NEXT: recur.yield %[[SUM]], %state
  %o = recur.read %fork at %q
  recur.yield %o, %s : !recur.value
}

// Gates are clamped as they are on the trunk.
// CHECK-LABEL: @decays
recur.recurrence @decays(%q: !recur.key, %g: f32, %gk: !recur.key, %gv: !recur.value)
    state(%s: !recur.state) -> !recur.value {
  %a = recur.decay %s by %g : f32
  %b = recur.decay %a by %gk : !recur.key
  %c = recur.decay_values %b by %gv
  // CHECK: %[[CK:.*]] = recur.clamp_gate %gk : !recur.key
  // CHECK-NEXT: %[[EK:.*]] = recur.exp %[[CK]]
  // CHECK-NEXT: %[[X:.*]] = recur.mul %q, %[[EK]]
  // CHECK-NEXT: %[[CG:.*]] = recur.clamp_gate %g : f32
  // CHECK-NEXT: %[[EG:.*]] = recur.exp %[[CG]]
  // CHECK-NEXT: %[[Y:.*]] = recur.scale %[[X]] by %[[EG]]
  // CHECK-NEXT: %[[R:.*]] = recur.read %state at %[[Y]]
  // CHECK-NEXT: %[[CV:.*]] = recur.clamp_gate %gv : !recur.value
  // CHECK-NEXT: %[[EV:.*]] = recur.exp %[[CV]]
  // CHECK-NEXT: %[[O:.*]] = recur.mul
  // CHECK-NEXT: recur.yield %[[O]], %state
  %o = recur.read %c at %q
  recur.yield %o, %s : !recur.value
}

// The trunk is where the yielded state comes from, not where the text goes on.
// CHECK-LABEL: @late_read
recur.recurrence @late_read(%q: !recur.key, %k: !recur.key, %v: !recur.value)
    state(%s: !recur.state) -> !recur.value {
  // CHECK: %[[N:.*]] = recur.write %v at %k into %state
  // CHECK-NEXT: %[[R:.*]] = recur.read %state at %q
  // CHECK-NEXT: recur.yield %[[R]], %[[N]]
  %n = recur.write %v at %k into %s
  %o = recur.read %s at %q
  recur.yield %o, %n : !recur.value
}

// CHECK-LABEL: @entries_stay
recur.recurrence @entries_stay(%q: !recur.key, %m: !recur.matrix {recur.per_head})
    state(%s: !recur.state) -> !recur.value {
  // CHECK: %[[FORK:.*]] = recur.decay_entries %state by %m
  // CHECK-NEXT: recur.read %[[FORK]] at %q
  %fork = recur.decay_entries %s by %m
  %o = recur.read %fork at %q
  recur.yield %o, %s : !recur.value
}
