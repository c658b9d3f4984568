"""Compiles the forms of primitives that follow from their parameters (sizes, caches, orders, counts, layouts), and
compares the opcodes of the machine code with what the parameters say.

usage: check_forms.py REPOSITORY BUILD ARCHITECTURE SCRATCH
"""

import itertools
import pathlib
import re
import sys

import nvrtc
import uses

# By bytes: the pointer and the number of elements, and what the opcode says of the width.
WIDTHS = {1: [("g.cast<u8>()", 1)], 2: [("gh", 1)], 4: [("g", 1), ("gh", 2)], 8: [("l", 1), ("g", 2), ("gh", 4)],
          16: [("l", 2), ("g", 4), ("gh", 8)]}
SUFFIX = {1: {"U8"}, 2: {"U16"}, 4: set(), 8: {"64"}, 16: {"128"}}
TYPES = {"g.cast<u8>()": "u8", "gh": "bf16", "g": "f32", "l": "u64"}
LOAD_CACHES = {"all": set(), "level2": {"STRONG", "GPU"}, "streaming": {"EF"}, "lastUse": {"LU"}}
STORE_CACHES = {name: LOAD_CACHES[name] for name in ["all", "level2", "streaming"]}


class Form:
    """One call, and a check of the kernel's instructions: `check` gets texts and returns whether they are right."""

    def __init__(self, code, check, expected):
        self.code, self.check, self.expected = code, check, expected


def parts(instruction):
    """The opcode without a predicate, cut at its points."""
    return re.sub(r"^@!?U?P\w+ ", "", instruction).split()[0].split(".")


def exactly(base, modifiers):
    """One instruction of that kind, with just these modifiers."""
    def check(instructions):
        found = [parts(i) for i in instructions if parts(i)[0] == base]
        return len(found) == 1 and sorted(found[0][1:]) == sorted(modifiers)
    return check


def contains(*patterns):
    return lambda instructions: all(any(re.search(p, i) for i in instructions) for p in patterns)


def globalForms():
    for size, places in WIDTHS.items():
        for place, count in places:
            value = f"Vec<{TYPES[place]}, {count}>{{}}" if count > 1 else f"{TYPES[place]}{{}}"
            for cache, modifiers in LOAD_CACHES.items():
                opcode = {"E"} | SUFFIX[size] | modifiers
                for tail in ["", f", b, {TYPES[place]}{{}}"]:
                    # What is loaded goes to shared memory, so that the kernel has one access to global memory.
                    load = f"loadGlobal<{count}, Cache::{cache}>({place}{tail})"
                    yield Form(f"storeShared(s.cast<{TYPES[place]}>(), {load})", exactly("LDG", opcode),
                               f"LDG with {sorted(opcode)}")
            for cache, modifiers in STORE_CACHES.items():
                opcode = {"E"} | SUFFIX[size] | modifiers
                for tail in ["", ", b"]:
                    yield Form(f"storeGlobal<Cache::{cache}>({place}, {value}{tail})", exactly("STG", opcode),
                               f"STG with {sorted(opcode)}")


def sharedForms():
    for size, places in WIDTHS.items():
        for place, count in places:
            kind = TYPES[place]
            value = f"Vec<{kind}, {count}>{{}}" if count > 1 else f"{kind}{{}}"
            for tail in ["", f", b, {kind}{{}}"]:
                yield Form(f"storeGlobal({place}, loadShared<{count}>(s.cast<{kind}>(){tail}))",
                           exactly("LDS", SUFFIX[size]), f"LDS with {sorted(SUFFIX[size])}")
            for tail in ["", ", b"]:
                yield Form(f"storeShared(s.cast<{kind}>(), {value}{tail})", exactly("STS", SUFFIX[size]),
                           f"STS with {sorted(SUFFIX[size])}")


def copyForms():
    for size, modifiers in {4: {"E"}, 8: {"E", "64"}, 16: {"E", "BYPASS", "128"}}.items():
        for tail in ["", ", i", ", b"]:
            zeros = {"ZFILL"} if tail else set()
            check = lambda instructions, size=size, modifiers=modifiers, zeros=zeros: any(
                exactly("LDGSTS", modifiers | z)(instructions) for z in [set(), zeros, {"ZFILL"}])
            yield Form(f"cpAsync<{size}>(s, c{tail})", check, f"LDGSTS with {sorted(modifiers)}")
    for pending in range(8):
        yield Form(f"cpAsyncWait<{pending}>()", contains(rf"DEPBAR.LE SB0, {pending:#x}\b"), f"DEPBAR of {pending}")


def exchangeForms():
    for call, mode in {"shuffle": "IDX", "shuffleXor": "BFLY", "shuffleUp": "UP", "shuffleDown": "DOWN"}.items():
        for value in "fik":
            yield Form(f"out({call}({value}, 3u))", exactly("SHFL", {mode}), f"SHFL.{mode}")


def atomicForms():
    calls = {"atomicAdd(w, i)": "ADD", "atomicMin(w, i)": "MIN", "atomicMax(w, i)": "MAX", "atomicAnd(w, i)": "AND",
             "atomicOr(w, i)": "OR", "atomicXor(w, i)": "XOR", "atomicExchange(w, i)": "EXCH",
             "atomicCompareExchange(w, i, 7)": "CAS", "atomicAdd(l, u64(n))": "ADD"}
    for call, name in calls.items():
        for order in ["relaxed", "acquire", "release", "acquireRelease"]:
            releases, acquires = "elease" in order, "cquire" in order
            def check(instructions, name=name, releases=releases, acquires=acquires):
                found = [parts(i) for i in instructions if parts(i)[0] == "ATOMG"]
                # Of lanes at one address, ptxas may let one add for all.
                return (found and all({name, "STRONG", "GPU"} <= set(opcode) for opcode in found) and
                        releases == any("MEMBAR.ALL.GPU" in i for i in instructions) and
                        acquires == any("CCTL.IVALL" in i for i in instructions))
            yield Form("out(" + call.replace("(", f"<Order::{order}>(", 1) + ")", check,
                       f"ATOMG.{name}, MEMBAR {releases}, CCTL {acquires}")


def hopperForms():
    for pending in range(8):
        wait = rf"DEPBAR.LE SB0, {pending:#x}\b"
        yield Form(f"bulkWait<{pending}>()", contains(wait, "CCTL.IVALL"), f"DEPBAR of {pending}, CCTL")
        yield Form(f"bulkWaitRead<{pending}>()", contains(wait), f"DEPBAR of {pending}")
    for count in range(24, 257, 8):
        for call, how in {"increaseRegisters": "TRY_ALLOC", "decreaseRegisters": "DEALLOC"}.items():
            yield Form(f"{call}<{count}>()", contains(rf"USETMAXREG.{how}\S* .*{count:#x}\b"), f"{how} of {count:#x}")
    for kind, modifiers in {"u8": {"U8"}, "bf16": {"U16"}, "f32": set(), "u64": {"64"}}.items():
        yield Form(f"storeShared(s.cast<{kind}>(), loadRemote(mapShared(s.cast<{kind}>(), i)))",
                   exactly("LD", {"E"} | modifiers), f"LD.E with {sorted(modifiers)}")
        yield Form(f"storeRemote(mapShared(s.cast<{kind}>(), i), {kind}{{}})", exactly("ST", {"E"} | modifiers),
                   f"ST.E with {sorted(modifiers)}")


# Before products that do not accumulate, so that none is dead.
SHOWN = " wgmmaCommit(); wgmmaWait<0>(d); out(d); pin(d); wgmmaFence();"


def productForms():
    """All forms of wgmma, for one N after another. Neighbours use other operands: ptxas drops a product that repeats
    the one before it."""
    majors, signs = ["Major::k", "Major::mn"], ["false", "true"]
    for n in [8, 104]:
        lines, expected = [], []
        for kind, scale in itertools.product(["", "16"], ["true", "false", "b"]):
            shown = SHOWN if scale == "false" else ""
            name = f"HGMMA.64x{n}x16.F32" + ("" if kind else ".BF16")
            for a, b, x, y in itertools.product(majors, majors, signs, signs):
                operand = f"tile{kind}.advance({32 * (len(lines) % 4)})"
                lines.append(f"wgmma<{a}, {b}, {x}, {y}>(d, {operand}, tile{kind}, {scale});{shown}")
                flags = [f for f, on in zip(["negA", "negB", "tnspA", "tnspB"],
                                            [x == "true", y == "true", a == majors[1], b == majors[1]]) if on]
                expected.append((name, "memory", flags, scale))
            for b, x, y in itertools.product(majors, signs, signs):
                operand = f"tile{kind}.advance({32 * (len(lines) % 4)})"
                lines.append(f"wgmma<{b}, {x}, {y}>(d, a{kind}, {operand}, {scale});{shown}")
                # Registers have no sign of their own there: that of the product goes to B.
                flags = [f for f, on in zip(["negB", "tnspB"], [x != y, b == majors[1]]) if on]
                expected.append((name, "registers", flags, scale))
            lines[-1] += SHOWN
        yield n, lines, expected


def productOf(instruction):
    plain = re.sub(r"^@!?U?P\w+ ", "", instruction)
    source = "registers" if re.match(r"\S+ R\d+, R\d+", plain) else "memory"
    scale = "false" if "!UPT" in plain else "b" if re.search(r", !?UP\d", plain) else "true"
    return plain.split()[0], source, re.findall(r"negA|negB|tnspA|tnspB", plain), scale


def productProblems(compiler, scratch):
    for n, lines, expected in productForms():
        body = (f"WgmmaAccumulator<{n}> d; d.fill(f); auto a = filled<WgmmaA<bf16>>(i); "
                "auto a16 = filled<WgmmaA<f16>>(i); pin(d); wgmmaFence(); " + " ".join(lines) +
                " wgmmaCommit(); wgmmaWait<0>(d); out(d)")
        source = uses.PRELUDE.format(includes=f'#include "wgmma/n{n}.h"') + uses.KERNEL.format(
            name="forms", body=body, tiles=uses.TILES)
        cubin, log = compiler.compile(source, "sm_90a")
        if cubin is None or "C75" in log:
            yield f"expected the products of N = {n} to compile, got\n{log}"
            continue
        # ptxas puts products of its own, with f16 results, before some that depend on a predicate.
        got = [productOf(i) for i in nvrtc.disassemble(cubin, scratch)["forms"] if re.search(r"HGMMA\S*\.F32", i)]
        if len(got) != len(expected):
            yield f"N = {n}: expected {len(expected)} products, got {len(got)}"
        for line, want, have in zip(lines, expected, got):
            if want != have:
                yield f"N = {n}: expected {want} for `{line}`, got {have}"


def problems(compiler, forms, architecture, scratch):
    kernels = [uses.KERNEL.format(name=f"form{k}", body=form.code, tiles="") for k, form in enumerate(forms)]
    cubin, log = compiler.compile(uses.PRELUDE.format(includes="") + "".join(kernels), architecture)
    if cubin is None:
        yield f"expected the forms to compile for {architecture}, got\n{log}"
        return
    code = nvrtc.disassemble(cubin, scratch)
    for k, form in enumerate(forms):
        if not form.check(code[f"form{k}"]):
            listing = "; ".join(i for i in code[f"form{k}"] if not re.match(r"(NOP|BRA|EXIT|MOV|LDC|IMAD|S2R)", i))
            yield f"expected {form.expected} for `{form.code}`, got {listing}"


def main(repository, build, architecture, scratch):
    device = pathlib.Path(build) / "codegen" / "cuda" / "device"
    compiler = nvrtc.Nvrtc([repository, f"{repository}/codegen/cuda/device/gpu", str(device / "gpu")])
    forms = [*globalForms(), *sharedForms(), *copyForms(), *exchangeForms(), *atomicForms()]
    if architecture == "sm_90a":
        forms += hopperForms()
    wrong = list(problems(compiler, forms, architecture, scratch))
    if architecture == "sm_90a":
        wrong += productProblems(compiler, scratch)
    print(f"{len(forms)} forms for {architecture}")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
