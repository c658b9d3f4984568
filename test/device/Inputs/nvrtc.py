"""Compiles CUDA source with NVRTC and disassembles it with nvdisasm, both from the packages of gpu-venv."""

import ctypes
import pathlib
import re
import subprocess
import sysconfig

PACKAGES = pathlib.Path(sysconfig.get_paths()["purelib"])
CUDA = PACKAGES / "nvidia" / "cu13"


class Nvrtc:
    def __init__(self, includes):
        self.library = ctypes.CDLL(str(CUDA / "lib" / "libnvrtc.so.13"))
        self.includes = includes

    def check(self, result):
        self.library.nvrtcGetErrorString.restype = ctypes.c_char_p
        if result:
            raise RuntimeError(self.library.nvrtcGetErrorString(result).decode())

    def compile(self, source, architecture, name="uses.cu"):
        """The machine code, or None, and the compiler's messages."""
        program = ctypes.c_void_p()
        self.check(self.library.nvrtcCreateProgram(ctypes.byref(program), source.encode(), name.encode(), 0, None,
                                                   None))
        options = ["--std=c++20", "--fmad=false", "--device-as-default-execution-space",
                   f"--gpu-architecture={architecture}"]
        options += [f"--include-path={path}" for path in self.includes]
        array = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        failed = self.library.nvrtcCompileProgram(program, len(options), array)
        log = self.text(program, "ProgramLog")
        code = None if failed else self.text(program, "CUBIN", raw=True)
        self.library.nvrtcDestroyProgram(ctypes.byref(program))
        return code, log

    def text(self, program, what, raw=False):
        size = ctypes.c_size_t()
        self.check(getattr(self.library, f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
        buffer = ctypes.create_string_buffer(size.value)
        self.check(getattr(self.library, f"nvrtcGet{what}")(program, buffer))
        return buffer.raw if raw else buffer.value.decode()


def disassemble(cubin, path):
    """Instructions by kernel, each a list of texts without addresses and encodings."""
    pathlib.Path(path).write_bytes(cubin)
    text = subprocess.run([str(CUDA / "bin" / "nvdisasm"), "-c", str(path)], check=True, capture_output=True,
                          text=True).stdout
    kernels, current = {}, None
    for line in text.splitlines():
        section = re.match(r"\s*\.section\s+\.text\.(\w+)", line)
        if section:
            current = kernels.setdefault(section.group(1), [])
        instruction = re.match(r"\s*/\*[0-9a-f]{4,}\*/\s+(.*?)\s*;", line)
        if instruction and current is not None:
            current.append(instruction.group(1))
    return kernels
