// A recurrence without a chunk form is refused at the op that stands against it.
// RUN: not sluice-opt --recur-chunk %s 2>&1 | FileCheck %s

recur.recurrence @hadamard(%k: !recur.key, %v: !recur.value)
    state(%s: !recur.state) -> !recur.value {
  %r = recur.read %s at %k
  // CHECK: [[@LINE+1]]:8: error: no chunk form: a value vector multiplies a read
  %u = recur.mul %v, %r : !recur.value
  %n = recur.write %u at %k into %s
  recur.yield %r, %n as ["o"] : !recur.value
}
// CHECK-NOT: recur.scan
