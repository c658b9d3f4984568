"""Compares our matrix units, bit for bit, with the tensor-core model of the Python package mmasim.

usage: compare_mmasim.py RUNNER [--seed S] [--cases N] [--torch]
RUNNER is the program numerics-matrix-runner. --torch uses real torch instead of numpy_torch.
"""
import argparse
import itertools
import subprocess
import sys
import time

import numpy as np

import matrix_cases

parser = argparse.ArgumentParser()
parser.add_argument("runner")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--cases", type=int, default=64, help="matrices of mma.sync per chip, type and family")
parser.add_argument("--torch", action="store_true")
arguments = parser.parse_args()

import numpy_torch

if arguments.torch:
    # Products in float64, which nothing here uses; importing it would compile C++.
    numpy_torch.leaveOut("mmasim.arithmetic.fma")
else:
    numpy_torch.install()
import torch
from mmasim.nv_ptx import MMA, WGMMA

chips = {"Ampere": 1, "Hopper": 2}
# Instruction: number for the runner, type of the operands, k, name in mmasim.
mmas = {
    "mma.sync m16n8k16 bf16": (0, "bf16", 16, "m16n8k16.f32.bf16.bf16.f32"),
    "mma.sync m16n8k16 f16": (1, "f16", 16, "m16n8k16.f32.f16.f16.f32"),
    "mma.sync m16n8k8 f16": (2, "f16", 8, "m16n8k8.f32.f16.f16.f32"),
    "mma.sync m16n8k8 tf32": (3, "tf32", 8, "m16n8k8.f32.tf32.tf32.f32"),
}
wgmmas = {"wgmma bf16": (4, "bf16"), "wgmma f16": (5, "f16")}
signBit = {"bf16": 0x8000, "f16": 0x8000}


def tensor(bits, name):
    """Bits as a tensor of the type."""
    if name == "bf16":
        values = (bits << 16).view(np.float32)
        if arguments.torch:
            return torch.from_numpy(values).to(torch.bfloat16)
        return numpy_torch.Tensor(values, numpy_torch.bfloat16)
    values = bits.astype(np.uint16).view(np.float16) if name == "f16" else np.ascontiguousarray(bits).view(np.float32)
    return torch.from_numpy(values) if arguments.torch else numpy_torch.Tensor(values)


def model(operation, name, a, b, c):
    """mmasim's result for a batch of matrices: every element is one dot product."""
    count, m, k = a.shape
    n = b.shape[-1]
    rows = np.ascontiguousarray(np.broadcast_to(a[:, :, None, :], (count, m, n, k)))
    columns = np.ascontiguousarray(np.broadcast_to(np.swapaxes(b, 1, 2)[:, None, :, :], (count, m, n, k)))
    result = operation.dpa(tensor(rows, name), tensor(columns, name), tensor(c, "f32"))
    return (result.numpy() if arguments.torch else result.array).view(np.uint32)


class Job:
    """Products of one instruction: what the runner gets, and what mmasim makes of it."""

    def __init__(self, label, header, operation, name, operands, oracle):
        self.label, self.operation, self.name = label, operation, name
        self.operands, self.oracle = operands, oracle
        self.header = np.array(header + [operands[0].shape[0]], np.int32)

    def encode(self):
        return self.header.tobytes() + b"".join(x.astype(np.uint32).tobytes() for x in self.operands)

    def differences(self, result):
        expected = model(self.operation, self.name, *self.oracle)
        result = result.reshape(expected.shape)
        for case, row, column in np.argwhere(result != expected)[:3]:
            a, b, c = (x[case] for x in self.oracle)
            print(f"{self.label}: case {case} row {row} column {column}: expected {expected[case, row, column]:08x}, "
                  f"got {result[case, row, column]:08x}; a {[hex(x) for x in a[row]]}, "
                  f"b {[hex(x) for x in b[:, column]]}, c {c[row, column]:08x}")
        return int((result != expected).sum())


def mmaJobs(rng):
    for chip, chipNumber in chips.items():
        for label, (number, name, k, qualifiers) in mmas.items():
            operation = MMA(chip, qualifiers)
            for family in matrix_cases.families:
                operands = matrix_cases.make(rng, family, name, arguments.cases, 16, 8, k)
                header = [number, chipNumber, 8, 0, 0, 0, 0, 1, 0]
                yield Job(f"{chip} {label}, {family}", header, operation, name, operands, operands)


def wgmmaJob(rng, label, n, family, count, flags):
    number, name = wgmmas[label]
    a, b, c = matrix_cases.make(rng, family, name, count, 64, n, 16)
    majorA, majorB, negateA, negateB, accumulate, registers = flags
    oracle = (a ^ (signBit[name] * negateA), b ^ (signBit[name] * negateB), c * np.uint32(accumulate))
    operation = WGMMA("Hopper", f"m64n{n}k16.f32.{name}.{name}")
    return Job(f"{label} n{n} flags {flags}, {family}", [number, chips["Hopper"], n] + flags, operation, name, (a, b, c),
               oracle)


def wgmmaJobs(rng):
    """Every N, with layouts, signs, sources of A and the accumulate flag in turn; and all of these with every family."""
    names = list(matrix_cases.families)
    turn = 0
    for label in wgmmas:
        for n in range(8, 257, 8):
            for _ in range(2 if n < 128 else 1):
                flags = [int(x) for x in rng.integers(0, 2, 6)]
                yield wgmmaJob(rng, label, n, names[turn % len(names)], 1, flags)
                turn += 1
        for family in names:
            # Real torch takes long, and has only to agree with the part of it that is used otherwise.
            for flags in list(itertools.product([0, 1], repeat=6))[::16 if arguments.torch else 1]:
                yield wgmmaJob(rng, label, 8, family, 1, list(flags))


def main():
    start = time.time()
    rng = np.random.default_rng(arguments.seed)
    jobs = list(mmaJobs(rng)) + list(wgmmaJobs(rng))
    run = subprocess.run([arguments.runner], input=b"".join(job.encode() for job in jobs), stdout=subprocess.PIPE)
    if run.returncode != 0:
        sys.exit(f"expected {arguments.runner} to succeed, got exit status {run.returncode}")
    results = np.frombuffer(run.stdout, np.uint32)
    matrices = elements = differing = at = 0
    for job in jobs:
        size = job.operands[2].size
        differing += job.differences(results[at:at + size])
        matrices, elements, at = matrices + job.operands[2].shape[0], elements + size, at + size
    assert at == results.size, f"expected {at} results, got {results.size}"
    print(f"{matrices} products, {elements} elements, {differing} differ, {time.time() - start:.1f} s")
    sys.exit(1 if differing else 0)


main()
