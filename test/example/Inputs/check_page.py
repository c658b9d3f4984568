"""Holds codegen/cuda/device/README.md to what it describes: commands are run and their output compared, code
must be that of the example, tables must list what the sources have, and files must be there.

usage: check_page.py REPOSITORY BUILD
In blocks marked "console" `[...]` stands for any text; the number of spaces does not matter, nor do the
threads, blocks and offsets that a report names, and how many reports there are: they are those of one order
of events. None must stay none.
"""

import glob
import json
import os
import re
import shlex
import subprocess
import sys

LONGEST = 350


def readFile(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def blocksOf(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.S | re.M)


def section(page, title):
    return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.S | re.M).group(1)


def words(line):
    return " ".join(line.split())


def shape(line):
    line = re.sub(r"^[1-9]\d* reports", "N reports", words(line))
    return re.sub(r"\b(thread|offset|block) \(?[\dxa-f,]+\)?", r"\1 N", line)


def matches(expected, line):
    pattern = ".*".join(re.escape(part) for part in shape(expected).split("[...]"))
    return re.fullmatch(pattern, shape(line)) is not None


def checkCommands(page, build):
    """Yields the first line of each command that differs."""
    commands = 0
    for block in blocksOf(page, "console"):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, *expected = part.splitlines()
            commands += 1
            program, *arguments = shlex.split(command)
            if not program.startswith("build/"):
                yield f"expected a program of build/, got {program}"
                continue
            done = subprocess.run([os.path.join(build, program[6:]), *arguments], capture_output=True,
                                  text=True)
            got = (done.stdout + done.stderr).splitlines()
            for i in range(max(len(got), len(expected))):
                here, there = (lines[i] if i < len(lines) else "nothing" for lines in (expected, got))
                if not matches(here, there):
                    yield f"{command}: line {i + 1}: the page has\n  {here}\ngot\n  {there}"
                    break
    if commands < 3:
        yield f"expected three commands with output, got {commands}"


def checkCode(page, source):
    files = [readFile(source, "test/example", name) for name in ("reverse_rows.cu", "Example.cpp")]
    for block in blocksOf(page, "cpp"):
        if not any(block in text for text in files):
            yield "expected code of test/example, got: " + block.splitlines()[0]


def kindsOf(source):
    """The kinds of report, wherever the emulator makes one."""
    kinds = set()
    for path in glob.glob(os.path.join(source, "runtime/emulator/*.cpp")):
        text = readFile(path)
        calls = re.findall(r"\b(?:report|fatal|reportBlock|keepReport|first)\(\s*"
                           r'(?:[^",;()]|\([^()]*\))*,?\s*"([a-z ]+)"', text)
        assigned = re.findall(r'\bkind = (?:\w+ \? )?"([a-z ]+)"(?: : "([a-z ]+)")?', text)
        kinds.update(calls, (kind for pair in assigned for kind in pair if kind))
    return kinds


def compare(what, page, sources):
    for name in sorted(page - sources):
        yield f"{what}: the page lists '{name}', which the sources lack"
    for name in sorted(sources - page):
        yield f"{what}: the page lacks '{name}'"


def firstCells(text):
    return re.findall(r"^\| ([^|]+?) \|", text, re.M)


def checkTables(page, source, build):
    kinds = set(firstCells(section(page, "How to read a report"))) - {"kind"}
    yield from compare("kinds of report", kinds, kindsOf(source))

    cells = " ".join(firstCells(section(page, "Kernel rules")))
    rules = set(re.findall(r"`([^`]+)`", cells))
    text = readFile(source, "codegen/cuda/KernelRules.cpp")
    names = re.search(r"kernelRuleNames\(\).*?\{(.*?)\};", text, re.S)
    yield from compare("kernel rules", rules, set(re.findall(r'"([^"]+)"', names.group(1).split("{", 1)[1])))

    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.join(source, "codegen/cuda/device"))
    from primitive_table import Table
    table = Table(os.path.join(build, "codegen/cuda/device/Primitives.json"))
    listed = {(header, name) for header, names in re.findall(r"^\| `(\w+\.h)` \| (.*) \|$", page, re.M)
              for name in re.findall(r"`(\w+)`", names)}
    yield from compare("primitives", {" ".join(one) for one in listed},
                       {f"{one['header']} {one['name']}" for one in table.primitives})

    alter = re.search(r"^To \*\*alter\*\*.*?^harness", page, re.S | re.M).group(0)
    described = set(re.findall(r"`([a-zA-Z]+)`", alter))
    kinds = {kind for one in table.primitives for kind in one["mutations"]}
    yield from (f"mutations: the page lacks '{kind}'" for kind in sorted(kinds - described))


def checkPaths(page, source, build):
    for path in set(re.findall(r"(?:codegen|runtime|test|tools|build)/[\w./-]*\w", page)):
        root, rest = path.split("/", 1)
        place = os.path.join(build, rest) if root == "build" else os.path.join(source, path)
        if not os.path.exists(place):
            yield f"expected {path} to be there"


def main(source, build):
    page = readFile(source, "codegen/cuda/device/README.md")
    found = [*checkCommands(page, build), *checkCode(page, source), *checkTables(page, source, build),
             *checkPaths(page, source, build)]
    if page.count("\n") > LONGEST:
        found.append(f"expected at most {LONGEST} lines, got {page.count(chr(10))}")
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
