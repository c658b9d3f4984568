"""Runs a command that must fail as the user's mistake: exit code 2, nothing on standard output, one line on standard
error, which is printed, and no output file: neither OUT, the file after --out or -o, nor a temporary one beside it."""
import glob
import subprocess
import sys

command = sys.argv[1:]
outputs = [command[i + 1] for i, word in enumerate(command) if word in ("--out", "-o", "--json")]
result = subprocess.run(command, capture_output=True, text=True)
print(result.stderr, end="")
assert result.returncode == 2, f"expected exit code 2, got {result.returncode}"
assert result.stdout == "", f"expected nothing on standard output, got {result.stdout}"
lines = result.stderr.splitlines()
assert len(lines) == 1 and result.stderr.endswith("\n"), f"expected one line, got {len(lines)}"
for output in outputs:
    left = glob.glob(glob.escape(output) + "*")
    assert not left, f"expected no output file, got {left}"
