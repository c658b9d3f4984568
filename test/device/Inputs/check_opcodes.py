"""Compiles every use of the table of primitives for the GPU and looks for the instructions that the table expects.

usage: check_opcodes.py REPOSITORY BUILD ARCHITECTURE SCRATCH
"""

import pathlib
import re
import sys

import nvrtc
import uses

# Of one call to NVRTC: enough to compile the headers rarely, few enough to name a use that does not compile.
BATCH = 200


def matches(expected, instruction):
    """A pattern without a space is of the whole opcode, any other of the instruction from its opcode on; one that
    starts with @ is of an instruction under a predicate."""
    plain = re.sub(r"^@!?U?P\w+ ", "", instruction)
    if expected.startswith("@"):
        return re.match(expected, instruction)
    return re.match(expected, plain) if " " in expected else re.fullmatch(expected, plain.split()[0])


def problems(use, instructions, architecture):
    key = "sm_80" if architecture == "sm_80" else "sm_90a"
    for opcode in use.opcodes[key]:
        forbidden = opcode.startswith("!")
        if forbidden == any(matches(opcode.lstrip("!"), instruction) for instruction in instructions):
            listing = "; ".join(i for i in instructions if not re.match(r"(NOP|BRA|EXIT|MOV|LDC|IMAD|S2R)", i))
            yield f"{use.primitive}: expected {opcode} for `{use.code}`, got {listing}"


def main(repository, build, architecture, scratch):
    sys.path.insert(0, f"{repository}/codegen/cuda/device")
    import primitive_table

    device = pathlib.Path(build) / "codegen" / "cuda" / "device"
    compiler = nvrtc.Nvrtc([repository, f"{repository}/codegen/cuda/device/gpu", str(device / "gpu")])
    listed = uses.availableUses(primitive_table.Table(device / "Primitives.json"), architecture)
    wrong = []
    for start in range(0, len(listed), BATCH):
        batch = listed[start:start + BATCH]
        cubin, log = compiler.compile(uses.source(batch), architecture)
        if cubin is None or "warning" in log or "C75" in log:
            wrong.append(f"expected the uses to compile for {architecture} without a message, got\n{log}")
            continue
        kernels = nvrtc.disassemble(cubin, scratch)
        for use in batch:
            wrong += problems(use, kernels[use.name], architecture)
    print(f"{len(listed)} uses for {architecture}")
    print("\n".join(wrong))
    return 1 if wrong or not listed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
