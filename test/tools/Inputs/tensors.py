"""Writes, spoils and compares safetensors files for the tests of the driver, without packages.

tensors.py write FILE NAME:SHAPE[:DTYPE]...   random tensors; SHAPE like 2x5x1x16; I64 counts up: NAME:=0,3,5:I64
tensors.py near FILE FILE TOLERANCE           the same names and shapes, f32 values close to each other
tensors.py names FILE                         names, dtypes and shapes
"""
import array
import json
import math
import random
import struct
import sys

WIDTH = {"F32": 4, "F64": 8, "I64": 8, "BF16": 2}


def values(shape, dtype):
    if shape.startswith("="):
        numbers = [int(number) for number in shape[1:].split(",") if number]
        return [len(numbers)], array.array("q", numbers).tobytes()
    sizes = [int(size) for size in shape.split("x")]
    count = math.prod(sizes)
    numbers = array.array("d" if dtype == "F64" else "f", (random.gauss(0, 0.2) for _ in range(count)))
    raw = numbers.tobytes()
    if dtype == "BF16":
        raw = b"".join(raw[i + 2 : i + 4] for i in range(0, len(raw), 4))
    return sizes, raw


def write(path, *specs):
    random.seed(1)
    header, data = {}, b""
    for spec in specs:
        name, shape, dtype = (spec.split(":") + ["F32"])[:3]
        sizes, raw = values(shape, dtype)
        header[name] = {"dtype": dtype, "shape": sizes, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def read(path):
    raw = open(path, "rb").read()
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + length])
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        entry["raw"] = raw[8 + length + begin : 8 + length + end]
    return header


def near(first, second, tolerance):
    one, other = read(first), read(second)
    assert one.keys() == other.keys(), (one.keys(), other.keys())
    for name in one:
        assert one[name]["shape"] == other[name]["shape"], name
        a, b = (array.array("f", entry[name]["raw"]) for entry in (one, other))
        difference = math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b)))
        norm = math.sqrt(sum(y * y for y in b))
        assert difference <= float(tolerance) * norm, (name, difference, norm)


def names(path):
    for name, entry in sorted(read(path).items()):
        print(name, entry["dtype"], entry["shape"])


{"write": write, "near": near, "names": names}[sys.argv[1]](*sys.argv[2:])
