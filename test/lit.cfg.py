# How lit runs test/<area>/*.mlir and *.test. Assumes the variables of lit.site.cfg.py.in.
#
# Substitutions: %sluice (the driver), sluice-opt, FileCheck, not, split-file (by their names),
# %python (a Python without packages), %torch-python (one with torch), %gpu-python (one with the packages of
# tools/gpu-requirements.txt), %src (the repository),
# %build (the build folder), %lib (build/lib), %golden (the golden cases; tests that use it say "REQUIRES: golden").
import glob
import os

import lit.formats

config.name = "sluice"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.join(config.sluice_source_dir, "test")
config.test_exec_root = os.path.join(config.sluice_binary_dir, "test")

tools = os.path.join(config.sluice_binary_dir, "bin")
golden = os.path.normpath(os.path.join(config.sluice_source_dir, "..", "shared", "golden"))

config.environment["PATH"] = os.pathsep.join([tools, config.llvm_tools_dir, os.environ["PATH"]])
# Tests neither read nor fill the user's cache of compiled kernels.
config.environment["SLUICE_CACHE"] = os.path.join(config.test_exec_root, "cache")

# All of torch is there only where tools/benchmark has run; tests that import it say "REQUIRES: python-torch".
torchPython = os.path.join(config.sluice_binary_dir, "benchmark-venv", "bin", "python")
if os.path.isfile(torchPython):
    config.available_features.add("python-torch")

config.substitutions += [
    ("%sluice", os.path.join(tools, "sluice")),
    ("%torch-python", torchPython),
    ("%gpu-python", os.path.join(config.sluice_binary_dir, "gpu-venv", "bin", "python")),
    ("%python", "/usr/bin/python3"),
    ("%src", config.sluice_source_dir),
    ("%build", config.sluice_binary_dir),
    ("%lib", os.path.join(config.sluice_binary_dir, "lib")),
    ("%golden", golden),
]

# What compiles and disassembles CUDA code; tools/setup installs it. Tests say "REQUIRES: gpu-packages".
if glob.glob(os.path.join(config.sluice_binary_dir, "gpu-venv", "lib", "python3.*", "site-packages", "nvidia",
                          "cu13", "lib", "libnvrtc.so.*")):
    config.available_features.add("gpu-packages")

if os.path.isdir(golden):
    config.available_features.add("golden")
