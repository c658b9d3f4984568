// A state that only decays, channel by channel after an exponential of a constant, and is read twice.
// RUN: %sluice check %s --tokens 70 --key-dim 32 --value-dim 48 --chunk 16
// RUN: %sluice check %s --tokens 150 --key-dim 20 --value-dim 17 --chunk 64

recur.recurrence @nothing_written(%q: !recur.key, %k: !recur.key, %A_log: !recur.key {recur.per_head, recur.draw = "constant"})
    state(%state: !recur.state) -> (!recur.value, !recur.value) {
  %rate = recur.exp %A_log : !recur.key
  %tenth = recur.constant -0.1 : !recur.key
  %g = recur.mul %rate, %tenth : !recur.key
  %a = recur.read %state at %q
  %next = recur.decay %state by %g : !recur.key
  %b = recur.read %next at %k
  recur.yield %a, %b, %next : !recur.value, !recur.value
}
