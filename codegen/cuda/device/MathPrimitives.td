// Primitives of one thread on values: conversions, integers, rounded and approximate functions. All are pure.

class Pure<string instruction> : Primitive<"Math.h"> {
  let ptx = instruction;
}
/// A function whose only overload is `signature`.
class PureOf<string instruction, string signature, list<Use> uses> : Pure<instruction> {
  let overloads = [Overload<signature, uses>];
}

def bitsOf : PureOf<"mov.b32", "u32 bitsOf(f32 value)", [Use<"bitsOf(f)", []>]> {
  let summary = "the bits of a float";
}
def floatOf : PureOf<"mov.b32", "f32 floatOf(u32 bits)", [Use<"floatOf(i)", []>]> {
  let summary = "the float of these bits";
}

//===--- Conversions: NaN becomes 0x7fff in 16 bits ---------------------------------------------------------------===//

def toBf16 : PureOf<"cvt.rn.bf16.f32", "bf16 toBf16(f32 value)", [
    Use<"toBf16(f)", ["F2FP.BF16.(F32.)?PACK_AB"]>]> {
  let summary = "to nearest, ties to even";
}
def toF16 : PureOf<"cvt.rn.f16.f32", "f16 toF16(f32 value)", [
    Use<"toF16(f)", ["F2FP.(F16.F32.)?PACK_AB"]>]> {
  let summary = "to nearest, ties to even; from 65520 on infinite";
}
def toF16Saturated : PureOf<"min.NaN.f32, max.NaN.f32, cvt.rn.f16.f32", "f16 toF16Saturated(f32 value)", [
    Use<"toF16Saturated(f)", ["FMNMX.NAN .* 65504", "FMNMX.NAN .* -65504", "F2FP.(F16.F32.)?PACK_AB"]>]> {
  let summary = "to nearest, ties to even; beyond 65504, infinities included, 65504 of that sign";
}
def toTf32 : PureOf<"cvt.rna.tf32.f32", "tf32 toTf32(f32 value)", [
    Use<"toTf32(f)", ["FSETP.GEU.* \\+INF", "LOP3.LUT .* 0xffffe000"]>]> {
  let summary = "to 10 fraction bits, ties away from zero; infinities and NaNs only lose their low 13 bits";
}
def packBf16 : PureOf<"cvt.rn.bf16x2.f32", "u32 packBf16(f32 low, f32 high)", [
    Use<"packBf16(f, e)", ["F2FP.BF16.(F32.)?PACK_AB"]>,
    Use<"packBf16(0.0f, f)", ["F2FP.BF16.(F32.)?PACK_AB R\\d+, R\\d+, RZ"]>]> {
  let summary = "two bf16, the first in the low half";
  let valueArguments = ["low", "high"];
}
def packF16 : PureOf<"cvt.rn.f16x2.f32", "u32 packF16(f32 low, f32 high)", [
    Use<"packF16(f, e)", ["F2FP.(F16.F32.)?PACK_AB"]>,
    Use<"packF16(0.0f, f)", ["F2FP.(F16.F32.)?PACK_AB R\\d+, R\\d+, RZ"]>]> {
  let summary = "two f16, the first in the low half";
  let valueArguments = ["low", "high"];
}
def packF16Saturated : PureOf<"min.NaN.f32, max.NaN.f32, cvt.rn.f16x2.f32", "u32 packF16Saturated(f32 low, f32 high)", [
    Use<"packF16Saturated(f, e)", ["FMNMX.NAN", "F2FP.(F16.F32.)?PACK_AB"]>]> {
  let summary = "two f16, saturated, the first in the low half";
  let valueArguments = ["low", "high"];
}
def toFloat : Pure<"cvt.f32, cvt.rn.f32"> {
  let summary = "exact, but for 32-bit integers, which round to nearest even";
  let overloads = [
    Overload<"f32 toFloat(bf16 value)", [Use<"toFloat(loadGlobal(ch))", ["SHL|IMAD.U32|PRMT|SHF.L.U32"]>]>,
    Overload<"f32 toFloat(f16 value)", [Use<"toFloat(loadGlobal(ch.cast<const f16>()))", ["HADD2.F32"]>]>,
    Overload<"f32 toFloat(tf32 value)", [Use<"toFloat(tf32{i})", []>]>,
    Overload<"f32 toFloat(i32 value)", [Use<"toFloat(k)", ["I2F|I2FP.F32.S32"]>]>,
    Overload<"f32 toFloat(u32 value)", [Use<"toFloat(i)", ["I2F.*U32|I2FP.F32.U32"]>]>];
}
def unpackLowBf16 : PureOf<"shl.b32", "f32 unpackLowBf16(u32 pair)", [
    Use<"unpackLowBf16(i)", ["SHL|IMAD.U32|IMAD.SHL|SHF.L.U32"]>]> {
  let summary = "the low bf16 of a pair";
}
def unpackHighBf16 : PureOf<"and.b32", "f32 unpackHighBf16(u32 pair)", [
    Use<"unpackHighBf16(i)", ["LOP3.LUT .* 0xffff0000"]>]> {
  let summary = "the high bf16 of a pair";
}
def unpackLowF16 : PureOf<"cvt.f32.f16", "f32 unpackLowF16(u32 pair)", [
    Use<"unpackLowF16(i)", ["HADD2.F32 .*H0_H0"]>]> {
  let summary = "the low f16 of a pair";
}
def unpackHighF16 : PureOf<"cvt.f32.f16", "f32 unpackHighF16(u32 pair)", [
    Use<"unpackHighF16(i)", ["HADD2.F32 .*(H1_H1|H0_H0)"]>]> {
  let summary = "the high f16 of a pair";
}
def toIntegerTowardZero : PureOf<"cvt.rzi.s32.f32", "i32 toIntegerTowardZero(f32 value)", [
    Use<"toIntegerTowardZero(f)", ["F2I.TRUNC.NTZ"]>]> {
  let summary = "towards zero, saturated, 0 for a NaN";
}
def toIntegerNearest : PureOf<"cvt.rni.s32.f32", "i32 toIntegerNearest(f32 value)", [
    Use<"toIntegerNearest(f)", ["F2I.NTZ"]>]> {
  let summary = "to nearest, ties to even, saturated, 0 for a NaN";
}

//===--- Integers -------------------------------------------------------------------------------------------------===//

class Division<string word, string instruction> : Pure<instruction> {
  let overloads = [
    Overload<"i32 " # word # "(i32 a, i32 b)", [Use<word # "(k, k + 1)", ["I2F.RP"]>]>,
    Overload<"u32 " # word # "(u32 a, u32 b)", [Use<word # "(i, i + 1)", ["I2F.U32.RP"]>]>,
    Overload<"i64 " # word # "(i64 a, i64 b)", [Use<word # "(n, n + 1)", ["CALL.REL.NOINC .*s64.*"]>]>];
}
def divide : Division<"divide", "div"> {
  let summary = "truncated towards zero; by zero it is left open";
}
def remainder : Division<"remainder", "rem"> {
  let summary = "with the sign of the dividend; by zero it is left open";
}
def shiftLeft : PureOf<"shl.b32", "u32 shiftLeft(u32 value, u32 by)", [
    Use<"shiftLeft(i, i)", ["SHF.L.U32"]>]> {
  let summary = "by more than 31 leaves 0";
}
def shiftRight : PureOf<"shr.u32", "u32 shiftRight(u32 value, u32 by)", [
    Use<"shiftRight(i, i)", ["SHF.R.U32.HI"]>]> {
  let summary = "by more than 31 leaves 0";
}
def shiftRightSigned : PureOf<"shr.s32", "i32 shiftRightSigned(i32 value, u32 by)", [
    Use<"shiftRightSigned(k, i)", ["SHF.R.S32.HI"]>]> {
  let summary = "by more than 31 leaves the sign";
}

//===--- Rounded once ---------------------------------------------------------------------------------------------===//

def multiplyAdd : PureOf<"fma.rn.f32", "f32 multiplyAdd(f32 a, f32 b, f32 c)", [
    Use<"multiplyAdd(f, e, f)", ["FFMA"]>]> {
  let summary = "a b + c, rounded once";
}
def minimum : PureOf<"min.f32", "f32 minimum(f32 a, f32 b)", [Use<"minimum(f, e)", ["FMNMX .* PT"]>]> {
  let summary = "the lesser; a NaN loses, -0 < +0";
}
def maximum : PureOf<"max.f32", "f32 maximum(f32 a, f32 b)", [Use<"maximum(f, e)", ["FMNMX .* !PT"]>]> {
  let summary = "the greater; a NaN loses, -0 < +0";
}
def sqrtRounded : PureOf<"sqrt.rn.f32", "f32 sqrtRounded(f32 value)", [Use<"sqrtRounded(f)", ["MUFU.RSQ", "FFMA"]>]> {
  let summary = "square root, to nearest even";
}
def divideRounded : PureOf<"div.rn.f32", "f32 divideRounded(f32 a, f32 b)", [
    Use<"divideRounded(f, e)", ["MUFU.RCP", "FCHK"]>]> {
  let summary = "quotient, to nearest even";
}

//===--- Approximate: stated bounds, subnormals count as zero -----------------------------------------------------===//

class Approximation<string function, string instruction, string opcode>
    : PureOf<instruction, "f32 " # function # "(f32 value)", [Use<function # "(f)", [opcode]>]>;
def exp2Approx : Approximation<"exp2Approx", "ex2.approx.ftz.f32", "MUFU.EX2"> {
  let summary = "2^value, relative error 2^-22";
}
def log2Approx : Approximation<"log2Approx", "lg2.approx.ftz.f32", "MUFU.LG2"> {
  let summary = "logarithm to base 2, absolute error 2^-22 from 0.5 to 2, relative 2^-22 elsewhere";
}
def reciprocalApprox : Approximation<"reciprocalApprox", "rcp.approx.ftz.f32", "MUFU.RCP"> {
  let summary = "1 / value, relative error 2^-23";
}
def rsqrtApprox : Approximation<"rsqrtApprox", "rsqrt.approx.ftz.f32", "MUFU.RSQ"> {
  let summary = "1 / square root, relative error 2^-22.4";
}
def sqrtApprox : Approximation<"sqrtApprox", "sqrt.approx.ftz.f32", "MUFU.(RSQ|SQRT)"> {
  let summary = "square root, relative error 2^-23";
}
def tanhApprox : Approximation<"tanhApprox", "tanh.approx.f32", "MUFU.TANH"> {
  let summary = "hyperbolic tangent, relative error 2^-11";
}
