// Primitives of the matrix units: mma.sync and its loads and stores by a warp, wgmma by a warpgroup.

//===--- Matrix.h -------------------------------------------------------------------------------------------------===//

class Fragment<string text, string target = "sm_80", string file = "Operands.h">
    : DeviceType<file, ["count", "r"], target> {
  let summary = text;
}
def MmaA : Fragment<"A of m16n8k16, bf16 or f16: 16 x 16">;
def MmaB : Fragment<"B of m16n8k16, bf16 or f16: 16 x 8">;
def MmaAK8 : Fragment<"A of m16n8k8, f16 or tf32: 16 x 8">;
def MmaBK8 : Fragment<"B of m16n8k8, f16 or tf32: 8 x 8">;
def MmaAccumulator : Fragment<"C and D of every mma: 16 x 8 float32"> {
  let members = ["count", "r", "fill"];
}
def LdRegisters : Fragment<"what ldmatrix and stmatrix move: a register for each 8 x 8 matrix">;

class Mma<string kinds> : Primitive<"Matrix.h", ByWarp> {
  let ptx = kinds;
}
def mma : Mma<"mma.sync.aligned.{m16n8k16,m16n8k8}.row.col.f32.{bf16,f16,tf32}"> {
  let summary = "D += A B";
  let complete = "D";
  let layouts = ["MmaA", "MmaB", "MmaAK8F16", "MmaBK8F16", "MmaAK8Tf32", "MmaBK8Tf32", "MmaAccumulator"];
  let valueArguments = ["a", "b"];
  let overloads = [
    Overload<"template <class T> void mma(MmaAccumulator &d, const MmaA<T> &a, const MmaB<T> &b)", [
      Use<"mma(d, filled<MmaA<bf16>>(i), filled<MmaB<bf16>>(i)); out(d)", ["HMMA.16816.F32.BF16"]>,
      Use<"mma(d, filled<MmaA<f16>>(i), filled<MmaB<f16>>(i)); out(d)", ["HMMA.16816.F32 R"]>]>,
    Overload<"template <class T> void mma(MmaAccumulator &d, const MmaAK8<T> &a, const MmaBK8<T> &b)", [
      Use<"mma(d, filled<MmaAK8<f16>>(i), filled<MmaBK8<f16>>(i)); out(d)", ["HMMA.1688.F32 R"]>,
      Use<"mma(d, filled<MmaAK8<tf32>>(i), filled<MmaBK8<tf32>>(i)); out(d)", ["HMMA.1688.F32.TF32"]>]>];
}
def ldmatrix : Primitive<"Matrix.h", ByWarp> {
  let summary = "loads 1, 2 or 4 matrices of 8 x 8 16-bit elements, row i % 8 of matrix i / 8 at lane i's address";
  let ptx = "ldmatrix.sync.aligned.m8n8.{x1,x2,x4}{.trans}.shared.b16";
  let proxy = Generic;
  let complete = "the registers";
  let layouts = ["MmaA", "MmaB", "ldmatrixRowOf"];
  let valueArguments = ["Transposed", "rowAddress"];
  let overloads = [
    Overload<"template <int Count, bool Transposed = false, class T> "
             "LdRegisters<Count> ldmatrix(Shared<T> rowAddress)", [
      Use<"ldmatrix<1>(h)", ["LDSM.16.M88 R"]>, Use<"ldmatrix<2>(h)", ["LDSM.16.M88.2"]>,
      Use<"ldmatrix<4>(h)", ["LDSM.16.M88.4"]>, Use<"ldmatrix<1, true>(h)", ["LDSM.16.MT88 R"]>,
      Use<"ldmatrix<2, true>(h)", ["LDSM.16.MT88.2"]>, Use<"ldmatrix<4, true>(h)", ["LDSM.16.MT88.4"]>]>,
    Overload<"template <bool Transposed = false, class T> void ldmatrix(MmaA<T> &a, Shared<T> rowAddress)", [
      Use<"MmaA<bf16> a; ldmatrix(a, h); out(a)", ["LDSM.16.M88.4"]>,
      Use<"MmaA<bf16> a; ldmatrix<true>(a, h); out(a)", ["LDSM.16.MT88.4"]>]>,
    Overload<"template <bool Transposed = false, class T> void ldmatrix(MmaB<T> &b, Shared<T> rowAddress)", [
      Use<"MmaB<bf16> x; ldmatrix(x, h); out(x)", ["LDSM.16.M88.2"]>,
      Use<"MmaB<bf16> x; ldmatrix<true>(x, h); out(x)", ["LDSM.16.MT88.2"]>]>];
}
def stmatrix : Primitive<"Matrix.h", ByWarp, "sm_90"> {
  let summary = "stores 1, 2 or 4 matrices, addressed as for ldmatrix";
  let ptx = "stmatrix.sync.aligned.m8n8.{x1,x2,x4}{.trans}.shared.b16";
  let proxy = Generic;
  let complete = "visible to the thread, to others after synchronisation";
  let layouts = ["ldmatrixRowOf"];
  let valueArguments = ["Transposed", "rowAddress"];
  let overloads = [Overload<"template <int Count, bool Transposed = false, class T> "
      "void stmatrix(Shared<T> rowAddress, const LdRegisters<Count> &registers)", [
      Use<"stmatrix<1>(h, filled<LdRegisters<1>>(i))", [], ["STSM.16.M88 \\["]>,
      Use<"stmatrix<2>(h, filled<LdRegisters<2>>(i))", [], ["STSM.16.M88.2"]>,
      Use<"stmatrix<4>(h, filled<LdRegisters<4>>(i))", [], ["STSM.16.M88.4"]>,
      Use<"stmatrix<1, true>(h, filled<LdRegisters<1>>(i))", [], ["STSM.16.MT88 \\["]>,
      Use<"stmatrix<2, true>(h, filled<LdRegisters<2>>(i))", [], ["STSM.16.MT88.2"]>,
      Use<"stmatrix<4, true>(h, filled<LdRegisters<4>>(i))", [], ["STSM.16.MT88.4"]>]>];
}

//===--- Wgmma.h --------------------------------------------------------------------------------------------------===//

def WgmmaDescriptor : DeviceType<"Wgmma.h", ["bits", "advance"], "sm_90a"> {
  let summary = "a matrix operand in shared memory: start, swizzle and two offsets";
}
def WgmmaAccumulator : Fragment<"64 x N float32 in the registers of a warpgroup", "sm_90a", "Wgmma.h"> {
  let members = ["count", "r", "fill"];
}
def WgmmaA : Fragment<"the operand A, 64 x 16, in the registers of a warpgroup", "sm_90a", "Wgmma.h">;

def wgmmaDescriptor : Primitive<"Wgmma.h", ByThread, "sm_90a"> {
  let summary = "describes a tile: offsets between its 8 x 8 or swizzled pieces, whose meaning is in Layouts.h";
  let layouts = ["encodeDescriptor", "operandAddress"];
  let valueArguments = ["swizzle", "leadingBytes", "strideBytes"];
  let overloads = [Overload<"template <class T> WgmmaDescriptor<T> "
      "wgmmaDescriptor(Shared<T> start, Swizzle swizzle, u32 leadingBytes, u32 strideBytes)", [
      Use<"wgmmaDescriptor(h, Swizzle::bytes128, 16, 1024).bits", [], [".* 0x40000040"]>,
      Use<"wgmmaDescriptor(h16, Swizzle::none, 128, 256).advance(32).bits", [], []>]>];
}

class AllSizes {
  list<int> of = [8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 136, 144, 152, 160, 168, 176,
                  184, 192, 200, 208, 216, 224, 232, 240, 248, 256];
}
class Product<string text, list<string> opcodes, list<int> numbers> : UseOf<text, [], numbers> {
  let call = "WgmmaAccumulator<$N> d; d.fill(f); auto a = filled<WgmmaA<bf16>>(i); auto a16 = filled<WgmmaA<f16>>(i); "
             "pin(d); wgmmaFence(); (void)a, (void)a16; " # text # "; wgmmaCommit(); wgmmaWait<0>(d); out(d)";
  let sm90 = opcodes;
}
def wgmma : Primitive<"Wgmma.h", ByWarpgroup, "sm_90a"> {
  let summary = "starts D = A B, plus D if `accumulate`; N is a multiple of 8 up to 256";
  let ptx = "wgmma.mma_async.sync.aligned.m64nNk16.f32.{bf16,f16}";
  let proxy = Async;
  let completion = ByProductGroup;
  let complete = "D, and A's registers are free, for the warp that waited; the operands in shared memory have been "
                 "read once all four warps have waited";
  let layouts = ["WgmmaAccumulator", "WgmmaA", "operandAddress"];
  let mutations = ["skip"];
  let valueArguments = ["A", "B", "NegateA", "NegateB", "accumulate", "a", "b"];
  let overloads = [
    Overload<"template <Major A = Major::k, Major B = Major::k, bool NegateA = false, bool NegateB = false, int N, "
             "class T> void wgmma(WgmmaAccumulator<N> &d, WgmmaDescriptor<T> a, WgmmaDescriptor<T> b, "
             "bool accumulate)", [
      Product<"wgmma(d, tile, tile, b)", ["HGMMA.64x$Nx16.F32.BF16 .*, UP\\d"], [64]>,
      Product<"wgmma(d, tile, tile, false)", ["HGMMA.64x$Nx16.F32.BF16 .*!UPT"], [64]>,
      Product<"wgmma<Major::mn, Major::k>(d, tile, tile, true)", ["HGMMA.64x$Nx16.F32.BF16 .*tnspA"], [8, 128]>,
      Product<"wgmma<Major::k, Major::mn>(d, tile, tile, true)", ["HGMMA.64x$Nx16.F32.BF16 .*tnspB"], [8, 128]>,
      Product<"wgmma<Major::mn, Major::mn>(d, tile16, tile16, true)", ["HGMMA.64x$Nx16.F32 .*tnspA.*tnspB"], [64]>,
      Product<"wgmma<Major::k, Major::k, true>(d, tile, tile, true)", ["HGMMA.64x$Nx16.F32.BF16 .*negA"], [64]>,
      Product<"wgmma<Major::k, Major::k, false, true>(d, tile16, tile16, true)", ["HGMMA.64x$Nx16.F32 .*negB"], [64]>,
      Product<"wgmma<Major::mn, Major::mn, true, true>(d, tile, tile, true)",
              ["HGMMA.64x$Nx16.F32.BF16 .*negA.negB.tnspA.tnspB"], [64]>]>,
    Overload<"template <Major B = Major::k, bool NegateA = false, bool NegateB = false, int N, class T> "
             "void wgmma(WgmmaAccumulator<N> &d, const WgmmaA<T> &a, WgmmaDescriptor<T> b, bool accumulate)", [
      // All sizes: both types, A from shared memory and from registers.
      Product<"wgmma(d, tile, tile, true); wgmma(d, tile16, tile16, true); wgmma(d, a, tile, true); "
              "wgmma(d, a16, tile16, true)",
              ["HGMMA.64x$Nx16.F32.BF16 R\\d+, gdesc", "HGMMA.64x$Nx16.F32 R\\d+, gdesc",
               "HGMMA.64x$Nx16.F32.BF16 R\\d+, R", "HGMMA.64x$Nx16.F32 R\\d+, R", "!HGMMA.* .*(neg|tnsp|-)"],
              AllSizes<>.of>,
      Product<"wgmma<Major::mn>(d, a, tile, true)", ["HGMMA.64x$Nx16.F32.BF16 .*tnspB"],
              [8, 128]>,
      Product<"wgmma<Major::k, true>(d, a, tile, true)",
              ["HGMMA.64x$Nx16.F32.BF16 R\\d+, R.*negB"], [64]>,
      Product<"wgmma<Major::mn, false, true>(d, a16, tile16, b)",
              ["HGMMA.64x$Nx16.F32 R\\d+, R.*negB.tnspB.*UP\\d"], [64]>,
      Product<"wgmma<Major::k, true, true>(d, a, tile, true)",
              ["HGMMA.64x$Nx16.F32.BF16 R\\d+, R\\d+, gdesc\\[UR\\d+\\], R"],
              [64]>]>];
}
class ProductOrder<string instruction> : Primitive<"Wgmma.h", ByWarpgroup, "sm_90a"> {
  let ptx = instruction;
}
def wgmmaFence : ProductOrder<"wgmma.fence.sync.aligned"> {
  let summary = "orders accesses to registers before it and by products after it";
  let complete = "the registers can be given to products";
  let mutations = ["skip"];
  let overloads = [Overload<"void wgmmaFence()", [Use<"wgmmaFence()", [], ["WARPGROUP.ARRIVE"]>]>];
}
def wgmmaCommit : ProductOrder<"wgmma.commit_group.sync.aligned"> {
  let summary = "the products since the last commit form a group";
  let complete = "nothing";
  let mutations = ["skip"];
  // A marker in PTX: the last product of the group carries it in its `gsb` operand.
  let overloads = [Overload<"void wgmmaCommit()", [
      Use<"WgmmaAccumulator<64> d; d.fill(f); pin(d); wgmmaFence(); wgmma(d, tile, tile, true); wgmmaCommit(); "
          "wgmmaWait<0>(d); out(d)", [], ["HGMMA.* gsb0"]>]>];
}
class WaitOf<string wait> : Use<"", [], ["WARPGROUP.DEPBAR.LE gsb0, 0x0"]> {
  let call = "WgmmaAccumulator<64> d; WgmmaAccumulator<8> d1, d2, d3; d.fill(f); d1.fill(f); d2.fill(f); d3.fill(f); "
             "pin(d); pin(d1); pin(d2); pin(d3); wgmmaFence(); wgmma(d, tile, tile, true); "
             "wgmma(d1, tile, tile, true); wgmma(d2, tile, tile, true); wgmma(d3, tile, tile, true); "
             "wgmmaCommit(); " # wait # "; out(d); out(d1); out(d2); out(d3)";
}
def wgmmaWait : ProductOrder<"wgmma.wait_group.sync.aligned"> {
  let summary = "waits until at most so many of the warp's youngest groups are unfinished; accesses to the "
                "accumulators given stay behind it";
  let complete = "the registers of the other groups, and this warp's reads of their operands";
  let mutations = ["skip", "pendingPlusOne"];
  let overloads = [
    Overload<"template <int Pending> void wgmmaWait()", [WaitOf<"wgmmaWait<0>()">]>,
    Overload<"template <int Pending, int N> void wgmmaWait(WgmmaAccumulator<N> &a)", [WaitOf<"wgmmaWait<0>(d)">]>,
    Overload<"template <int Pending, int N0, int N1> void wgmmaWait(WgmmaAccumulator<N0> &a, "
             "WgmmaAccumulator<N1> &b)", [WaitOf<"wgmmaWait<0>(d, d1)">]>,
    Overload<"template <int Pending, int N0, int N1, int N2> void wgmmaWait(WgmmaAccumulator<N0> &a, "
             "WgmmaAccumulator<N1> &b, WgmmaAccumulator<N2> &c)", [WaitOf<"wgmmaWait<0>(d, d1, d2)">]>,
    Overload<"template <int Pending, int N0, int N1, int N2, int N3> void wgmmaWait(WgmmaAccumulator<N0> &a, "
             "WgmmaAccumulator<N1> &b, WgmmaAccumulator<N2> &c, WgmmaAccumulator<N3> &d)", [
      WaitOf<"wgmmaWait<0>(d, d1, d2, d3)">]>];
}

class Pin<string file, string target> : Primitive<file, ByThread, target> {
  let summary = "keeps the compiler from moving accesses to the accumulator across this place";
  let complete = "nothing at run time";
}
def pinMma : Pin<"Matrix.h", "sm_80"> {
  let name = "pin";
  let overloads = [Overload<"void pin(MmaAccumulator &accumulator)", [Use<"pin(d); out(d)", []>]>];
}
def pinWgmma : Pin<"Wgmma.h", "sm_90a"> {
  let name = "pin";
  let overloads = [Overload<"template <int N> void pin(WgmmaAccumulator<N> &accumulator)", [
      Use<"WgmmaAccumulator<64> a; a.fill(f); pin(a); out(a)", []>]>];
}
