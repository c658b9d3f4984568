"""The kernels that exercise the table of primitives: each use of each overload, in source that both sides compile."""

ARCHITECTURES = ["sm_80", "sm_90", "sm_90a"]

# The operands that the table's uses name. Values differ between threads, so that nothing folds or turns uniform.
PRELUDE = """#include "Device.h"
{includes}
template <class Fragment> SLUICE_DEVICE Fragment filled(u32 seed) {{
  Fragment fragment;
  unrolled<Fragment::count>([&](auto r) {{ fragment.r(r) = seed + r; }});
  return fragment;
}}
template <class T> SLUICE_DEVICE void write(Global<u32> sink, const T &value) {{
  storeGlobal(sink.cast<T>() + threadIndex(), value);
}}
template <class T, int N> SLUICE_DEVICE void write(Global<u32> sink, const Vec<T, N> &value) {{
  storeGlobal(sink.cast<T>() + N * threadIndex(), value);
}}
SLUICE_DEVICE void write(Global<u32> sink, bool value) {{ storeGlobal(sink + threadIndex(), value ? 1u : 0u); }}
template <class Fragment>
  requires requires {{ Fragment::count; }}
SLUICE_DEVICE void write(Global<u32> sink, const Fragment &fragment) {{
  unrolled<Fragment::count>([&](auto r) {{ write(sink + r * 128, fragment.r(r)); }});
}}
"""

KERNEL = """
SLUICE_KERNEL({name}, 128)
(Global<f32> g, Global<const f32> c, Global<bf16> gh, Global<const bf16> ch, Global<u32> w, Global<u64> l,
 Global<u32> sink, i64 n, u32 i, i32 k, f32 f, f32 e, SLUICE_TENSOR_MAP(map)) {{
  n = n + threadIndex(), i = i + threadIndex(), k = k + i32(threadIndex());
  f = f + toFloat(threadIndex()), e = e * f;
  [[maybe_unused]] bool b = i > 5;
  Shared<f32> s = sharedMemory<f32>(0) + i32(4 * threadIndex());
  Shared<bf16> h = sharedMemory<bf16>(4096) + i32(8 * threadIndex());
  Shared<f16> h16 = h.cast<f16>();
  Mbarrier bar(sharedMemory<u64>(8192));
  [[maybe_unused]] auto out = [&](const auto &value) {{ write(sink, value); }};
  MmaAccumulator d;
  d.fill(f);
{tiles}  (void)g, (void)c, (void)gh, (void)ch, (void)w, (void)l, (void)s, (void)h16, (void)&map;
  {{
    {body};
  }}
}}
SLUICE_EXPORT({name})
"""

TILES = """  auto tile = wgmmaDescriptor(h, Swizzle::bytes128, 16, 1024);
  auto tile16 = wgmmaDescriptor(h16, Swizzle::bytes128, 16, 1024);
  (void)tile, (void)tile16;
"""


class Use:
    def __init__(self, name, primitive, overload, use, size):
        self.name, self.primitive = name, primitive["name"]
        self.architecture = overload["architecture"] or primitive["architecture"]
        fill = lambda text: text.replace("$N", str(size))
        self.size, self.code = size, fill(use["call"])
        self.opcodes = {"sm_80": [fill(o) for o in use["sm80"]], "sm_90a": [fill(o) for o in use["sm90"]]}
        self.returns = not overload["signature"].split("(")[0].split("> ")[-1].startswith("void")
        self.oneExpression = ";" not in self.code

    def body(self):
        return f"out({self.code})" if self.returns and self.oneExpression else self.code

    def kernel(self):
        tiles = TILES if self.architecture == "sm_90a" else ""
        return KERNEL.format(name=self.name, body=self.body(), tiles=tiles)


def availableUses(table, architecture):
    """The uses of what the architecture has."""
    uses = []
    for primitive in table.primitives:
        for overload in primitive["overloads"]:
            for use in overload["uses"]:
                for size in use["sizes"] or [0]:
                    uses.append(Use(f"use{len(uses)}", primitive, overload, use, size))
    last = ARCHITECTURES.index(architecture)
    return [use for use in uses if ARCHITECTURES.index(use.architecture) <= last]


def source(uses):
    sizes = sorted({use.size for use in uses if use.size})
    if any(use.architecture == "sm_90a" for use in uses):
        sizes = sorted(set(sizes) | {8, 64})
    includes = "\n".join(f'#include "wgmma/n{n}.h"' for n in sizes)
    return PRELUDE.format(includes=includes) + "".join(use.kernel() for use in uses)
