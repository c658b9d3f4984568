"""Holds both sides' headers to the table of primitives: the same names with the same parameters in the files that the
table says, on each architecture what it has and nothing that the table lacks; on the emulator the place of every call
that can wait, move data or be wrong; the layouts that it names. Also looks for raw PTX outside of the GPU's headers, and
for instructions that no primitive may be.

usage: compare_headers.py REPOSITORY BUILD COMPILER
"""

import pathlib
import re
import subprocess
import sys

import declarations
import uses

SHARED = {"Collectives.h", "Operands.h", "Types.h"}
# What is no primitive: the compile-time loop and what it hands out, in both sides' Types.h.
BUILDING_BLOCKS = {"bf16", "f16", "tf32", "Constant", "Index", "IndexBelow", "unrolled"}


# What would break repeatability, or what the layer leaves out.
EXCLUDED = re.compile(r"multimem|cp\.reduce|\b(?:red|atom)\.[\w.]*\.(?:f16|bf16|f32|f64)|\.e[245]m\d|wgmma[\w.]*\.tf32")


class Side:
    def __init__(self, name, repository, build, compiler, architecture="sm_90a"):
        self.name, self.architecture = name, architecture
        device = pathlib.Path(repository) / "codegen" / "cuda" / "device"
        includes = [repository, device / name, pathlib.Path(build) / "codegen/cuda/device" / name]
        files = declarations.preprocessed(compiler, str(device / name / "Device.h"), includes,
                                          declarations.GPU[architecture] if name == "gpu" else [])
        ours = {}
        for path, text in files.items():
            resolved = pathlib.Path(path).resolve()
            calls = resolved.name.startswith("Abi")  # What the emulator exports; kernels do not see it as primitives.
            if resolved.parent == device / name and not calls or resolved in (device / file for file in SHARED):
                ours[resolved.name] = ours.get(resolved.name, "") + "\n" + text
        self.files = {file: declarations.Declarations(text) for file, text in ours.items()}
        self.macros = {file: set(re.findall(r"#define\s+(SLUICE_\w+)",
                                            (device / ("" if file in SHARED else name) / file).read_text()))
                       for file in ours}

    def functions(self):
        return {(file, name) for file, found in self.files.items() for name in found.functions}

    def types(self):
        return {(file, name) for file, found in self.files.items() for name in found.types}

    def members(self, file, name):
        return self.files[file].members(name)


def has(architecture, least):
    return uses.ARCHITECTURES.index(least or "sm_80") <= uses.ARCHITECTURES.index(architecture)


def wantedFunctions(table, architecture):
    wanted = {}
    for primitive in table.primitives:
        for overload in primitive["overloads"]:
            if has(architecture, overload["architecture"] or primitive["architecture"]):
                forms = wanted.setdefault((primitive["header"], primitive["name"]), set())
                forms.update(declarations.signatures(declarations.TOKEN.findall(overload["signature"])))
    return wanted


def missingPlaces(side, table):
    """Primitives whose calls a report may have to name, without a parameter for it."""
    for primitive in table.primitives:
        quiet = primitive["caller"]["name"] == "thread" and primitive["proxy"]["name"] == "none" and \
            primitive["completion"]["name"] == "return" and not primitive["mutations"]
        if not quiet and primitive["name"] in side.files[primitive["header"]].placeless:
            yield f"{side.name}/{primitive['header']}: expected {primitive['name']} to take the place of its call"


def missingLayouts(repository, table):
    text = (pathlib.Path(repository) / "codegen/cuda/device/Layouts.h").read_text()
    for name in sorted({layout for primitive in table.primitives for layout in primitive["layouts"]}):
        if not re.search(rf"struct {name} |\b{name}\w*\(", text):
            yield f"Layouts.h: expected the layout {name}, which the table names"


def excluded(repository, build):
    for root in (repository, build):
        for path in sorted((pathlib.Path(root) / "codegen/cuda/device/gpu").rglob("*.h")):
            for match in EXCLUDED.finditer(path.read_text()):
                yield f"{path.name}: expected no such instruction, got {match.group(0)}"


def problems(side, table):
    wanted = wantedFunctions(table, side.architecture)
    for file, name in sorted(side.functions() - set(wanted)):
        if name not in BUILDING_BLOCKS:
            yield f"{side.name}/{file}: expected only what the table lists, got the function {name}"
    for (file, name), forms in sorted(wanted.items()):
        declared = side.files[file].functions.get(name, set()) if file in side.files else set()
        for form in sorted(forms - declared):
            yield f"{side.name}/{file}: expected {form}, got {sorted(declared) or 'no such function'}"
        for form in sorted(declared - forms):
            yield f"{side.name}/{file}: expected only what the table lists, got {form}"
    listed = {(entry["header"], entry["name"]): set(entry["members"]) for entry in table.types
              if has(side.architecture, entry["architecture"])}
    for file, name in sorted(side.types() ^ set(listed)):
        if name not in BUILDING_BLOCKS:
            yield f"{side.name}/{file}: {name}: expected the type in the table and in the header, got it in one only"
    for file, name in sorted(side.types() & set(listed)):
        difference = side.members(file, name) ^ listed[file, name]
        if difference:
            yield f"{side.name}/{file}: {name}: expected the table's members, got a difference in {sorted(difference)}"
    for macro in table.macros:
        if macro["name"] not in side.macros.get(macro["header"], set()):
            yield f"{side.name}/{macro['header']}: expected the macro {macro['name']}"


def rawAssembly(repository):
    """PTX is for the GPU's headers only. An empty asm, which emits nothing, is an aid to the optimiser."""
    files = subprocess.run(["git", "-C", repository, "-c", f"safe.directory={repository}", "ls-files", "--cached",
                            "--others", "--exclude-standard"], check=True, capture_output=True, text=True).stdout
    for file in files.splitlines():
        path = pathlib.Path(repository) / file
        if path.suffix not in (".h", ".cpp", ".cu", ".c") or file.startswith("codegen/cuda/device/gpu/"):
            continue
        if not path.is_file():
            continue
        text = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        for match in re.finditer(r'\basm\s*(?:volatile|goto)?\s*\(\s*"([^"]+)', text):
            if re.search(r"\b(mbarrier|wgmma|cp\.async|ldmatrix|bar\.sync|ld\.(global|shared)|st\.(global|shared)|"
                         r"cvt\.|mma\.sync|fence\.|mov\.[bu]|setmaxnreg|red\.|atom\.|shfl\.)", match.group(1)) \
                    or file.endswith(".cu"):
                yield f"{file}: expected raw PTX in codegen/cuda/device/gpu only, got {match.group(1)[:60]}"


def main(repository, build, compiler):
    sys.path.insert(0, f"{repository}/codegen/cuda/device")
    import primitive_table

    table = primitive_table.Table(pathlib.Path(build) / "codegen/cuda/device/Primitives.json")
    wrong = list(rawAssembly(repository))
    for architecture in uses.ARCHITECTURES:
        side = Side("gpu", repository, build, compiler, architecture)
        wrong += [f"{architecture}: {problem}" for problem in problems(side, table)]
    emulator = Side("emu", repository, build, compiler)
    wrong += [*problems(emulator, table), *missingPlaces(emulator, table)]
    wrong += [*missingLayouts(repository, table), *excluded(repository, build)]
    print(f"{len(table.primitives)} primitives, {len(table.types)} types")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
