"""What tools/gpu-suite packs is small, needs nothing of LLVM, CUDA or torch, and runs where only Python is.

usage: check_bundle.py REPOSITORY SCRATCH
"""

import importlib.machinery
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest.mock

sys.dont_write_bytecode = True
NEEDED = {"libSluiceEmulator.so", "libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libc.so.6", "ld-linux-x86-64.so.2"}
# Ubuntu 24.04.
NEWEST = {"GLIBC": (2, 39), "GLIBCXX": (3, 4, 33), "CXXABI": (1, 3, 15)}


def pack(repository, folder):
    """Packs the bundle that is built into another folder."""
    loader = importlib.machinery.SourceFileLoader("tool", f"{repository}/tools/gpu-suite")
    tool = importlib.util.module_from_spec(importlib.util.spec_from_loader("tool", loader))
    loader.exec_module(tool)
    tool.PACKED = str(folder / "build" / "gpu-suite.tar.gz")
    # Whoever runs the tests has built it.
    with unittest.mock.patch("subprocess.run", return_value=subprocess.CompletedProcess([], 0, "", "")):
        tool.pack()


def problems(file):
    text = subprocess.run(["readelf", "-d", "-V", file], capture_output=True, text=True, check=True).stdout
    for library in re.findall(r"NEEDED.*\[(.*)\]", text):
        if library not in NEEDED:
            yield f"expected {file.name} to need no more than C++ does, got {library}"
    for library, version in re.findall(r"Name: (GLIBC|GLIBCXX|CXXABI)_([\d.]+)", text):
        if tuple(map(int, version.split("."))) > NEWEST[library]:
            yield f"expected {file.name} to run with {library} {NEWEST[library]}, got {version}"


def main(repository, scratch):
    folder = pathlib.Path(scratch)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "build").mkdir(parents=True)
    pack(repository, folder)
    (folder / "tools").mkdir()
    shutil.copy(f"{repository}/tools/gpu-suite", folder / "tools")
    (folder / "path").mkdir()
    (folder / "path" / "python3").symlink_to(sys.executable)
    done = subprocess.run([sys.executable, str(folder / "tools" / "gpu-suite")], capture_output=True, text=True,
                          env={"PATH": str(folder / "path"), "SLUICE_LIBCUDA": "/nowhere/libcuda.so"})
    print(done.stdout + done.stderr)
    wrong = [] if done.returncode == 3 else [f"expected exit code 3 without a GPU, got {done.returncode}"]
    bundle = folder / "build" / "gpu-suite-bundle"
    files = [f for name in ("bin", "lib", "kernels") for f in sorted((bundle / name).iterdir())]
    for file in files:
        if file.name != "torch-rates":  # Python.
            wrong += problems(file)
    print(f"{len(files)} files")
    print("\n".join(wrong))
    return 1 if wrong or len(files) < 15 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
