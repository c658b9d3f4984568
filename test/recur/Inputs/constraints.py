"""Checks that each numbered constraint of the op definitions has a negative test, named in a comment
`// CONSTRAINT: recur.OP Cn`, and that no test names a constraint that is not there."""
import glob
import os
import re
import subprocess
import sys


def defined(folder):
    constraints = set()
    for path in glob.glob(os.path.join(folder, "*Ops.td")):
        text = open(path).read()
        for form, op in re.findall(r'def \w+ : Recur_(Unary|Binary)Op<"(\w+)"', text):
            constraints |= {f"recur.{op} C1", f"recur.{op} C2"}
        for match in re.finditer(r'^def \w+ :\s+(?!Recur_UnaryOp|Recur_BinaryOp)\w+<(?:Recur_Dialect, )?"(\w+)"(.*?)^}', text, re.M | re.S):
            found = re.findall(r"^ *\(C(\d+)\)", match.group(2), re.M)
            if "let description" in match.group(2):
                constraints |= {f"recur.{match.group(1)} C{number}" for number in found}
    return constraints


def tested(source, folder):
    generated = subprocess.run(
        [sys.executable, os.path.join(folder, "Inputs", "pointwise_errors.py"),
         os.path.join(source, "dialect", "recur", "RecurPointwiseOps.td")],
        check=True, capture_output=True, text=True).stdout
    text = generated + "".join(open(path).read() for path in glob.glob(os.path.join(folder, "errors-*.mlir")))
    return set(re.findall(r"// CONSTRAINT: (recur\.\w+ C\d+)", text))


def main(source):
    folder = os.path.join(source, "test", "recur")
    constraints, tests = defined(os.path.join(source, "dialect", "recur")), tested(source, folder)
    for name in sorted(constraints - tests):
        print(f"no negative test: {name}")
    for name in sorted(tests - constraints):
        print(f"no such constraint: {name}")
    print(f"{len(constraints)} constraints")
    sys.exit(constraints != tests)


main(sys.argv[1])
