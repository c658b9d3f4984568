//===- RecurChunkOps.td - scans and the ops of their bodies ----------------===//
//
// The chunk program: a scan over steps of C tokens whose body works on tensors
// of static shape with C rows. All ops here are pure, float32, and know their
// adjoints. Rows are tokens t of the chunk; g[t] is the sum of token t's log
// decays, a scalar (tensor<C>) or one per key channel (tensor<CxK>).
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_RECUR_CHUNK_OPS_TD
#define SLUICE_RECUR_CHUNK_OPS_TD

include "dialect/recur/RecurPointwiseOps.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

class Recur_ChunkOp<string mnemonic, list<Trait> traits = []>
    : Op<Recur_Dialect, mnemonic, traits # [Pure,
         DeclareOpInterfaceMethods<DifferentiableOpInterface>]>;
/// Ops that only adjoints contain.
class Recur_AdjointOp<string mnemonic, list<Trait> traits = []>
    : Op<Recur_Dialect, mnemonic, traits # [Pure]>;

//===----------------------------------------------------------------------===//
// Container
//===----------------------------------------------------------------------===//

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
    (C3) step is 1, 16, 32, 64 or 128; key_dim and value_dim are multiples of 16
    (C4) the roles of inputs, outputs and carried are among those above
    (C5) recompute is present exactly if the scan is reverse and checkpoint > 1
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
  let arguments = (ins Variadic<Recur_Tensor>:$outputs, Variadic<Recur_Tensor>:$carried);
  let assemblyFormat = [{
    `outputs` `(` ($outputs^ `:` type($outputs))? `)`
    `carried` `(` ($carried^ `:` type($carried))? `)` attr-dict
  }];
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

def ExpandOp : Recur_ChunkOp<"expand"> {
  let summary = "repeats a tensor along new dimensions";
  let description = [{
    `dimensions` are the result's dimensions that the operand lacks.
    `%y = recur.expand %x along [1] : tensor<64xf32> to tensor<64x128xf32>`
  }];
  let arguments = (ins Recur_Tensor:$x, DenseI64ArrayAttr:$dimensions);
  let results = (outs Recur_Tensor:$y);
  let assemblyFormat = "$x `along` $dimensions attr-dict `:` type($x) `to` type($y)";
  let hasVerifier = 1;
}

def ReduceOp : Recur_ChunkOp<"reduce"> {
  let summary = "sums a tensor over dimensions; the adjoint of expand";
  let arguments = (ins Recur_Tensor:$x, DenseI64ArrayAttr:$dimensions);
  let results = (outs Recur_Tensor:$y);
  let assemblyFormat = "$x `along` $dimensions attr-dict `:` type($x) `to` type($y)";
  let hasVerifier = 1;
}

def InterleaveOp : Recur_ChunkOp<"interleave"> {
  let summary = "joins n tensors so that element t of operand i lands at t n + i";
  let description = [{
    Puts the steps of several writes per token into time order, along
    `dimension`. All operands have one type.
    `%y = recur.interleave %a, %b dimension 0 : tensor<32x128xf32> to tensor<64x128xf32>`
  }];
  let arguments = (ins Variadic<Recur_Tensor>:$parts, I64Attr:$dimension);
  let results = (outs Recur_Tensor:$y);
  let assemblyFormat = "$parts `dimension` $dimension attr-dict `:` functional-type($parts, $y)";
  let hasVerifier = 1;
}

def DeinterleaveOp : Recur_ChunkOp<"deinterleave"> {
  let summary = "splits a tensor into n: element t of result i is element t n + i";
  let arguments = (ins Recur_Tensor:$x, I64Attr:$dimension);
  let results = (outs Variadic<Recur_Tensor>:$parts);
  let assemblyFormat = "$x `dimension` $dimension attr-dict `:` functional-type($x, $parts)";
  let hasVerifier = 1;
}

def DiagonalOp : Recur_ChunkOp<"diagonal"> {
  let summary = "the C x C matrix with x on its diagonal, else 0";
  let arguments = (ins Recur_Tensor:$x);
  let results = (outs Recur_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($y)";
  let hasVerifier = 1;
}

def DiagonalPartOp : Recur_ChunkOp<"diagonal_part"> {
  let summary = "the diagonal of a C x C matrix; the adjoint of diagonal";
  let arguments = (ins Recur_Tensor:$x);
  let results = (outs Recur_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($y)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

def ProductOp : Recur_ChunkOp<"product"> {
  let summary = "z = op(x) op(y), where op transposes if told";
  let description = [{
    `triangle` tells what is triangular, so that the rest is neither computed
    nor read:
    - lower_lhs, strictly_lower_lhs: entries of x as stored (before its
      transposition) above (and on) the diagonal are taken as 0, whatever they are;
    - lower_result, strictly_lower_result: entries of z above (and on) the
      diagonal are 0, whatever the operands hold.

    (C1) inner dimensions agree, the result has the outer ones
    (C2) a lower result needs an untransposed x and a transposed y, z square
    (C3) a lower lhs is square

    `%l = recur.product %q, %k transpose_rhs strictly_lower_result
        : (tensor<64x128xf32>, tensor<64x128xf32>) -> tensor<64x64xf32>`
  }];
  let arguments = (ins Recur_Tensor:$x, Recur_Tensor:$y, UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs,
                       DefaultValuedAttr<Recur_Triangle, "Triangle::Full">:$triangle);
  let results = (outs Recur_Tensor:$z);
  let assemblyFormat = [{
    $x `,` $y (`transpose_lhs` $transpose_lhs^)? (`transpose_rhs` $transpose_rhs^)?
    ($triangle^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$x, "::mlir::Value":$y, CArg<"bool", "false">:$transposeLhs,
      CArg<"bool", "false">:$transposeRhs, CArg<"Triangle", "Triangle::Full">:$triangle)>];
}

def UnitLowerInverseOp : Recur_ChunkOp<"unit_lower_inverse", [SameOperandsAndResultType]> {
  let summary = "t = (I - a)^-1 for a strictly lower triangular";
  let description = [{
    Entries of `a` on and above the diagonal are not read. The result is unit
    lower triangular (zeros above). Its adjoint runs through recur.apply_inverse:
    differentiated by itself it is da = strictly_lower(t^T dt t^T).
  }];
  let arguments = (ins Recur_Tensor:$a);
  let results = (outs Recur_Tensor:$t);
  let assemblyFormat = "$a attr-dict `:` type($a)";
  let hasVerifier = 1;
}

def ApplyInverseOp : Recur_ChunkOp<"apply_inverse", [AllTypesMatch<["b", "u"]>, AllTypesMatch<["t", "a"]>]> {
  let summary = "u = t b, where t is the inverse of I - a";
  let description = [{
    `t` is recur.unit_lower_inverse of `a`, computed or saved. Knowing `a` gives
    the cheap adjoint: db = t^T du, da = strictly_lower(db u^T), and nothing
    flows into `t`.
  }];
  let arguments = (ins Recur_Tensor:$t, Recur_Tensor:$b, Recur_Tensor:$a);
  let results = (outs Recur_Tensor:$u);
  let assemblyFormat = "$t `to` $b `of` $a attr-dict `:` type($a) `,` type($b)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Gates. All exponents are sums of log decays, <= 0 in normal use.
//===----------------------------------------------------------------------===//

def CumulativeSumOp : Recur_ChunkOp<"cumulative_sum", [SameOperandsAndResultType]> {
  let summary = "sums along the tokens of a chunk (dimension 0)";
  let description = [{
    `y[t] = sum of x[s]` over s <= t; `exclusive`: s < t; `reverse`: s >= t;
    both: s > t.
  }];
  let arguments = (ins Recur_Tensor:$x, UnitAttr:$reverse, UnitAttr:$exclusive);
  let results = (outs Recur_Tensor:$y);
  let assemblyFormat = "$x (`reverse` $reverse^)? (`exclusive` $exclusive^)? attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def DecayMatrixOp : Recur_ChunkOp<"decay_matrix"> {
  let summary = "d[t,s] = e^(sum of g between s and t), scalar gates";
  let description = [{
    - span through: the sum is over s < i <= t; d is 1 on the diagonal, 0 above;
    - span between: the sum is over s < i < t; d is 0 on and above the diagonal.
    Accurate to float32 rounding however large some gates are.
  }];
  let arguments = (ins Recur_Tensor:$g, Recur_Span:$span);
  let results = (outs Recur_Tensor:$d);
  let assemblyFormat = "$span $g attr-dict `:` type($g) `to` type($d)";
  let hasVerifier = 1;
}

def DecayMatrixAdjointOp : Recur_AdjointOp<"decay_matrix_adjoint", [AllTypesMatch<["d", "dd"]>]> {
  let summary = "dg[i] = sum of d[t,s] dd[t,s] over the pairs whose span holds i";
  let arguments = (ins Recur_Tensor:$d, Recur_Tensor:$dd, Recur_Span:$span);
  let results = (outs Recur_Tensor:$dg);
  let assemblyFormat = "$span $d `,` $dd attr-dict `:` type($d) `to` type($dg)";
  let hasVerifier = 1;
}

def DecayedScoresOp : Recur_ChunkOp<"decayed_scores", [AllTypesMatch<["x", "k", "g"]>]> {
  let summary = "l[t,s] = sum_c x[t,c] k[s,c] e^(sum of g[.,c] between s and t), channel gates";
  let description = [{
    Exponents as in recur.decay_matrix, one for each key channel c. Entries above
    the diagonal are 0; those on it too unless `diagonal`, which needs span
    through (its exponent is 0). Never overflows where g <= 0: sub-blocks of 16
    tokens, anchored (derivation, section 5, rule 2).
  }];
  let arguments = (ins Recur_Tensor:$x, Recur_Tensor:$k, Recur_Tensor:$g, Recur_Span:$span, UnitAttr:$diagonal);
  let results = (outs Recur_Tensor:$l);
  let assemblyFormat = "$span (`diagonal` $diagonal^)? $x `,` $k `,` $g attr-dict `:` type($x) `to` type($l)";
  let hasVerifier = 1;
}

def DecayedScoresAdjointOp : Recur_AdjointOp<"decayed_scores_adjoint",
    [AllTypesMatch<["x", "k", "g", "dx", "dk", "dg"]>]> {
  let summary = "cotangents of x, k and g of recur.decayed_scores, given dl";
  let description = [{
    dx[t,c] = sum_s dl[t,s] k[s,c] e(t,s,c);  dk[s,c] = sum_t dl[t,s] x[t,c] e(t,s,c);
    dg[i,c] = sum over the pairs (t,s) whose span holds i of dl[t,s] x[t,c] k[s,c] e(t,s,c).
    Entries of dl where l is 0 by definition are not read.
  }];
  let arguments = (ins Recur_Tensor:$x, Recur_Tensor:$k, Recur_Tensor:$g, Recur_Tensor:$dl, Recur_Span:$span, UnitAttr:$diagonal);
  let results = (outs Recur_Tensor:$dx, Recur_Tensor:$dk, Recur_Tensor:$dg);
  let assemblyFormat = [{
    $span (`diagonal` $diagonal^)? $x `,` $k `,` $g `,` $dl attr-dict `:` type($x) `,` type($dl)
  }];
  let hasVerifier = 1;
}

#endif // SLUICE_RECUR_CHUNK_OPS_TD
