//===- RecurDialect.td - the recur dialect, its types, attributes ----------===//
//
// What a recurrence is made of before any op: the kinds of a per-token value,
// and the ports by which a scan exchanges tensors with its caller.
//
//===----------------------------------------------------------------------===//

#ifndef SLUICE_RECUR_DIALECT_TD
#define SLUICE_RECUR_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/DialectBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Recur_Dialect : Dialect {
  let name = "recur";
  let cppNamespace = "::sluice::recur";
  let summary = "Linear recurrences, token by token and chunk by chunk";
  let description = [{
    Two levels share this dialect. A *token program* (`recur.recurrence`) says
    what happens to the state of one (sequence, head) at one token. A *scan*
    (`recur.scan`) is the same computation over steps of one or many tokens,
    on tensors of static shape; forward passes and adjoints are scans.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

class Recur_Type<string name, string typeMnemonic> : TypeDef<Recur_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def Recur_KeyType : Recur_Type<"Key", "key"> {
  let summary = "a float32 vector over the K key channels of a head";
}
def Recur_ValueType : Recur_Type<"Value", "value"> {
  let summary = "a float32 vector over the V value channels of a head";
}
def Recur_MatrixType : Recur_Type<"Matrix", "matrix"> {
  let summary = "a float32 K x V matrix that is not a state";
}
def Recur_StateType : Recur_Type<"State", "state"> {
  let summary = "the float32 K x V state of one (sequence, value head)";
}

def Recur_Tensor : StaticShapeTensorOf<[F32]>;
/// What state-free arithmetic works on, at the token level and inside scans.
def Recur_Numeric : AnyTypeOf<[F32, Recur_KeyType, Recur_ValueType, Recur_MatrixType, Recur_Tensor],
                              "f32, a key, a value, a matrix or a static f32 tensor">;
def Recur_Vector : AnyTypeOf<[Recur_KeyType, Recur_ValueType], "a key or a value">;
/// What an argument or a result of a token program may be.
def Recur_Port : AnyTypeOf<[F32, Recur_KeyType, Recur_ValueType, Recur_MatrixType],
                           "f32, a key, a value or a matrix">;

//===----------------------------------------------------------------------===//
// Enums and attributes of scans
//===----------------------------------------------------------------------===//

def Recur_Kind : I32EnumAttr<"Kind", "what one element of a port is", [
    I32EnumAttrCase<"Scalar", 0, "scalar">, I32EnumAttrCase<"Key", 1, "key">,
    I32EnumAttrCase<"Value", 2, "value">, I32EnumAttrCase<"Matrix", 3, "matrix">,
    I32EnumAttrCase<"State", 4, "state">]> {
  let cppNamespace = "::sluice::recur";
}

def Recur_Role : I32EnumAttr<"Role", "what a port is for", [
    I32EnumAttrCase<"Argument", 0, "argument">,
    I32EnumAttrCase<"Cotangent", 1, "cotangent">,
    I32EnumAttrCase<"Result", 2, "result">,
    I32EnumAttrCase<"Gradient", 3, "gradient">,
    I32EnumAttrCase<"Saved", 4, "saved">,
    I32EnumAttrCase<"State", 5, "state">,
    I32EnumAttrCase<"StateCotangent", 6, "state_cotangent">,
    I32EnumAttrCase<"Accumulator", 7, "accumulator">,
    I32EnumAttrCase<"Mask", 8, "mask">]> {
  let cppNamespace = "::sluice::recur";
}

def Recur_Extent : I32EnumAttr<"Extent", "how often a port has a new element", [
    I32EnumAttrCase<"PerToken", 0, "per_token">,
    I32EnumAttrCase<"PerHead", 1, "per_head">,
    I32EnumAttrCase<"PerStep", 2, "per_step">]> {
  let cppNamespace = "::sluice::recur";
}

def Recur_Triangle : I32EnumAttr<"Triangle", "which matrix of a product is triangular", [
    I32EnumAttrCase<"Full", 0, "full">,
    I32EnumAttrCase<"LowerLhs", 1, "lower_lhs">,
    I32EnumAttrCase<"StrictlyLowerLhs", 2, "strictly_lower_lhs">,
    I32EnumAttrCase<"LowerResult", 3, "lower_result">,
    I32EnumAttrCase<"StrictlyLowerResult", 4, "strictly_lower_result">]> {
  let cppNamespace = "::sluice::recur";
}

def Recur_Span : I32EnumAttr<"Span", "which tokens' decays lie between a write and a read", [
    I32EnumAttrCase<"Through", 0, "through">,
    I32EnumAttrCase<"Between", 1, "between">]> {
  let cppNamespace = "::sluice::recur";
}

def Recur_PortAttr : AttrDef<Recur_Dialect, "Port"> {
  let mnemonic = "port";
  let summary = "one named tensor that a scan reads, writes or carries";
  let description = [{
    `#recur.port<"q" : argument key per_token>`. The name is the tensor's name
    in files and in packages.
  }];
  let parameters = (ins StringRefParameter<"name of the tensor">:$name,
                        EnumParameter<Recur_Role>:$role, EnumParameter<Recur_Kind>:$kind,
                        EnumParameter<Recur_Extent>:$extent);
  let assemblyFormat = "`<` $name `:` $role $kind $extent `>`";
}

def Recur_PortArray : TypedArrayAttrBase<Recur_PortAttr, "an array of ports">;

#endif // SLUICE_RECUR_DIALECT_TD
