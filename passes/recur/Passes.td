//===- Passes.td - passes on recurrences and scans -------------------------===//
//
// Each pass is the function of the same name in Passes.h. Their order:
// recur-normalize, then recur-chunk or recur-step, then recur-differentiate.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_PASSES_RECUR_TD
#define SLUICE_PASSES_RECUR_TD

include "mlir/Pass/PassBase.td"

def NormalizeRecurrence : Pass<"recur-normalize", "::sluice::recur::RecurrenceOp"> {
  let summary = "brings token programs into the form that the other passes read";
  let description = [{
    - arith and math ops on f32 become recur ops;
    - pointwise arithmetic on broadcasts becomes a broadcast of scalar arithmetic;
    - reads of states that the yielded state does not descend from (forks) are
      moved onto the trunk: read(write(S, x, u), y) = read(S, y) + (x . y) u,
      read(decay(S, g), y) = read(S, e^g y). A fork that decays entry by entry stays.

    Before:
    ```mlir
    %fork = recur.write %v at %uk into %state
    %o = recur.read %fork at %q
    ```
    After:
    ```mlir
    %trunk = recur.read %state at %q
    %s = recur.dot %uk, %q : !recur.key
    %bonus = recur.scale %v by %s : !recur.value
    %o = recur.add %trunk, %bonus : !recur.value
    ```
  }];
  let statistics = [Statistic<"forkedReads", "forked-reads", "reads moved from a fork onto the trunk">];
}

def ClassifyRecurrence : Pass<"recur-classify", "::sluice::recur::RecurrenceOp"> {
  let summary = "says which token programs have a chunk form, and why others have none";
  let description = [{
    A recurrence is chunkable if every written value is affine in the reads with
    scalar coefficients, every decay is a scalar or a key, and keys and gates do
    not depend on the state. The answer is a remark: at the recurrence, or at the
    op that stands against it. Changes nothing but the normal form.

    ```
    remark: chunkable: 1 bound and 0 free writes, 2 reads, 1 decays
    remark: recurrent form only: a value vector multiplies a read
    ```
  }];
}


def ChunkRecurrence : Pass<"recur-chunk", "::mlir::ModuleOp"> {
  let summary = "derives the chunk program of each recurrence";
  let description = [{
    Adds the scan @NAME_chunk_forward after each recurrence @NAME (derivation,
    section 3). Scores of the reads against the writes before them, decayed
    reads of the carried state, and, only where a write depends on a read, a
    unit lower triangular solve. A recurrence without a chunk form is an error
    at the op that stands against it.

    Before:
    ```mlir
    %next = recur.write %v at %k into %state
    %o = recur.read %next at %q
    ```
    After, with C = 64, K = 128, V = 64:
    ```mlir
    %0 = recur.product %q, %k transpose_rhs lower_result : (...) -> tensor<64x64xf32>
    %1 = recur.product %q, %state : (...) -> tensor<64x64xf32>
    %2 = recur.product %0, %v lower_lhs : (...) -> tensor<64x64xf32>
    %o = recur.add %1, %2 : tensor<64x64xf32>
    %3 = recur.product %k, %v transpose_lhs : (...) -> tensor<128x64xf32>
    %next = recur.add %state, %3 : tensor<128x64xf32>
    ```
  }];
  let options = [
    Option<"chunk", "chunk", "int64_t", "64", "tokens per step: 16, 32, 64 or 128">,
    Option<"keyDim", "key-dim", "int64_t", "64", "key channels K, rounded up to 16">,
    Option<"valueDim", "value-dim", "int64_t", "64", "value channels of one block, rounded up to 16">
  ];
  let dependentDialects = ["::sluice::recur::RecurDialect"];
}

def StepRecurrence : Pass<"recur-step", "::mlir::ModuleOp"> {
  let summary = "turns each recurrence into a scan of one token per step";
  let description = [{
    Adds the scan @NAME_recurrent_forward after each recurrence @NAME: every op
    on tensors, the state K x V. Any well-formed recurrence has this form.

    Before:
    ```mlir
    %o = recur.read %next at %q
    ```
    After:
    ```mlir
    %0 = recur.expand %q along [1] : tensor<128xf32> to tensor<128x64xf32>
    %1 = recur.mul %next, %0 : tensor<128x64xf32>
    %o = recur.reduce %1 along [0] : tensor<128x64xf32> to tensor<64xf32>
    ```
  }];
  let options = [
    Option<"keyDim", "key-dim", "int64_t", "64", "key channels K, rounded up to 16">,
    Option<"valueDim", "value-dim", "int64_t", "64", "value channels of one block, rounded up to 16">,
    Option<"checkpoint", "checkpoint", "int64_t", "1", "steps per saved state">
  ];
  let dependentDialects = ["::sluice::recur::RecurDialect"];
}

def DifferentiateScan : Pass<"recur-differentiate", "::mlir::ModuleOp"> {
  let summary = "adds the adjoint of each forward scan";
  let description = [{
    For each scan @X_forward adds the reverse scan @X_backward: the forward's
    values are computed again from its inputs and the saved state, then each op
    gives its adjoint in turn. Gradients per token are outputs; those of
    per-head arguments accumulate in carried values, as does the cotangent of
    the state. The forward gains the saved outputs.

    Before:
    ```mlir
    recur.scan @X_forward ... outputs [#recur.port<"o" : result value per_token>]
    ```
    After:
    ```mlir
    recur.scan @X_forward ... outputs [#recur.port<"o" : result value per_token>,
                                       #recur.port<"state" : saved state per_step>]
    recur.scan @X_backward ... reverse
      inputs [..., #recur.port<"state" : saved state per_step>,
              #recur.port<"o" : cotangent value per_token>]
      outputs [#recur.port<"q" : gradient key per_token>, ...]
      carried [#recur.port<"state" : state_cotangent state per_step>]
    ```
  }];
  let options = [
    Option<"storeInverse", "store-inverse", "bool", "true",
           "save the triangular inverse instead of computing it again">
  ];
  let statistics = [Statistic<"products", "products", "matrix products in the adjoints">];
  let dependentDialects = ["::sluice::recur::RecurDialect"];
}

#endif // SLUICE_PASSES_RECUR_TD
