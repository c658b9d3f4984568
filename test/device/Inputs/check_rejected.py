"""Compiles code that must not compile, each case by itself in a kernel, and looks for the message that says why.

usage: check_rejected.py REPOSITORY BUILD SCRATCH gpu ARCHITECTURE | emu COMPILER
All cases are compiled at once; an error belongs to the case whose line its message or one of its notes names.
"""

import pathlib
import re
import subprocess
import sys

import uses

ANY = ("sm_80", "sm_90a", "emu")
# NVRTC 13.0 does refuse a consteval constructor that fails, but only where it reads its own intermediate code, without
# a line. The emulator's compiler, which every kernel passes too, says it well.
CONSTANT = "consteval|constant"
BELOW = "indexOutOfRange"
HOPPER = ("sm_90a", "emu")
CAST = "no suitable conversion|cannot cast|invalid type conversion"
# What is written, the compilers that must refuse it, and what one of their messages must contain.
CASES = [
    ("out(*g)", ANY, "operator|operand of \\*|indirection"),
    ("out(g[0])", ANY, "operator|subscript"),
    ("out(*s)", ANY, "operator|operand of \\*|indirection"),
    ("out(s[i])", ANY, "operator|subscript"),
    ("f32 *raw = g", ANY, "no suitable conversion|no viable conversion"),
    ("Global<f32> made(&f)", ANY, "no instance of constructor|no matching constructor|calling a private|inaccessible"),
    ("*g.pointer() = f", ANY, "no member|private"),
    ("out(d.r(k))", ANY, CONSTANT),
    ("for (int r = 0; r < 4; ++r) out(d.r(r))", ANY, CONSTANT),
    ("out(d.r(4))", ANY, BELOW),
    ("unrolled<5>([&](auto r) { out(d.r(r)); })", ANY, "expected an index below the number of registers"),
    ("out(loadGlobal<4>(c)(4))", ANY, BELOW),
    ("d.data[0] = f", ANY, "inaccessible|private"),
    ("storeGlobal(c, f)", ANY, "expected a destination that is not const|assign|no matching"),
    ("Global<f32> writable = c; (void)writable", ANY, "no suitable|no viable conversion"),
    ("(void)c.cast<f32>()", ANY, "expected a cast that keeps const"),
    ("out(loadGlobal<8>(c))", ANY, "expected a"),
    ("out(loadGlobal<3>(c))", ANY, "expected a"),
    ("storeGlobal<Cache::lastUse>(g, f)", ANY, "expected a cache policy of stores"),
    ("out(loadCounter<Order::release>(w))", ANY, "expected a relaxed or acquire load"),
    ("storeCounter<Order::acquire>(w, i)", ANY, "expected a relaxed or release store"),
    ("addCounter<Order::acquireRelease>(w, i)", ANY, "expected a relaxed or release addition"),
    ("out(blockIndex<3>())", ANY, "expected an axis of the grid"),
    ("out(shuffle(n, 0))", ANY, "expected f32, u32 or i32"),
    ("out(shuffle(tf32{i}, 0).bits)", ANY, "expected f32, u32 or i32"),
    ("out(opaque(b))", ANY, "expected f32, or an integer of 32 or 64 bits"),
    ("out(*(f32 *)s)", ANY, CAST),
    ("cpAsyncWait<-1>()", ANY, "expected a number of groups"),
    ("out(shiftLeft(n, i))", ANY, "deleted"),
    ("out(shiftRight(u64(n), i))", ANY, "deleted"),
    ("out(shiftRightSigned(n, i))", ANY, "deleted"),
    ("out(*(f32 *)g)", ANY, CAST),
    ("out(*static_cast<f32 *>(g))", ANY, CAST),
    ("Index x(0); x.value = k; out(d.r(x))", ANY, "const|modifiable"),
    ("IndexBelow<4> x(0); x.value = k; out(d.r(x))", ANY, "const|modifiable"),
    ("out(atomicAdd(g, f))", ANY, "no instance|no matching"),
    ("out(atomicAdd(s, f))", ANY, "no instance|no matching"),
    ("out(atomicMax(s.cast<u32>(), i))", ANY, "no instance|no matching"),
    ("addCounter(g, f)", ANY, "no suitable|no viable conversion|no instance|no matching"),
    ("out(mbarrierTest(s, 0))", ANY, "no suitable|no viable conversion|no instance|no matching"),
    ("cpAsync<2>(h, ch)", ANY, "expected 4, 8 or 16 bytes"),
    ("cpAsync<16>(s, ch)", ANY, "expected the same type on both sides|no matching"),
    ("out(ldmatrix<3>(h))", ANY, "expected 1, 2 or 4 matrices"),
    ("out(ldmatrix<4>(s))", ANY, "expected 16-bit elements"),
    ("mma(d, filled<MmaA<bf16>>(i), filled<MmaB<f16>>(i))", ANY, "no instance|no matching"),
    ("out(filled<MmaAK8<bf16>>(i))", ANY, "expected f16 or tf32"),
    ("out(filled<MmaA<tf32>>(i))", ANY, "expected bf16 or f16"),
    ("tensorLoad(h, map, bar, 0, 0, 0, 0, 0, 0)", HOPPER, "no instance|no matching"),
    ("tensorLoad(h, map, bar)", HOPPER, "no instance|no matching"),
    ("increaseRegisters<100>()", HOPPER, "expected a multiple of 8"),
    ("struct S { u32 a[5]; }; (void)loadRemote(mapShared(s.cast<S>(), 0))", HOPPER, "expected an access of"),
    ("struct S { u32 a[7]; }; storeRemote(mapShared(s.cast<S>(), 0), S{})", HOPPER, "expected an access of"),
    ("decreaseRegisters<16>()", HOPPER, "expected a multiple of 8"),
    ("bulkWait<-1>()", HOPPER, "expected a number of groups"),
    ("bulkWaitRead<-1>()", HOPPER, "expected a number of groups"),
    ("wgmmaWait<8>()", HOPPER, "expected 0 to 7 groups"),
    ("wgmmaWait<-1>()", HOPPER, "expected 0 to 7 groups"),
    ("WgmmaAccumulator<8> x; wgmmaWait<9>(x)", HOPPER, "expected 0 to 7 groups"),
    ("WgmmaAccumulator<8> x, y, z; wgmmaWait<10>(x, y, z)", HOPPER, "expected 0 to 7 groups"),
    ("WgmmaAccumulator<12> odd; odd.fill(0)", HOPPER, "expected N to be a multiple of 8"),
    ("WgmmaAccumulator<8> x; out(x.r(k))", HOPPER, CONSTANT),
    ("WgmmaAccumulator<8> x; x.data[0] = f", HOPPER, "inaccessible|private"),
    ("WgmmaAccumulator<24> x; wgmma(x, tile, tile, true)", HOPPER, "wgmma/n<?N>?.h"),
    ("WgmmaAccumulator<8> x; wgmma(x, tile, tile16, true)", HOPPER, "no instance|no matching"),
    ("(void)wgmmaDescriptor(s, Swizzle::none, 0, 0)", HOPPER, "expected bf16 or f16"),
    ("(void)wgmmaDescriptor(s.cast<tf32>(), Swizzle::none, 0, 0)", HOPPER, "expected bf16 or f16"),
    ("(void)wgmmaDescriptor(s.cast<u16>(), Swizzle::none, 0, 0)", HOPPER, "expected bf16 or f16"),
    ("out(filled<WgmmaA<tf32>>(i))", HOPPER, "expected bf16 or f16"),
    ("tensorLoad(h, map, bar, 0)", ("sm_80",), "tensorLoad"),
    ("mbarrierArriveExpect(bar, 16)", ("sm_80",), "mbarrierArriveExpect"),
    ("clusterArrive()", ("sm_80",), "clusterArrive"),
    ("wgmmaFence()", ("sm_80",), "wgmmaFence"),
]


class Rejected:
    def __init__(self, index, code, expected, architecture):
        self.name, self.code, self.expected, self.architecture = f"rejected{index}", code, expected, architecture
        self.size, self.messages = 0, []

    def kernel(self):
        tiles = uses.TILES if self.architecture == "sm_90a" else ""
        return uses.KERNEL.format(name=self.name, body=self.code, tiles=tiles)


def messagesOf(output):
    """Each error with the notes that follow it."""
    messages = []
    for line in output.splitlines():
        if re.search(r"\berror\b", line) or not messages:
            messages.append("")
        messages[-1] += line + "\n"
    return messages


def assign(messages, source, cases):
    """Gives each case the messages that name one of its lines."""
    starts = [source[:source.index(f"SLUICE_KERNEL({case.name},")].count("\n") + 1 for case in cases]
    for message in messages:
        for number in re.findall(r"(?:rejected\.cu[(:]|at line )(\d+)", message):
            before = [case for case, start in zip(cases, starts) if start <= int(number)]
            if before:
                before[-1].messages.append(message)


def compileFor(where, compiler, source, repository, device, scratch):
    if where == "gpu":
        import nvrtc
        includes = [repository, f"{repository}/codegen/cuda/device/gpu", str(device / "gpu")]
        code, log = nvrtc.Nvrtc(includes).compile(source, compiler, "rejected.cu")
        return code is not None, log
    path = pathlib.Path(scratch) / "rejected.cu"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    result = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-ferror-limit=0", "-fno-caret-diagnostics",
                             "-ftemplate-backtrace-limit=0", "-x", "c++", f"-I{repository}",
                             f"-I{repository}/codegen/cuda/device/emu", f"-I{device / 'emu'}", str(path)],
                            capture_output=True, text=True)
    return result.returncode == 0, result.stderr


def main(repository, build, scratch, where, compiler):
    device = pathlib.Path(build) / "codegen" / "cuda" / "device"
    target = compiler if where == "gpu" else "emu"
    architecture = "sm_80" if target == "sm_80" else "sm_90a"
    cases = [Rejected(i, code, expected, architecture) for i, (code, targets, expected) in enumerate(CASES)
             if target in targets]
    prelude = uses.PRELUDE.format(includes="" if target == "sm_80" else '#include "wgmma/n8.h"')
    alone = [case for case in cases if where == "gpu" and case.expected in (CONSTANT, BELOW)]
    together = [case for case in cases if case not in alone]
    source = prelude + "".join(case.kernel() for case in together)
    compiled, log = compileFor(where, compiler, source, repository, device, scratch)
    assign(messagesOf(log), source, together)
    wrong = ["expected errors, got none"] if compiled else []
    for case in alone:
        if compileFor(where, compiler, prelude + case.kernel(), repository, device, scratch)[0]:
            wrong.append(f"expected `{case.code}` not to compile, got machine code")
    for case in together:
        if not any(re.search(case.expected, message) for message in case.messages):
            got = "; ".join(m.splitlines()[0] for m in case.messages) or "no message"
            wrong.append(f"expected /{case.expected}/ for `{case.code}`, got {got}")
    print(f"{len(cases)} cases for {target}")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
