//===- RecurChunkOps.td - the ops of scans' bodies -------------------------===//
//
// The chunk program: the body of a scan over steps of C tokens works on tensors
// of static shape with C rows. All ops here are pure, float32, and know their
// adjoints. Rows are tokens t of the chunk; g[t] is the sum of token t's log
// decays, a scalar (tensor<C>) or one per key channel (tensor<CxK>).
// In examples C = 64, K = V = 128: %q and %k are C x K, %v is C x V, %g C,
// %gates C x K, %l and %a C x C, %state K x V.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_RECUR_CHUNK_OPS_TD
#define SLUICE_RECUR_CHUNK_OPS_TD

include "dialect/recur/RecurPointwiseOps.td"

class Recur_ChunkOp<string mnemonic, list<Trait> traits = []>
    : Op<Recur_Dialect, mnemonic, traits # [Pure,
         DeclareOpInterfaceMethods<DifferentiableOpInterface>]>;
/// Ops that only adjoints contain.
class Recur_AdjointOp<string mnemonic, list<Trait> traits = []>
    : Op<Recur_Dialect, mnemonic, traits # [Pure]>;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

def ExpandOp : Recur_ChunkOp<"expand"> {
  let summary = "repeats a tensor along new dimensions";
  let description = [{
    Formula: `y[i, j] = x[i]`. `dimensions` are the result's dimensions that the operand lacks.

    | x | y |
    |---|---|
    | y without `dimensions` | any |

    Constraints:
    (C1) `dimensions` ascend and lie within y's rank
    (C2) x has the shape of y without them

    ```mlir
    %y = recur.expand %g along [1] : tensor<64xf32> to tensor<64x128xf32>
    ```
  }];
  let arguments = (ins Recur_Tensor:$x, DenseI64ArrayAttr:$dimensions);
  let results = (outs Recur_Tensor:$y);
  let assemblyFormat = "$x `along` $dimensions attr-dict `:` type($x) `to` type($y)";
  let hasVerifier = 1;
}

def ReduceOp : Recur_ChunkOp<"reduce"> {
  let summary = "sums a tensor over dimensions; the adjoint of expand";
  let description = [{
    Formula: `y[i] = sum over j of x[i, j]`.

    | x | y |
    |---|---|
    | any | x without `dimensions` |

    Constraints:
    (C1) `dimensions` ascend and lie within x's rank
    (C2) y has the shape of x without them

    ```mlir
    %y = recur.reduce %k along [1] : tensor<64x128xf32> to tensor<64xf32>
    ```
  }];
  let arguments = (ins Recur_Tensor:$x, DenseI64ArrayAttr:$dimensions);
  let results = (outs Recur_Tensor:$y);
  let assemblyFormat = "$x `along` $dimensions attr-dict `:` type($x) `to` type($y)";
  let hasVerifier = 1;
}

def InterleaveOp : Recur_ChunkOp<"interleave"> {
  let summary = "joins n tensors so that element t of operand i lands at t n + i";
  let description = [{
    Formula: `y[t n + i] = parts[i][t]`. Puts the steps of several writes per token into time order; the dimension need not be 0.

    | each of n parts | y |
    |---|---|
    | C x .. | n C x .. |

    Constraints:
    (C1) at least one part, all of one type
    (C2) `dimension` is one of theirs
    (C3) y is n times as long in it

    ```mlir
    %y = recur.interleave %q, %k dimension 0
        : (tensor<64x128xf32>, tensor<64x128xf32>) -> tensor<128x128xf32>
    ```
  }];
  let arguments = (ins Variadic<Recur_Tensor>:$parts, I64Attr:$dimension);
  let results = (outs Recur_Tensor:$y);
  let assemblyFormat = "$parts `dimension` $dimension attr-dict `:` functional-type($parts, $y)";
  let hasVerifier = 1;
}

def DeinterleaveOp : Recur_ChunkOp<"deinterleave"> {
  let summary = "splits a tensor into n: element t of result i is element t n + i";
  let description = [{
    Formula: `parts[i][t] = x[t n + i]`. The adjoint of interleave.

    | x | each of n parts |
    |---|---|
    | n C x .. | C x .. |

    Constraints:
    (C1) at least one part, all of one type
    (C2) `dimension` is one of theirs
    (C3) x is n times as long in it

    ```mlir
    %y:2 = recur.deinterleave %k dimension 0
        : (tensor<64x128xf32>) -> (tensor<32x128xf32>, tensor<32x128xf32>)
    ```
  }];
  let arguments = (ins Recur_Tensor:$x, I64Attr:$dimension);
  let results = (outs Variadic<Recur_Tensor>:$parts);
  let assemblyFormat = "$x `dimension` $dimension attr-dict `:` functional-type($x, $parts)";
  let hasVerifier = 1;
}

def DiagonalOp : Recur_ChunkOp<"diagonal"> {
  let summary = "the C x C matrix with x on its diagonal, else 0";
  let description = [{
    Formula: `y[t, t] = x[t], else 0`.

    | x | y |
    |---|---|
    | C | C x C |

    Constraints:
    (C1) y is square
    (C2) x has as many elements as y rows

    ```mlir
    %y = recur.diagonal %g : tensor<64xf32> to tensor<64x64xf32>
    ```
  }];
  let arguments = (ins Recur_Tensor:$x);
  let results = (outs Recur_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($y)";
  let hasVerifier = 1;
}

def DiagonalPartOp : Recur_ChunkOp<"diagonal_part"> {
  let summary = "the diagonal of a C x C matrix; the adjoint of diagonal";
  let description = [{
    Formula: `y[t] = x[t, t]`.

    | x | y |
    |---|---|
    | C x C | C |

    Constraints:
    (C1) x is square
    (C2) y has as many elements as x rows

    ```mlir
    %y = recur.diagonal_part %l : tensor<64x64xf32> to tensor<64xf32>
    ```
  }];
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
    Formula: `z[i, j] = sum over n of op(x)[i, n] op(y)[n, j]`.

    `triangle` tells what is triangular, so that the rest is neither computed
    nor read:
    - lower_lhs, strictly_lower_lhs: entries of x as stored (before its
      transposition) above (and on) the diagonal are taken as 0, whatever they are;
    - lower_result, strictly_lower_result: entries of z above (and on) the
      diagonal are 0, whatever the operands hold.

    | x | y | z |
    |---|---|---|
    | M x N, or N x M transposed | N x P, or P x N transposed | M x P |

    Constraints:
    (C1) x and y are matrices whose inner dimensions agree; z has the outer ones
    (C2) a lower result needs an untransposed x and a transposed y, and is square
    (C3) a lower lhs is square

    ```mlir
    %z = recur.product %q, %k transpose_rhs strictly_lower_result
        : (tensor<64x128xf32>, tensor<64x128xf32>) -> tensor<64x64xf32>
    ```
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
    Formula: `t = (I - a)^-1`. Entries of `a` on and above the
    diagonal are not read; the result is unit lower triangular, zero above. By itself
    its adjoint is da = strictly_lower(t^T dt t^T); recur.apply_inverse has a cheaper one.

    | a | t |
    |---|---|
    | C x C | C x C |

    Constraints:
    (C1) a is square

    ```mlir
    %t = recur.unit_lower_inverse %a : tensor<64x64xf32>
    ```
  }];
  let arguments = (ins Recur_Tensor:$a);
  let results = (outs Recur_Tensor:$t);
  let assemblyFormat = "$a attr-dict `:` type($a)";
  let hasVerifier = 1;
}

def ApplyInverseOp : Recur_ChunkOp<"apply_inverse", [AllTypesMatch<["b", "u"]>, AllTypesMatch<["t", "a"]>]> {
  let summary = "u = t b, where t is the inverse of I - a";
  let description = [{
    Formula: `u = t b, where t is the inverse of I - a`. `t` is
    recur.unit_lower_inverse of `a`, computed or saved. Knowing `a` gives the cheap
    adjoint: db = t^T du, da = strictly_lower(db u^T), and nothing flows into `t`.

    | t | b | a | u |
    |---|---|---|---|
    | C x C | C x N | C x C | C x N |

    Constraints:
    (C1) a is square, t has its type
    (C2) b is a matrix with the rows of a, u has its type

    ```mlir
    %u = recur.apply_inverse %l to %v of %a : tensor<64x64xf32>, tensor<64x128xf32>
    ```
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
    Formula: `y[t] = sum of x[s] over s <= t`. With `exclusive` over
    s < t, with `reverse` over s >= t, with both over s > t.

    | x | y |
    |---|---|
    | C or C x K | as x |

    Constraints:
    (C1) x has at least one dimension

    ```mlir
    %y = recur.cumulative_sum %g reverse exclusive : tensor<64xf32>
    ```
  }];
  let arguments = (ins Recur_Tensor:$x, UnitAttr:$reverse, UnitAttr:$exclusive);
  let results = (outs Recur_Tensor:$y);
  let assemblyFormat = "$x (`reverse` $reverse^)? (`exclusive` $exclusive^)? attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def DecayMatrixOp : Recur_ChunkOp<"decay_matrix"> {
  let summary = "d[t,s] = e^(sum of g between s and t), scalar gates";
  let description = [{
    Formula: `d[t, s] = e^(sum of g[i] over s < i <= t)`. 
    - span through: the sum is over s < i <= t; d is 1 on the diagonal, 0 above;
    - span between: the sum is over s < i < t; d is 0 on and above the diagonal.

    Accurate to float32 rounding however large some gates are.

    | g | d |
    |---|---|
    | C | C x C |

    Constraints:
    (C1) g is a vector
    (C2) d is square, of its length

    ```mlir
    %d = recur.decay_matrix through %g : tensor<64xf32> to tensor<64x64xf32>
    ```
  }];
  let arguments = (ins Recur_Tensor:$g, Recur_Span:$span);
  let results = (outs Recur_Tensor:$d);
  let assemblyFormat = "$span $g attr-dict `:` type($g) `to` type($d)";
  let hasVerifier = 1;
}

def DecayMatrixAdjointOp : Recur_AdjointOp<"decay_matrix_adjoint", [AllTypesMatch<["d", "dd"]>]> {
  let summary = "dg[i] = sum of d[t,s] dd[t,s] over the pairs whose span holds i";
  let description = [{
    Formula: `dg[i] = sum of d[t, s] dd[t, s] over the pairs whose span holds i`.

    | d | dd | dg |
    |---|---|---|
    | C x C | as d | C |

    Constraints:
    (C1) d is square, dd has its type
    (C2) dg has as many elements as d rows

    ```mlir
    %dg = recur.decay_matrix_adjoint through %l, %a : tensor<64x64xf32> to tensor<64xf32>
    ```
  }];
  let arguments = (ins Recur_Tensor:$d, Recur_Tensor:$dd, Recur_Span:$span);
  let results = (outs Recur_Tensor:$dg);
  let assemblyFormat = "$span $d `,` $dd attr-dict `:` type($d) `to` type($dg)";
  let hasVerifier = 1;
}

def DecayedScoresOp : Recur_ChunkOp<"decayed_scores", [AllTypesMatch<["x", "k", "g"]>]> {
  let summary = "l[t,s] = sum_c x[t,c] k[s,c] e^(sum of g[.,c] between s and t), channel gates";
  let description = [{
    Formula: `l[t, s] = sum over c of x[t, c] k[s, c] e^(sum of g[i, c] between s and t)`. 
    Exponents as in recur.decay_matrix, one for each key channel c. Entries above
    the diagonal are 0; those on it too unless `diagonal`, whose exponent is 0. Never
    overflows where g <= 0: sub-blocks of 16 tokens, anchored (derivation, section 5,
    rule 2).

    | x | k | g | l |
    |---|---|---|---|
    | C x K | as x | as x | C x C |

    Constraints:
    (C1) x is a matrix, k and g have its type
    (C2) l is square, of its rows
    (C3) `diagonal` needs span through

    ```mlir
    %l = recur.decayed_scores through diagonal %q, %k, %gates
        : tensor<64x128xf32> to tensor<64x64xf32>
    ```
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
    With e(t, s, c) as in recur.decayed_scores:
    `dx[t, c] = sum over s of dl[t, s] k[s, c] e(t, s, c)`;
    `dk[s, c] = sum over t of dl[t, s] x[t, c] e(t, s, c)`;
    `dg[i, c]` = sum of `dl[t, s] x[t, c] k[s, c] e(t, s, c)` over the pairs (t, s)
    whose span holds i. Entries of dl where l is 0 by definition are not read.

    | x | k | g | dl | dx, dk, dg |
    |---|---|---|---|---|
    | C x K | as x | as x | C x C | as x |

    Constraints:
    (C1) x is a matrix, k, g, dx, dk and dg have its type
    (C2) dl is square, of its rows
    (C3) `diagonal` needs span through

    ```mlir
    %dx, %dk, %dg = recur.decayed_scores_adjoint through %q, %k, %gates, %l
        : tensor<64x128xf32>, tensor<64x64xf32>
    ```
  }];
  let arguments = (ins Recur_Tensor:$x, Recur_Tensor:$k, Recur_Tensor:$g, Recur_Tensor:$dl, Recur_Span:$span, UnitAttr:$diagonal);
  let results = (outs Recur_Tensor:$dx, Recur_Tensor:$dk, Recur_Tensor:$dg);
  let assemblyFormat = [{
    $span (`diagonal` $diagonal^)? $x `,` $k `,` $g `,` $dl attr-dict `:` type($x) `,` type($dl)
  }];
  let hasVerifier = 1;
}

#endif // SLUICE_RECUR_CHUNK_OPS_TD
