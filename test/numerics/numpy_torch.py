"""The part of torch that mmasim's tensor-core model needs, on numpy, so that the model runs without torch.

install() must be called before mmasim is imported. A number of a type that numpy lacks (bfloat16) is held as float32
and carries its type along. With real torch, test/numerics/compare_mmasim.py --torch gives the same bits.
"""
import sys
import types

import numpy as np


class DType:
    def __init__(self, name, itemsize, storage=None):
        self.name, self.itemsize, self.storage = name, itemsize, storage


float64 = DType("float64", 8, np.float64)
float32 = DType("float32", 4, np.float32)
float16 = DType("float16", 2, np.float16)
bfloat16 = DType("bfloat16", 2, np.float32)
int16 = DType("int16", 2, np.int16)
int32 = DType("int32", 4, np.int32)
uint8 = DType("uint8", 1, np.uint8)
boolean = DType("bool", 1, np.bool_)
eightBits = ["float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float8_e5m2fnuz", "float8_e4m3fnuz"]

byStorage = {np.dtype(d.storage): d for d in [float64, float32, float16, int16, int32, uint8, boolean]}


def raw(value):
    return value.array if isinstance(value, Tensor) else value


class Tensor:
    def __init__(self, array, dtype=None):
        self.array = np.asarray(array)
        self.dtype = dtype or byStorage[self.array.dtype]

    shape = property(lambda self: self.array.shape)
    T = property(lambda self: Tensor(self.array.T, self.dtype))

    def __getitem__(self, index):
        index = tuple(raw(i) for i in index) if isinstance(index, tuple) else raw(index)
        return Tensor(self.array[index], self.dtype)

    def __setitem__(self, index, value):
        self.array[raw(index)] = raw(value)

    def float(self):
        return Tensor(self.array.astype(np.float32))

    def double(self):
        return Tensor(self.array.astype(np.float64))

    def to(self, dtype):
        with np.errstate(over="ignore"):
            return Tensor(self.array.astype(dtype.storage), dtype)

    def view(self, dtype):
        return Tensor(self.array.view(dtype.storage), dtype)

    def unsqueeze(self, dim):
        return Tensor(np.expand_dims(self.array, dim), self.dtype)

    def expand(self, *sizes):
        shape = tuple(old if new == -1 else new for old, new in zip(self.array.shape, sizes))
        return Tensor(np.broadcast_to(self.array, shape), self.dtype)

    def max(self, dim):
        return types.SimpleNamespace(values=Tensor(self.array.max(axis=dim)))

    def sum(self, dim):
        with np.errstate(invalid="ignore"):
            return Tensor(self.array.sum(axis=dim))

    def any(self):
        return self.array.any()

    def isnan(self):
        return Tensor(np.isnan(self.array))


def operator(name):
    def apply(self, other):
        with np.errstate(over="ignore", invalid="ignore"):
            return Tensor(getattr(self.array, name)(raw(other)))

    return apply


for name in ["add", "radd", "sub", "mul", "rmul", "lt", "gt", "eq", "lshift", "rshift"]:
    setattr(Tensor, f"__{name}__", operator(f"__{name}__"))


def frexp(x):
    significand, exponent = np.frexp(x.array)
    # Infinities and NaNs: the exponent is open, torch gives 0.
    exponent = np.where(np.isfinite(x.array), exponent, 0)
    return Tensor(significand), Tensor(exponent.astype(np.int32))


def exp2(e):
    storage = np.float64 if e.dtype is float64 else np.float32
    return Tensor(np.ldexp(storage(1), e.array.astype(np.int32)))


def leaveOut(module):
    """Whoever imports the module gets an empty one."""
    sys.modules[module] = types.ModuleType(module)


def install():
    torch = types.ModuleType("torch")
    for name in ["float64", "float32", "float16", "bfloat16", "int16", "int32", "uint8"]:
        setattr(torch, name, globals()[name])
    for name in eightBits:
        setattr(torch, name, DType(name, 1))
    torch.Tensor = Tensor
    torch.tensor = lambda values, dtype: Tensor(np.array(values, dtype.storage))
    torch.cat = lambda parts, dim: Tensor(np.concatenate([p.array for p in parts], axis=dim))
    torch.trunc = lambda x: Tensor(np.trunc(x.array))
    torch.frexp, torch.exp2 = frexp, exp2
    sys.modules["torch"] = torch
    # Products in float64, which nothing here uses; importing it would compile C++.
    leaveOut("mmasim.arithmetic.fma")
