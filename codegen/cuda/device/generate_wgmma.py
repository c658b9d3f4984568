"""Writes wgmma/n<N>.h for every N: on the GPU's side the instructions with their lists of registers, on the emulator's
only the note that the header was included.

usage: generate_wgmma.py OUTPUT_FOLDER, below which gpu/wgmma and emu/wgmma are written
"""

import pathlib
import sys

SIZES = range(8, 257, 8)

EMULATOR = """// Allows products with N = {n}. Generated.
#pragma once

#include "Device.h"

namespace sluice::device::detail {{
template <> struct WgmmaIncluded<{n}> {{
  static constexpr bool value = true;
}};
}} // namespace sluice::device::detail
"""

GPU_HEAD = """// wgmma.mma_async with N = {n}: D is {count} registers of each thread. Generated.
#pragma once

#include "Device.h"

#if SLUICE_HAS_SM90A
namespace sluice::device::detail {{
template <> struct WgmmaIncluded<{n}> {{
  static constexpr bool value = true;
}};

template <> struct WgmmaInstruction<{n}> {{
"""

GPU_TAIL = """};
} // namespace sluice::device::detail
#endif
"""


def wrapped(parts, indent):
    """The parts joined by commas, in lines of at most 116 columns."""
    lines, line = [], ""
    for part in parts:
        if line and len(indent) + len(line) + len(part) + 2 > 116:
            lines.append(line)
            line = ""
        line += part + ", "
    lines.append(line[:-2])
    return ("\n" + indent).join(line.rstrip() for line in lines)


def quoted(parts, indent):
    """A list of PTX operands in braces, as adjacent string literals."""
    lines = wrapped(parts, indent + "  ").split("\n" + indent + "  ")
    spaced = [line + " " for line in lines[:-1]] + [lines[-1]]
    return ("\n" + indent).join(f'"{line}"' for line in spaced)


def instruction(n, dtype, aFromRegisters):
    """One overload: D += A B. The predicate is the operand scale-d: whether D is added."""
    count = n // 2
    registers = quoted([f"%{i}" for i in range(count)], " " * 8)
    outputs = wrapped([f'"+f"(d[{i}])' for i in range(count)], " " * 9)
    if aFromRegisters:
        aType, aText = "const u32 (&a)[4]", "{%" + ", %".join(str(count + i) for i in range(4)) + "}"
        aOperands, rest = '"r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3])', count + 4
        template, name = "bool TransposeB, int ScaleA, int ScaleB", "registers"
        transposes, immediates = '"n"(int(TransposeB))', 3
    else:
        aType, aText, aOperands, rest = "u64 a", f"%{count}", '"l"(a)', count + 1
        template, name = "bool TransposeA, bool TransposeB, int ScaleA, int ScaleB", "shared"
        transposes, immediates = '"n"(int(TransposeA)), "n"(int(TransposeB))', 4
    tail = ", ".join(f"%{rest + 2 + i}" for i in range(immediates))
    return f"""  template <{template}>
  SLUICE_DEVICE static void {name}({dtype}, f32 (&d)[{count}], {aType}, u64 b, bool accumulate) {{
    asm volatile(
        "{{\\n.reg .pred p;\\nsetp.ne.b32 p, %{rest + 1}, 0;\\n"
        "wgmma.mma_async.sync.aligned.m64n{n}k16.f32.{dtype}.{dtype} {{"
        {registers}
        "}}, {aText}, %{rest}, p, {tail};\\n}}"
        : {outputs}
        : {aOperands}, "l"(b), "r"(u32(accumulate)),
          "n"(ScaleA), "n"(ScaleB), {transposes}
        : "memory");
  }}
"""


def gpuHeader(n):
    body = "".join(instruction(n, dtype, registers) for dtype in ("bf16", "f16") for registers in (False, True))
    return GPU_HEAD.format(n=n, count=n // 2) + body + GPU_TAIL


def main():
    folder = pathlib.Path(sys.argv[1])
    for side, text in (("gpu", gpuHeader), ("emu", lambda n: EMULATOR.format(n=n))):
        (folder / side / "wgmma").mkdir(parents=True, exist_ok=True)
        for n in SIZES:
            (folder / side / "wgmma" / f"n{n}.h").write_text(text(n))


if __name__ == "__main__":
    main()
