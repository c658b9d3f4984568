"""Compiles a kernel with the NVRTC of this Python's packages: compile.py REPOSITORY SOURCE ARCHITECTURE CUBIN [-DX=1]."""

import ctypes
import glob
import os
import sys

repository, source, architecture, target = sys.argv[1:5]
packages = [path for path in sys.path if path.endswith("site-packages")]
nvrtc = ctypes.CDLL(glob.glob(os.path.join(packages[0], "nvidia", "*", "lib", "libnvrtc.so.*[0-9]"))[0])
device = os.path.join("codegen", "cuda", "device", "gpu")
options = ["-arch=" + architecture, "-std=c++20", "--fmad=false", "-default-device", "-I" + repository,
           "-I" + os.path.join(repository, device), "-I" + os.path.join(repository, "build", device), *sys.argv[5:]]

with open(source, "rb") as file:
    text = file.read()
program, size = ctypes.c_void_p(), ctypes.c_size_t()
nvrtc.nvrtcCreateProgram(ctypes.byref(program), text, os.path.basename(source).encode(), 0, None, None)
failed = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*map(str.encode, options)))
if failed:
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    sys.exit(log.value.decode())
nvrtc.nvrtcGetCUBINSize(program, ctypes.byref(size))
cubin = ctypes.create_string_buffer(size.value)
nvrtc.nvrtcGetCUBIN(program, cubin)
with open(target, "wb") as file:
    file.write(cubin.raw)
