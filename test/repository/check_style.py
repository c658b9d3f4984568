# Checks what a machine can check of the style: a first line that says what the file is for, files of
# bounded length, no unfinished markers, folders at most three levels deep, the fixed top level; and that no
# file names a folder of one machine or the host of a package registry.
# Usage: check_style.py REPOSITORY; prints one line per violation and exits 1 if there is any.
import os
import re
import subprocess
import sys

TOP = {"CMakeLists.txt", "README.md", "LICENSE", "CMakePresets.json",
       "dialect", "passes", "codegen", "runtime", "models", "test", "tools"}
COMMENT = {".cpp": "//", ".h": "//", ".c": "//", ".cu": "//", ".td": "//", ".mlir": "//", ".py": "#",
           ".cmake": "#", ".toml": "#", ".txt": "#"}
LONGEST = {".cpp": 500, ".h": 500, ".cu": 500, ".td": 400, ".py": 500}
# Split, so that this file does not contain them.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
MACHINE = re.compile(r"/wo" r"rk/|/ho" r"me/\w|/ro" r"ot/|/tm" r"p/\w")
REGISTRY = re.compile(r"py" r"pi\.org|pythonho" r"sted\.org|anac" r"onda\.org|npm" r"js\.|crat" r"es\.io|"
                      r"docker\." r"io|ghcr\." r"io|registry\.\w+\.|proxy\.gol" r"ang")


def listFiles(root):
    listed = subprocess.run(["git", "-C", root, "-c", f"safe.directory={root}", "ls-files"],
                            capture_output=True, text=True)
    if listed.returncode == 0:
        return [f for f in listed.stdout.splitlines() if os.path.isfile(os.path.join(root, f))]
    return []


def violations(root, path):
    suffix = os.path.splitext(path)[1]
    parts = path.split("/")
    if not parts[0].startswith(".") and parts[0] not in TOP:
        yield f"expected one of {sorted(TOP)} at the top level, got {parts[0]}"
    deepest = 5 if path.startswith("codegen/cuda/device/") else 4  # the twin headers gpu and emu
    if len(parts) > deepest:
        yield f"expected at most three folders, got {len(parts) - 1}"
    try:
        lines = open(os.path.join(root, path), encoding="utf-8").read().splitlines()
    except UnicodeDecodeError:
        return
    for number, line in enumerate(lines, 1):
        if MACHINE.search(line):
            yield f"line {number}: expected no folder of one machine, got {line.strip()[:60]}"
        if REGISTRY.search(line):
            yield f"line {number}: expected no host of a package registry, got {line.strip()[:60]}"
    if suffix not in COMMENT:
        return
    first = lines[0] if lines else ""
    if not first.startswith((COMMENT[suffix], "/*", '"""')):
        yield "expected a comment on the first line that says what the file is for"
    longest = LONGEST.get(suffix, 500)
    if len(lines) > longest:
        yield f"expected at most {longest} lines, got {len(lines)}"
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            yield f"line {number}: expected finished work, got {line.strip()[:60]}"


def main(root):
    found = [f"{path}: {what}" for path in listFiles(root) for what in violations(root, path)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
