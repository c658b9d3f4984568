// Writes what the state before this token holds for the query, after two other writes and a decay.
// RUN: %sluice check %s --tokens 70 --key-dim 32 --value-dim 48 --chunk 16
// RUN: %sluice check %s --tokens 150 --key-dim 20 --value-dim 17 --chunk 64

recur.recurrence @write_of_older_read(%q: !recur.key, %k: !recur.key, %v: !recur.value, %g: !recur.key, %beta: f32)
    state(%state: !recur.state) -> !recur.value {
  %early = recur.read %state at %q
  %s1 = recur.decay %state by %g : !recur.key
  %s2 = recur.write %v at %k into %s1
  %late = recur.read %s2 at %k
  %s3 = recur.decay %s2 by %g : !recur.key
  %mixed = recur.sub %early, %late : !recur.value
  %u = recur.scale %mixed by %beta : !recur.value
  %next = recur.write %u at %k into %s3
  %o = recur.read %s2 at %q
  recur.yield %o, %next : !recur.value
}
