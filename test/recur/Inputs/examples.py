"""Prints the examples of the op definitions as one file of functions. Their operands have the types that the
definitions' first lines tell; an example that is a whole recurrence or scan stands as it is."""
import glob
import os
import re
import sys

TOKEN = {"state": "!recur.state", "q": "!recur.key", "k": "!recur.key", "v": "!recur.value", "u": "!recur.value",
         "g": "f32", "beta": "f32", "gates": "!recur.key", "values": "!recur.value", "entries": "!recur.matrix"}
CHUNK = {"q": "tensor<64x128xf32>", "k": "tensor<64x128xf32>", "v": "tensor<64x128xf32>", "g": "tensor<64xf32>",
         "gates": "tensor<64x128xf32>", "l": "tensor<64x64xf32>", "a": "tensor<64x64xf32>",
         "state": "tensor<128x128xf32>"}


def function(index, example, types):
    used = [name for name in types if re.search(rf"%{name}\b", example.split("=", 1)[1])]
    arguments = ", ".join(f"%{name}: {types[name]}" for name in used)
    return f"func.func @example{index}({arguments}) {{\n  {example}\n  return\n}}\n"


def main(folder):
    missing, printed = [], 0
    for path in sorted(glob.glob(os.path.join(folder, "*Ops.td"))):
        text = open(path).read()
        for op in re.findall(r'def \w+ : Recur_(?:Unary|Binary)Op<"(\w+)"', text):
            binary = re.search(rf'Recur_BinaryOp<"{op}"', text)
            example = f"%z = recur.{op} %v, %u : !recur.value" if binary else f"%y = recur.{op} %k : !recur.key"
            print(function(f"_{op}", example, TOKEN))
        for op, body in re.findall(r'^def \w+ :\s+(?!Recur_UnaryOp|Recur_BinaryOp)\w+<(?:Recur_Dialect, )?"(\w+)"(.*?)^}', text, re.M | re.S):
            example = re.search(r"```mlir\n(.*?)```", body, re.S)
            if not example:
                missing.append(op)
            elif re.match(r"\s*recur\.(recurrence|scan) ", example.group(1)):
                print(f"module @example_{op} {{\n{example.group(1)}}}\n")
            else:
                types = CHUNK if "Recur_Tensor" in body else TOKEN
                print(function(f"_{op}", example.group(1).strip(), types))
            printed += 1
    if missing or printed < 20:
        sys.exit(f"ops without an example: {missing}, {printed} examples")


main(sys.argv[1])
