//===- RecurPointwiseOps.td - elementwise arithmetic -----------------------===//
//
// State-free arithmetic on f32, keys, values, matrices and static f32 tensors.
// The same ops serve token programs and the bodies of scans. On f32, arith and
// math ops may be written instead; the normalisation pass turns them into these.
// Examples name their operands as in RecurTokenOps.td.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_RECUR_POINTWISE_OPS_TD
#define SLUICE_RECUR_POINTWISE_OPS_TD

include "dialect/recur/RecurDialect.td"
include "dialect/recur/RecurInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Recur_UnaryOp<string mnemonic, string formula, list<Trait> traits = []>
    : Op<Recur_Dialect, mnemonic, traits # [Pure, SameOperandsAndResultType,
         DeclareOpInterfaceMethods<PointwiseOpInterface>,
         DeclareOpInterfaceMethods<DifferentiableOpInterface>]> {
  let summary = "elementwise " # formula;
  let description = "Formula: `y = " # formula # "`, element by element.\n\n"
      # "| x | y |\n|---|---|\n| any type below | as x |\n\n"
      # "Constraints:\n(C1) x is f32, a key, a value, a matrix or a static f32 tensor\n"
      # "(C2) operand and result have one type\n\n"
      # "```mlir\n%y = recur." # mnemonic # " %k : !recur.key\n```\n";
  let arguments = (ins Recur_Numeric:$x);
  let results = (outs Recur_Numeric:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
}

class Recur_BinaryOp<string mnemonic, string formula, list<Trait> traits = []>
    : Op<Recur_Dialect, mnemonic, traits # [Pure, SameOperandsAndResultType,
         DeclareOpInterfaceMethods<PointwiseOpInterface>,
         DeclareOpInterfaceMethods<DifferentiableOpInterface>]> {
  let summary = "elementwise " # formula;
  let description = "Formula: `z = " # formula # "`, element by element.\n\n"
      # "| x | y | z |\n|---|---|---|\n| any type below | as x | as x |\n\n"
      # "Constraints:\n(C1) x is f32, a key, a value, a matrix or a static f32 tensor\n"
      # "(C2) operands and result have one type\n\n"
      # "```mlir\n%z = recur." # mnemonic # " %v, %u : !recur.value\n```\n";
  let arguments = (ins Recur_Numeric:$x, Recur_Numeric:$y);
  let results = (outs Recur_Numeric:$z);
  let assemblyFormat = "$x `,` $y attr-dict `:` type($z)";
}

def AddOp : Recur_BinaryOp<"add", "x + y", [Commutative]> {
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}
def SubOp : Recur_BinaryOp<"sub", "x - y"> {
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}
def MulOp : Recur_BinaryOp<"mul", "x * y", [Commutative]> { let hasFolder = 1; }
def DivOp : Recur_BinaryOp<"div", "x / y"> { let hasFolder = 1; }
def MaxOp : Recur_BinaryOp<"max", "max(x, y)", [Commutative]>;
def MinOp : Recur_BinaryOp<"min", "min(x, y)", [Commutative]>;
// Helper of adjoints of max, min and abs; also usable by itself.
def StepOp : Recur_BinaryOp<"step", "1 where x > y, 1/2 where x = y, else 0">;

// The adjoint of clamp_gate: a select, so that nothing flows where a gate is -inf.
def ClampGateAdjointOp : Recur_BinaryOp<"clamp_gate_adjoint", "y where x > -128, else 0">;

def NegOp : Recur_UnaryOp<"neg", "-x"> { let hasFolder = 1; }
def AbsOp : Recur_UnaryOp<"abs", "|x|">;
def ExpOp : Recur_UnaryOp<"exp", "e^x"> { let hasFolder = 1; }
def Expm1Op : Recur_UnaryOp<"expm1", "e^x - 1">;
def LogOp : Recur_UnaryOp<"log", "ln x">;
def Log1pOp : Recur_UnaryOp<"log1p", "ln(1 + x)">;
def SqrtOp : Recur_UnaryOp<"sqrt", "x^(1/2)">;
def RsqrtOp : Recur_UnaryOp<"rsqrt", "x^(-1/2)">;
def TanhOp : Recur_UnaryOp<"tanh", "tanh x">;
def SigmoidOp : Recur_UnaryOp<"sigmoid", "1 / (1 + e^-x)">;
def LogSigmoidOp : Recur_UnaryOp<"log_sigmoid", "-ln(1 + e^-x)">;
def SoftplusOp : Recur_UnaryOp<"softplus", "ln(1 + e^x)">;
def SiluOp : Recur_UnaryOp<"silu", "x / (1 + e^-x)">;
def ClampGateOp : Recur_UnaryOp<"clamp_gate",
    "max(x, -128), with derivative 0 where x <= -128"> { let hasFolder = 1; }

def MaskOp : Op<Recur_Dialect, "mask", [Pure, SameOperandsAndResultType,
     DeclareOpInterfaceMethods<PointwiseOpInterface>,
     DeclareOpInterfaceMethods<DifferentiableOpInterface>]> {
  let summary = "elementwise x where mask is not 0, else fill";
  let description = [{
    Formula: `y = mask != 0 ? x : fill`, element by element.

    Keeps padding out of sums. A select, not a product: what x holds there may
    be anything. No cotangent flows into the mask. Only in bodies of scans.

    | x | mask | y |
    |---|---|---|
    | any static tensor | as x | as x |

    Constraints:
    (C1) x is a static f32 tensor
    (C2) operands and result have one type

    ```mlir
    %y = recur.mask %l by %a else 0.0 : tensor<64x64xf32>
    ```
  }];
  let arguments = (ins Recur_Tensor:$x, Recur_Tensor:$mask, F32Attr:$fill);
  let results = (outs Recur_Tensor:$y);
  let assemblyFormat = "$x `by` $mask `else` $fill attr-dict `:` type($y)";
}

def ConstantOp : Op<Recur_Dialect, "constant", [Pure, ConstantLike]> {
  let summary = "every element is one number";
  let description = [{
    Formula: `y = value`, element by element.

    | y |
    |---|
    | f32, a key, a value, a matrix or a static f32 tensor |

    Constraints:
    (C1) y is f32, a key, a value, a matrix or a static f32 tensor

    ```mlir
    %one = recur.constant 1.0 : !recur.key
    ```
  }];
  let arguments = (ins F32Attr:$value);
  let results = (outs Recur_Numeric:$y);
  let assemblyFormat = "$value attr-dict `:` type($y)";
  let hasFolder = 1;
  let builders = [OpBuilder<(ins "::mlir::Type":$type, "float":$number), [{
    build($_builder, $_state, type, $_builder.getF32FloatAttr(number));
  }]>];
}

#endif // SLUICE_RECUR_POINTWISE_OPS_TD
