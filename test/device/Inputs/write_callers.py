"""Writes a kernel for each overload of the table of primitives that calls its first use from all lanes but one, which
leaves; and a list of lines `KERNEL PRIMITIVE CALLER`.

usage: write_callers.py REPOSITORY PRIMITIVES_JSON OUTPUT.cu OUTPUT.txt
"""

import pathlib
import sys

import uses


def firstOfEachOverload(table):
    found = []
    for primitive in table.primitives:
        for overload in primitive["overloads"]:
            use = overload["uses"][0]
            size = (use["sizes"] or [0])[0]
            found.append((uses.Use(f"caller{len(found)}", primitive, overload, use, size), primitive["caller"]["name"]))
    return found


class Alone:
    """A use that lane 5 does not come to."""

    def __init__(self, use):
        self.use, self.size, self.architecture = use, use.size, use.architecture

    def kernel(self):
        return uses.KERNEL.format(name=self.use.name, tiles=uses.TILES,
                                  body=f"if (laneIndex() == 5) return; {{ {self.use.body()}; }}")


def main(repository, json, source, names):
    sys.path.insert(0, f"{repository}/codegen/cuda/device")
    import primitive_table

    found = firstOfEachOverload(primitive_table.Table(json))
    text = "// Each primitive called by all lanes but one. Generated.\n" + uses.source([Alone(use) for use, _ in found])
    pathlib.Path(source).write_text(text)
    pathlib.Path(names).write_text("".join(f"{use.name} {use.primitive} {caller}\n" for use, caller in found))


if __name__ == "__main__":
    main(*sys.argv[1:])
