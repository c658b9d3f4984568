//===- RecurScanOps.td - loops over the steps of a sequence ----------------===//
//
// The container of chunk programs and of recurrent ones: what a step reads,
// writes and carries on.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_RECUR_SCAN_OPS_TD
#define SLUICE_RECUR_SCAN_OPS_TD

include "dialect/recur/RecurDialect.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def ScanOp : Op<Recur_Dialect, "scan", [Symbol, IsolatedFromAbove,
     DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "a loop over the steps of one (sequence, value head)";
  let description = [{
    Runs `body` once per step of `step` tokens, first to last, or last to first
    if `reverse`. The block's arguments are one tensor per port of `inputs`,
    then one per port of `carried`; `recur.scan_yield` gives one tensor per port
    of `outputs`, then the next value of each carried one.

    Types of a port, by kind, with K = `key_dim` and V = `value_dim` (both padded
    to multiples of 16; V is the width of one value block): scalar `tensor<Cxf32>`, key
    `tensor<CxKxf32>`, value `tensor<CxVxf32>`, where C is `step`. If the
    step is one token, or the extent is per_head, the dimension C is absent:
    `tensor<f32>`, `tensor<Kxf32>`, `tensor<Vxf32>`, and matrix and state are
    always `tensor<KxVxf32>`. A saved port of extent per_step has any shape.

    Roles. Inputs: argument; cotangent (of the result of that name); saved; mask.
    Outputs: result; gradient (of the argument of that name, per token); saved.
    Carried: state (starts as initial_state, ends as final_state);
    state_cotangent (starts as the cotangent of final_state, ends as that of
    initial_state); accumulator (gradient of the per-head argument of that
    name: starts as zero, what it ends as is stored).

    Padding: rows past the end of a sequence, key channels past K and value
    channels past V are zero in every input, and are not stored. What a body
    computes there is finite but need not be zero, save that it adds nothing to
    the carried state. Where that is not so by itself, the body uses masks:
    inputs of role mask, 1 where an element is real and 0 where it is padding,
    which no caller passes: generated code fills them from the counts it knows.
    At most one of each kind: scalar per_token (`rows`: rows of this step before
    the sequence's end), key per_head (`key_channels`: channels before K), value
    per_head (`value_channels`: true columns of this value block).

    `checkpoint` = n > 1: the forward stores the saved port `state` before every
    n-th step only; a reverse scan then has a `recompute` region from the inputs
    (all of them, in order) to the carried state: block arguments are the inputs but
    with `state` (the saved port) as the state before the step; it yields
    only the state after the step, as its single carried value.

    Constraints:
    (C1) the block's argument types are those of the ports
    (C2) the body ends with recur.scan_yield of the ports' types
    (C3) step is 1, 16, 32, 64 or 128; key_dim and value_dim are positive
         multiples of 16; checkpoint is at least 1
    (C4) the roles of inputs, outputs and carried are among those above
    (C5) recompute is present exactly if the scan is reverse and checkpoint > 1;
         its arguments are those of the inputs, it yields the state alone

    ```mlir
    recur.scan @sums step 64 key 128 value 128
        inputs [#recur.port<"v" : argument value per_token>]
        outputs [#recur.port<"o" : result value per_token>] carried [] {
    ^bb0(%v: tensor<64x128xf32>):
      %o = recur.cumulative_sum %v : tensor<64x128xf32>
      recur.scan_yield outputs(%o : tensor<64x128xf32>) carried()
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$step, I64Attr:$key_dim, I64Attr:$value_dim,
                       Recur_PortArray:$inputs, Recur_PortArray:$outputs, Recur_PortArray:$carried,
                       DefaultValuedAttr<I64Attr, "1">:$checkpoint, UnitAttr:$reverse);
  let regions = (region SizedRegion<1>:$body, AnyRegion:$recompute);
  let assemblyFormat = [{
    $sym_name `step` $step `key` $key_dim `value` $value_dim (`reverse` $reverse^)?
    (`checkpoint` $checkpoint^)? `inputs` $inputs `outputs` $outputs `carried` $carried
    attr-dict-with-keyword $body (`recompute` $recompute^)?
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    PortAttr getInput(unsigned i) { return ::llvm::cast<PortAttr>(getInputs()[i]); }
    PortAttr getOutput(unsigned i) { return ::llvm::cast<PortAttr>(getOutputs()[i]); }
    PortAttr getCarriedPort(unsigned i) { return ::llvm::cast<PortAttr>(getCarried()[i]); }
    /// The type of a per-token, per-head or carried port; null for saved ports.
    ::mlir::RankedTensorType getPortType(PortAttr port);
    ScanYieldOp getYield();
  }];
}

def ScanYieldOp : Op<Recur_Dialect, "scan_yield", [Pure, Terminator, ReturnLike, HasParent<"ScanOp">,
                     AttrSizedOperandSegments]> {
  let summary = "a step's outputs and the next carried values";
  let description = [{
    Outputs in the order of the scan's ports, then the carried values in theirs.

    Constraints:
    (C1) stands at the end of a recur.scan

    ```mlir
    recur.scan @sums step 64 key 128 value 128
        inputs [#recur.port<"v" : argument value per_token>]
        outputs [#recur.port<"o" : result value per_token>] carried [] {
    ^bb0(%v: tensor<64x128xf32>):
      %o = recur.cumulative_sum %v : tensor<64x128xf32>
      recur.scan_yield outputs(%o : tensor<64x128xf32>) carried()
    }
    ```
  }];
  let arguments = (ins Variadic<Recur_Tensor>:$outputs, Variadic<Recur_Tensor>:$carried);
  let assemblyFormat = [{
    `outputs` `(` ($outputs^ `:` type($outputs))? `)`
    `carried` `(` ($carried^ `:` type($carried))? `)` attr-dict
  }];
}

#endif // SLUICE_RECUR_SCAN_OPS_TD
