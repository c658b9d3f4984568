"""Reads the table of primitives as llvm-tblgen --dump-json gives it; as a program, writes what C++ includes of it.

usage: primitive_table.py PRIMITIVES_JSON OUTPUT.inc
"""

import json
import sys

HEAD = """// The table of primitives for C++, generated from Primitives.td. Define, before including it, one or both of
//   SLUICE_PRIMITIVE(name, header, architecture, caller, proxy, completion, mutations)
//   SLUICE_MACRO(name)
// whose arguments are string literals, the kinds of mutation separated by spaces. They are undefined at the end.
#ifndef SLUICE_PRIMITIVE
#define SLUICE_PRIMITIVE(...)
#endif
#ifndef SLUICE_MACRO
#define SLUICE_MACRO(name)
#endif
"""
TAIL = """#undef SLUICE_PRIMITIVE
#undef SLUICE_MACRO
"""


class Table:
    """Entries in the order of their declaration, references between records resolved."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.records = json.load(file)
        self.primitives = self.instances("Primitive")
        self.types = self.instances("DeviceType")
        self.macros = self.instances("Macro")

    def instances(self, className):
        return [self.resolve(self.records[name]) for name in self.records["!instanceof"][className]]

    def resolve(self, value):
        if isinstance(value, dict) and value.get("kind") == "def":
            return self.resolve(self.records[value["def"]])
        if isinstance(value, dict):
            return {key: self.resolve(field) for key, field in value.items() if not key.startswith("!")}
        if isinstance(value, list):
            return [self.resolve(element) for element in value]
        return value


def row(primitive):
    fields = [primitive["name"], primitive["header"], primitive["architecture"], primitive["caller"]["name"],
              primitive["proxy"]["name"], primitive["completion"]["name"], " ".join(primitive["mutations"])]
    return "SLUICE_PRIMITIVE(" + ", ".join(json.dumps(field) for field in fields) + ")\n"


def main():
    table = Table(sys.argv[1])
    rows = "".join(row(primitive) for primitive in table.primitives)
    rows += "".join(f"SLUICE_MACRO({json.dumps(macro['name'])})\n" for macro in table.macros)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(HEAD + rows + TAIL)


if __name__ == "__main__":
    main()
