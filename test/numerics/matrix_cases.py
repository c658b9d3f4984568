"""Random operands of matrix products: each family aims at one difficulty of summing products in a tensor core."""
import numpy as np

types = {  # bits of the fraction, bits of the exponent, bits below that are kept zero
    "bf16": (7, 8, 0),
    "f16": (10, 5, 0),
    "tf32": (23, 8, 13),
    "f32": (23, 8, 0),
}


def assemble(rng, name, shape, low, high):
    """Random signs and fractions, biased exponents from low to high: 0 makes zeros and subnormals."""
    fraction, exponent, ignored = types[name]
    sign = rng.integers(0, 2, shape, dtype=np.uint32) << (fraction + exponent)
    field = rng.integers(low, high + 1, shape, dtype=np.uint32) << fraction
    # What a tensor core ignores of tf32 is random as well.
    return sign | field | rng.integers(0, 1 << fraction, shape, dtype=np.uint32)


def fieldOf(name):
    fraction, exponent, _ = types[name]
    return (1 << exponent) - 1


def bias(name):
    return fieldOf(name) // 2


def normal(rng, name, shape):
    """Standard normal numbers."""
    values = rng.standard_normal(shape).astype(np.float32)
    if name == "f16":
        return values.astype(np.float16).view(np.uint16).astype(np.uint32)
    return values.view(np.uint32) >> 16 if name == "bf16" else values.view(np.uint32)


def wide(rng, name, shape):
    """Exponents over the whole range of the type."""
    return assemble(rng, name, shape, 1, fieldOf(name) - 1)


def near(rng, name, shape):
    """Exponents a few apart: nearly all products lose some bits and keep some."""
    return assemble(rng, name, shape, bias(name) - 7, bias(name) + 7)


def small(rng, name, shape):
    """Subnormals, zeros and the smallest normal numbers."""
    return assemble(rng, name, shape, 0, 2)


def large(rng, name, shape):
    """The largest numbers, so that sums overflow."""
    return assemble(rng, name, shape, fieldOf(name) - 2, fieldOf(name) - 1)


def halves(rng, name, shape):
    """Exponents around half the smallest: products at the lower end of float32."""
    middle = bias(name) - (64 if fieldOf(name) == 255 else 12)
    return assemble(rng, name, shape, max(middle - 12, 0), middle + 12)


def powers(rng, name, shape):
    """Few powers of two whose products lie around the smallest subnormal, where the exponent of a zero decides."""
    fraction, exponent, _ = types[name]
    middle = bias(name) - (76 if fieldOf(name) == 255 else 11)
    values = assemble(rng, name, shape, max(middle - 4, 1), middle + 4) >> fraction << fraction
    return zeros(rng, name, values, 0.6)


def replace(rng, values, share, choices):
    chosen = rng.random(values.shape) < share
    return np.where(chosen, rng.choice(np.array(choices, np.uint32), values.shape), values)


def zeros(rng, name, values, share=0.5):
    fraction, exponent, _ = types[name]
    return replace(rng, values, share, [0, 1 << (fraction + exponent)])


def specials(rng, name, values, share=0.02):
    """Infinities of both signs and NaNs with random payloads."""
    fraction, exponent, ignored = types[name]
    infinity, sign = fieldOf(name) << fraction, 1 << (fraction + exponent)
    payload = rng.integers(1 << ignored, 1 << fraction)
    return replace(rng, values, share, [infinity, infinity | sign, infinity | payload, infinity | payload | sign])


def undefined(rng, name, shape):
    """Infinities that meet zeros and each other. A NaN of the lowest bit alone is an infinity to tf32."""
    fraction, exponent, _ = types[name]
    infinity, sign = fieldOf(name) << fraction, 1 << (fraction + exponent)
    values = zeros(rng, name, small(rng, name, shape), 0.5)
    return replace(rng, values, 0.02, [infinity, infinity | sign, infinity | 1])


def cancelling(rng, name, a, b, c):
    """The second half of the products is the negative of the first, but for a permutation."""
    fraction, exponent, _ = types[name]
    half = a.shape[-1] // 2
    order = rng.permutation(half)
    a[..., half:] = a[..., order] ^ (1 << (fraction + exponent))
    b[..., half:, :] = b[..., order, :]
    return a, b, c


families = {
    "normal": lambda rng, t, s: normal(rng, t, s),
    "near": lambda rng, t, s: near(rng, t, s),
    "wide": lambda rng, t, s: wide(rng, t, s),
    "cancellation": lambda rng, t, s: near(rng, t, s),
    "zeros": lambda rng, t, s: zeros(rng, t, wide(rng, t, s), 0.7),
    "all zeros": lambda rng, t, s: zeros(rng, t, wide(rng, t, s), 0.97),
    "subnormals": lambda rng, t, s: small(rng, t, s),
    "underflow": lambda rng, t, s: halves(rng, t, s),
    "smallest subnormal": lambda rng, t, s: powers(rng, t, s),
    "overflow": lambda rng, t, s: large(rng, t, s),
    "infinities and NaNs": lambda rng, t, s: specials(rng, t, near(rng, t, s)),
    "infinities among zeros": lambda rng, t, s: undefined(rng, t, s),
    "any bits": lambda rng, t, s: assemble(rng, t, s, 0, fieldOf(t)),
}


def make(rng, family, name, count, m, n, k):
    """A [count, m, k], B [count, k, n] and C [count, m, n] as bits."""
    draw = families[family]
    a, b, c = draw(rng, name, (count, m, k)), draw(rng, name, (count, k, n)), draw(rng, "f32", (count, m, n))
    if family == "subnormals":
        # A normal factor with every other case, so that products of subnormals count for something.
        b[::2] = near(rng, name, b[::2].shape)
    if family == "smallest subnormal":
        c = zeros(rng, "f32", c, 1.0)
    if family == "cancellation":
        a, b, c = cancelling(rng, name, a, b, c)
        c[::2] = zeros(rng, "f32", c[::2], 1.0)
    return a, b, c
