# Runs a command and prints its exit code after what it says. Usage: status.py COMMAND...
import subprocess
import sys

print("exit", subprocess.run(sys.argv[1:], stdout=sys.stdout, stderr=sys.stdout).returncode)
