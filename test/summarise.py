# Prints what failed in a lit run and, alone on the last line, "N passed, N failed".
# Usage: summarise.py LOG RESULTS.json EXIT-STATUS; exits non-zero unless every test passed.
import json
import os
import sys

FAILURES = ("FAIL", "XPASS", "TIMEOUT", "UNRESOLVED")


def shortened(lines):
    if len(lines) <= 60:
        return "\n".join(lines)
    return "\n".join(lines[:25] + [f"... {len(lines) - 55} lines ..."] + lines[-30:])


def main(log, results, status):
    if not os.path.exists(results):
        sys.stdout.write(open(log, errors="replace").read()[-4000:])
        print("test: expected lit to write its results, got exit status", status)
        print("0 passed, 1 failed")
        return 1
    tests = json.load(open(results))["tests"]
    failed = [test for test in tests if test["code"] in FAILURES]
    passed = sum(test["code"] in ("PASS", "FLAKYPASS", "XFAIL") for test in tests)
    for test in failed:
        print(f"{test['code']}: {test['name']}")
        print(shortened(test["output"].splitlines()))
    for test in tests:
        if test["code"] in ("UNSUPPORTED", "SKIPPED"):
            print(f"not run: {test['name']}")
    print(f"{passed} passed, {len(failed)} failed")
    return 0 if passed and not failed and status == "0" else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
