"""Reads the table of primitives as llvm-tblgen --dump-json gives it; as a program, writes what C++ includes of it.

usage: primitive_table.py PRIMITIVES_JSON OUTPUT.inc
"""

import json
import sys

HEAD = """// The table of primitives for C++, generated from Primitives.td. Define, before including it,
//   SLUICE_PRIMITIVE(name, header, architecture, caller, proxy, completion, mutations)
// whose arguments are string literals, the kinds of mutation separated by spaces. It is undefined at the end.
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
    rows = "".join(row(primitive) for primitive in Table(sys.argv[1]).primitives)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(HEAD + rows + "#undef SLUICE_PRIMITIVE\n")


if __name__ == "__main__":
    main()
