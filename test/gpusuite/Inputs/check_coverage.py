"""Every use in the table of primitives, each overload with its counts, widths, orders, ranks and operands, occurs in a
probe. Both are compiled without inlining, so that each instantiation of a primitive is a symbol.

usage: check_coverage.py REPOSITORY BUILD COMPILER SCRATCH
"""

import pathlib
import re
import subprocess
import sys

FLAGS = "-x c++ -std=c++20 -O0 -w -Dalways_inline=noinline -c".split()
# Of what only moves elements the width counts, not the type; of what moves bytes, or rows of matrices, neither does.
WIDTHS = {"float": 4, "int": 4, "unsigned int": 4, "tf32": 4, "f16": 2, "bf16": 2, "unsigned short": 2,
          "unsigned long": 8, "unsigned long long": 8, "long long": 8, "long": 8, "unsigned char": 1}
ELEMENT = re.compile(r"\b(" + "|".join(sorted(WIDTHS, key=len, reverse=True)) + r")( const)?\b")
MOVES_ELEMENTS = {"Memory.h", "Cluster.h"}
MOVES_BYTES = {"AsyncCopy.h", "TensorCopy.h"}
OF_ANY_TYPE = {"ldmatrix", "stmatrix", "mapShared"}


def nameOf(symbol):
    """The function's name: the last word outside of template arguments before its parameters."""
    depth, name = 0, ""
    for token in re.findall(r"[\w:]+|[<>(]", symbol):
        if token == "(" and depth == 0:
            return name.rsplit("::", 1)[-1]
        if token in "<>":
            depth += 1 if token == "<" else -1
        elif depth == 0:
            name = token
    return ""


def simplified(symbol, primitive):
    symbol = re.sub(r"(, )?std::source_location|sluice::device::| requires .*", "", symbol)
    if primitive["header"] in MOVES_BYTES or primitive["name"] in OF_ANY_TYPE:
        return ELEMENT.sub("T", symbol)
    if primitive["header"] in MOVES_ELEMENTS:
        return ELEMENT.sub(lambda found: f"{8 * WIDTHS[found[1]]}bit", symbol)
    return symbol


def instantiations(source, scratch, compiler, includes, primitives):
    made = f"{scratch}-{pathlib.Path(source).stem}.o"
    subprocess.run([compiler, *FLAGS, *includes, "-o", made, source], check=True)
    listed = subprocess.run(["llvm-nm", "-C", "--defined-only", made], capture_output=True, text=True, check=True)
    symbols = [line.split(" ", 2)[2] for line in listed.stdout.splitlines() if "sluice::device::" in line]
    return {simplified(s, primitives[nameOf(s)]) for s in symbols if nameOf(s) in primitives}


def main(repository, build, compiler, scratch):
    sys.path[:0] = [f"{repository}/codegen/cuda/device", f"{repository}/test/device/Inputs"]
    import primitive_table
    import uses

    device = pathlib.Path(build) / "codegen" / "cuda" / "device"
    table = primitive_table.Table(device / "Primitives.json")
    # The table has an entry for each overload of pin.
    primitives = {re.sub("^pin.*", "pin", p["name"]): p for p in table.primitives}
    includes = [f"-I{folder}" for folder in (f"{repository}/codegen/cuda/device/emu", device / "emu", repository)]
    scan = lambda source: instantiations(source, scratch, compiler, includes, primitives)

    used = f"{scratch}.uses.cu"
    pathlib.Path(used).write_text(uses.source(uses.availableUses(table, "sm_90a")))
    wanted, probed = scan(used), set()
    for source in sorted((pathlib.Path(repository) / "tools" / "gpu" / "kernels").glob("*.cu")):
        if not source.stem.startswith("latencies"):  # Measured, not compared.
            probed |= scan(source)
    print(f"{len(wanted)} instantiations in the table, {len(probed)} in probes")
    for missing in sorted(wanted - probed):
        print("expected a probe of", missing)
    return 1 if len(wanted) < 300 or wanted - probed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
