"""Compiles every use of the table of primitives against the emulator's headers.

usage: check_emulator.py REPOSITORY BUILD COMPILER SCRATCH
"""

import pathlib
import subprocess
import sys

import uses


def main(repository, build, compiler, scratch):
    sys.path.insert(0, f"{repository}/codegen/cuda/device")
    import primitive_table

    device = pathlib.Path(build) / "codegen" / "cuda" / "device"
    listed = uses.availableUses(primitive_table.Table(device / "Primitives.json"), "sm_90a")
    pathlib.Path(scratch).write_text(uses.source(listed))
    result = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-x", "c++",
                             f"-I{repository}", f"-I{repository}/codegen/cuda/device/emu", f"-I{device / 'emu'}",
                             scratch], capture_output=True, text=True)
    print(f"{len(listed)} uses on the emulator")
    print(result.stderr[:4000])
    return result.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
