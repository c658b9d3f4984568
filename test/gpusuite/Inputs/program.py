#!/usr/bin/env python3
"""Stands in for sluice-gpu-suite: four rows for each part. BEHAVIOUR in the environment names what goes wrong in row 1
of the first call that comes to it: hang, lose, crash, sleep; HEADERS is the hash of the headers."""
import json
import os
import signal
import sys
import time

part, options = sys.argv[1], dict(zip(sys.argv[2::2], sys.argv[3::2]))
headers = {"gpu": os.environ.get("HEADERS", "1"), "emu": "2", "all": "3"}
hardware = {"name": "a GPU", "architecture": "sm_90", "driver": "13.0"}
result = {"headers": headers, "hardware": hardware}


def write():
    with open(options["--json"], "w") as out:
        json.dump(result, out)


with open(os.environ["CALLS"], "a") as calls:
    print(part, options.get("--skip", ""), file=calls)
if os.environ.get("BEHAVIOUR") == "broken":
    sys.exit("first line\nexpected something, got nothing")
if part != "describe":
    result.update(part=part, names=["row0", "row1", "row2", "row3"], rows=[])
write()
if part == "describe":
    sys.exit(0)
for i in range(int(options["--skip"]), 4):
    behaviour = os.environ.get("BEHAVIOUR") if i == 1 else ""
    if behaviour == "hang":
        os.kill(os.getpid(), signal.SIGALRM)
    if behaviour == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if behaviour == "sleep":
        time.sleep(60)
    lost = behaviour == "lose"
    figures = {"sectors read": 8.0, "sectors written": 4.0, "wavefronts loaded": 2.0, "wavefronts stored": 1.0}
    verdict = "differs" if lost else "equal"
    result["rows"].append({"name": f"row{i}", "verdict": verdict, "detail": "", "figures": figures})
    write()
    if lost:
        sys.exit(4)
