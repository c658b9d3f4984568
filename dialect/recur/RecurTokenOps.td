//===- RecurTokenOps.td - token programs -----------------------------------===//
//
// What a person writes: the container, the ops that touch the state, and the
// vector arithmetic that changes kinds. S is the K x V state; x, k keys; u
// values; g log decays (normally <= 0).
// In examples %state is a state; %q and %k are keys, %v and %u values, %g and
// %beta scalars, %gates a key, %values a value and %entries a matrix of gates.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_RECUR_TOKEN_OPS_TD
#define SLUICE_RECUR_TOKEN_OPS_TD

include "dialect/recur/RecurPointwiseOps.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

class Recur_TokenOp<string mnemonic, list<Trait> traits = []>
    : Op<Recur_Dialect, mnemonic, traits # [Pure]>;

//===----------------------------------------------------------------------===//
// Container
//===----------------------------------------------------------------------===//

def RecurrenceOp : Op<Recur_Dialect, "recurrence",
    [Symbol, IsolatedFromAbove, SingleBlock,
     DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "what happens to one (sequence, head) at one token";
  let description = [{
    The block's arguments are the program's arguments followed by the state
    before this token. `arg_names` keeps the arguments' spelled names: they are
    the tensors' names. An argument is per token unless its attributes hold
    `recur.per_head`; `recur.draw = "..."` overrides how test inputs are drawn.

    | argument | K, V as in the tensors |
    |---|---|
    | f32 | one number per token, or per head |
    | !recur.key | K numbers per token, or per head |
    | !recur.value | V numbers per token, or per head |
    | !recur.matrix | K x V numbers per head |

    The arithmetic of arith and math that may be used on f32: arith.constant,
    addf, subf, mulf, divf, negf, maximumf, minimumf; math.absf, exp, exp2, expm1,
    fma, log, log1p, log2, sqrt, rsqrt, tanh.

    Constraints:
    (C1) an argument is f32, a key, a value or a matrix; a matrix is per head
    (C2) the block's arguments are the program's, then one of type `!recur.state`
    (C3) at least one result; results are f32, keys or values
    (C4) names of arguments and results are unique in the recurrence, and none
         is empty or reserved: `initial_state`, `final_state`, `cu_seqlens`, `state`,
         or `d` followed by another name among them or by a state's
    (C5) `recur.yield` ends the body, with the declared result types and a state
         that descends from the state argument
    (C6) an argument's attributes are among `recur.per_head` and `recur.draw`
    (C7) only recur ops on the types above, and the arithmetic above, may be used

    ```mlir
    recur.recurrence @linear_attention(%q: !recur.key, %k: !recur.key, %v: !recur.value)
        state(%state: !recur.state) -> !recur.value {
      %next = recur.write %v at %k into %state
      %o = recur.read %next at %q
      recur.yield %o, %next : !recur.value
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       StrArrayAttr:$arg_names, OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<StrAttr>:$sym_visibility);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The program's arguments, without the state.
    ::mlir::Block::BlockArgListType getProgramArguments();
    ::mlir::BlockArgument getStateArgument();
    bool isPerHead(unsigned argument);
    /// The text of `recur.draw`, or empty.
    ::llvm::StringRef getDraw(unsigned argument);
    ::llvm::StringRef getArgumentName(unsigned argument);
    ::llvm::StringRef getResultName(unsigned result);
    YieldOp getYield();
  }];
}

def YieldOp : Op<Recur_Dialect, "yield", [Pure, Terminator, ReturnLike, HasParent<"RecurrenceOp">]> {
  let summary = "results and the state after this token";
  let description = [{
    Results first, the state last; the types are the results'. `result_names`
    keeps the results' spelled names: they are the tensors' names. Names that are
    not those of the SSA values are spelled `as ["o", "s"]` before the types.

    Constraints:
    (C1) one name for each result

    ```mlir
    recur.recurrence @linear_attention(%q: !recur.key, %k: !recur.key, %v: !recur.value)
        state(%state: !recur.state) -> !recur.value {
      %next = recur.write %v at %k into %state
      %read = recur.read %next at %q
      recur.yield %read, %next as ["o"] : !recur.value
    }
    ```
  }];
  let arguments = (ins Variadic<Recur_Port>:$values, Recur_StateType:$state,
                       StrArrayAttr:$result_names);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Ops on the state
//===----------------------------------------------------------------------===//

def DecayOp : Recur_TokenOp<"decay"> {
  let summary = "S <- diag(e^g) S";
  let description = [{
    Formula: `S <- diag(e^g) S`. Gates are clamped at -128, with gradient 0 there and below.

    | state | gate | next |
    |---|---|---|
    | K x V | scalar or K | K x V |

    Constraints:
    (C1) the gate is f32 or a key

    ```mlir
    %gated = recur.decay %state by %g : f32
    ```
  }];
  let arguments = (ins Recur_StateType:$state, AnyTypeOf<[F32, Recur_KeyType]>:$gate);
  let results = (outs Recur_StateType:$next);
  let assemblyFormat = "$state `by` $gate attr-dict `:` type($gate)";
  let hasFolder = 1;
}

def DecayValuesOp : Recur_TokenOp<"decay_values"> {
  let summary = "S <- S diag(e^g), g a value (recurrent form only)";
  let description = [{
    Formula: `S <- S diag(e^g)`. Recurrent form only.

    | state | gate | next |
    |---|---|---|
    | K x V | V | K x V |

    Constraints:
    (C1) the gate is a value

    ```mlir
    %gated = recur.decay_values %state by %values
    ```
  }];
  let arguments = (ins Recur_StateType:$state, Recur_ValueType:$gate);
  let results = (outs Recur_StateType:$next);
  let assemblyFormat = "$state `by` $gate attr-dict";
  let hasFolder = 1;
}

def DecayEntriesOp : Recur_TokenOp<"decay_entries"> {
  let summary = "S <- e^g * S entry by entry, g a matrix (recurrent form only)";
  let description = [{
    Formula: `S <- e^g * S`. Recurrent form only.

    | state | gate | next |
    |---|---|---|
    | K x V | K x V | K x V |

    Constraints:
    (C1) the gate is a matrix

    ```mlir
    %gated = recur.decay_entries %state by %entries
    ```
  }];
  let arguments = (ins Recur_StateType:$state, Recur_MatrixType:$gate);
  let results = (outs Recur_StateType:$next);
  let assemblyFormat = "$state `by` $gate attr-dict";
  let hasFolder = 1;
}

def ReadOp : Recur_TokenOp<"read"> {
  let summary = "r = S^T x";
  let description = [{
    Formula: `r = S^T x`.

    | state | at | value |
    |---|---|---|
    | K x V | K | V |

    Constraints:
    (C1) `at` is a key

    ```mlir
    %old = recur.read %state at %k
    ```
  }];
  let arguments = (ins Recur_StateType:$state, Recur_KeyType:$at);
  let results = (outs Recur_ValueType:$value);
  let assemblyFormat = "$state `at` $at attr-dict";
}

def WriteOp : Recur_TokenOp<"write"> {
  let summary = "S <- S + x u^T";
  let description = [{
    Formula: `S <- S + x u^T`.

    | value (u) | at (x) | state | next |
    |---|---|---|---|
    | V | K | K x V | K x V |

    Constraints:
    (C1) `value` is a value
    (C2) `at` is a key

    ```mlir
    %next = recur.write %v at %k into %state
    ```
  }];
  let arguments = (ins Recur_ValueType:$value, Recur_KeyType:$at, Recur_StateType:$state);
  let results = (outs Recur_StateType:$next);
  let assemblyFormat = "$value `at` $at `into` $state attr-dict";
}

//===----------------------------------------------------------------------===//
// Arithmetic that changes kinds
//===----------------------------------------------------------------------===//

def ScaleOp : Recur_TokenOp<"scale", [AllTypesMatch<["x", "y"]>]> {
  let summary = "y = s x, s a scalar";
  let description = [{
    Formula: `y = s x`.

    | x | by (s) | y |
    |---|---|---|
    | K, V or K x V | scalar | as x |

    Constraints:
    (C1) x is a key, a value or a matrix
    (C2) `by` is f32
    (C3) y has the type of x

    ```mlir
    %delta = recur.scale %v by %beta : !recur.value
    ```
  }];
  let arguments = (ins AnyTypeOf<[Recur_KeyType, Recur_ValueType, Recur_MatrixType]>:$x, F32:$by);
  let results = (outs AnyTypeOf<[Recur_KeyType, Recur_ValueType, Recur_MatrixType]>:$y);
  let assemblyFormat = "$x `by` $by attr-dict `:` type($y)";
  let hasFolder = 1;
}

def BroadcastOp : Recur_TokenOp<"broadcast"> {
  let summary = "repeats a scalar over a vector or matrix, or a vector over a matrix";
  let description = [{
    Formula: `y[i, j] = x, x[i] or x[j]`. A key is repeated along the value channels, a value along the key channels.

    | x | y |
    |---|---|
    | scalar, K or V | K, V or K x V |

    Constraints:
    (C1) from f32 to a key, a value or a matrix; from a key or a value to a matrix

    ```mlir
    %y = recur.broadcast %g : f32 to !recur.key
    ```
  }];
  let arguments = (ins AnyTypeOf<[F32, Recur_KeyType, Recur_ValueType]>:$x);
  let results = (outs AnyTypeOf<[Recur_KeyType, Recur_ValueType, Recur_MatrixType]>:$y);
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($y)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def DotOp : Recur_TokenOp<"dot", [AllTypesMatch<["x", "y"]>]> {
  let summary = "s = x . y";
  let description = [{
    Formula: `s = x . y`.

    | x | y | s |
    |---|---|---|
    | K or V | as x | scalar |

    Constraints:
    (C1) x is a key or a value
    (C2) y has the type of x

    ```mlir
    %s = recur.dot %q, %k : !recur.key
    ```
  }];
  let arguments = (ins Recur_Vector:$x, Recur_Vector:$y);
  let results = (outs F32:$s);
  let assemblyFormat = "$x `,` $y attr-dict `:` type($x)";
}

def SumOp : Recur_TokenOp<"sum"> {
  let summary = "the sum of a vector's elements";
  let description = [{
    Formula: `s = sum of x[i]`.

    | x | s |
    |---|---|
    | K or V | scalar |

    Constraints:
    (C1) x is a key or a value

    ```mlir
    %s = recur.sum %v : !recur.value
    ```
  }];
  let arguments = (ins Recur_Vector:$x);
  let results = (outs F32:$s);
  let assemblyFormat = "$x attr-dict `:` type($x)";
}

def NormalizeOp : Recur_TokenOp<"normalize", [AllTypesMatch<["x", "y"]>]> {
  let summary = "y = x / sqrt(sum x^2 + epsilon)";
  let description = [{
    Formula: `y = x / sqrt(sum x^2 + epsilon)`. epsilon is 1e-6 unless told.

    | x | y |
    |---|---|
    | K or V | as x |

    Constraints:
    (C1) x is a key or a value
    (C2) y has the type of x
    (C3) epsilon is at least 0

    ```mlir
    %unit = recur.normalize %k : !recur.key
    ```
  }];
  let arguments = (ins Recur_Vector:$x, DefaultValuedAttr<F32Attr, "1.0e-6f">:$epsilon);
  let results = (outs Recur_Vector:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
  let hasVerifier = 1;
}

def OuterOp : Recur_TokenOp<"outer"> {
  let summary = "M = x u^T";
  let description = [{
    Formula: `M = x u^T`.

    | x | u | m |
    |---|---|---|
    | K | V | K x V |

    Constraints:
    (C1) x is a key
    (C2) u is a value

    ```mlir
    %m = recur.outer %k, %v
    ```
  }];
  let arguments = (ins Recur_KeyType:$x, Recur_ValueType:$u);
  let results = (outs Recur_MatrixType:$m);
  let assemblyFormat = "$x `,` $u attr-dict";
}

#endif // SLUICE_RECUR_TOKEN_OPS_TD
