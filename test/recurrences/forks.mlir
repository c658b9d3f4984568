// Reads of forks: a bonus beside a decay, two writes deep, that the yielded state never sees.
// RUN: %sluice check %s --tokens 70 --key-dim 32 --value-dim 48 --chunk 16
// RUN: %sluice check %s --tokens 150 --key-dim 20 --value-dim 17 --chunk 64

recur.recurrence @forks(%q: !recur.key, %k: !recur.key, %v: !recur.value, %w: !recur.value, %g: !recur.key,
    %u: !recur.key {recur.per_head}) state(%state: !recur.state) -> (!recur.value, !recur.value) {
  %bonus = recur.mul %u, %k : !recur.key
  %fork1 = recur.write %v at %bonus into %state
  %fork2 = recur.decay %fork1 by %g : !recur.key
  %fork3 = recur.write %w at %q into %fork2
  %o = recur.read %fork3 at %q
  %p = recur.read %fork1 at %k
  %decayed = recur.decay %state by %g : !recur.key
  %next = recur.write %v at %k into %decayed
  recur.yield %o, %p, %next : !recur.value, !recur.value
}
