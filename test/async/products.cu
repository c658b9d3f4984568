// One wgmma of each kind: tiles placed in shared memory by the formulas of the PTX manual, registers
// likewise.
#include "Device.h"
#include "wgmma/n136.h"
#include "wgmma/n24.h"
#include "wgmma/n256.h"
#include "wgmma/n64.h"
#include "wgmma/n8.h"

namespace {

constexpr u32 spanOf(Swizzle swizzle) {
  return swizzle == Swizzle::bytes128  ? 128
         : swizzle == Swizzle::bytes64 ? 64
         : swizzle == Swizzle::bytes32 ? 32
                                       : 16;
}
constexpr u32 swizzledBy(u32 span, u32 offset) { return offset ^ (offset >> 7 & (span / 16 - 1)) << 4; }

/// Where element (mn, k) of a 16-deep operand lies, and the offsets of its descriptor.
template <Major major, Swizzle swizzle> struct Placement {
  static constexpr u32 span = spanOf(swizzle);
  static constexpr bool plain = swizzle == Swizzle::none;
  static constexpr u32 leading = plain ? 128 : major == Major::k ? 16 : 16 * span;
  static constexpr u32 stride = plain ? 256 : 8 * span;
  static SLUICE_DEVICE u32 at(u32 mn, u32 k) {
    if (plain && major == Major::k)
      return mn / 8 * 256 + k / 8 * 128 + mn % 8 * 16 + k % 8 * 2;
    if (plain)
      return mn / 8 * 256 + k / 8 * 128 + k % 8 * 16 + mn % 8 * 2;
    if (major == Major::k)
      return swizzledBy(span, mn * span + k * 2);
    return mn / (span / 2) * 16 * span + swizzledBy(span, k * span + mn % (span / 2) * 2);
  }
};

template <class T, Major major, Swizzle swizzle>
SLUICE_DEVICE WgmmaDescriptor<T> place(Global<const u16> matrix, u32 rows, u32 offset) {
  using P = Placement<major, swizzle>;
  for (u32 i = threadIndex(); i < rows * 16; i += 128)
    storeShared(sharedMemory<u16>(offset + P::at(i / 16, i % 16)), loadGlobal(matrix + i64(i)));
  return wgmmaDescriptor(sharedMemory<T>(offset), swizzle, P::leading, P::stride);
}

template <int N> SLUICE_DEVICE void storeSum(Global<f32> out, WgmmaAccumulator<N> &sum) {
  const u32 t = threadIndex();
  unrolled<N / 2>([&](auto i) {
    const u32 row = t / 32 * 16 + t % 32 / 4 + i / 2 % 2 * 8, column = i / 4 * 8 + t % 4 * 2 + i % 2;
    storeGlobal(out + i64(row * N + column), sum.r(i));
  });
}

template <int N, class T, Major majorA, Major majorB, Swizzle swizzle, bool negateA, bool negateB>
SLUICE_DEVICE void product(Global<const u16> a, Global<const u16> b, Global<f32> out, u32 accumulate) {
  const auto left = place<T, majorA, swizzle>(a, 64, 0);
  const auto right = place<T, majorB, swizzle>(b, N, 8192);
  fenceProxyAsyncShared();
  syncThreads();
  WgmmaAccumulator<N> sum;
  sum.fill(2.0f);
  pin(sum);
  wgmmaFence();
  wgmma<majorA, majorB, negateA, negateB>(sum, left, right, accumulate != 0);
  wgmma<majorA, majorB, negateA, negateB>(sum, left, right, true);
  wgmmaCommit();
  wgmmaWait<0>(sum);
  storeSum(out, sum);
}

/// A from registers.
template <int N, class T, Major majorB, Swizzle swizzle, bool negateA, bool negateB>
SLUICE_DEVICE void productOfRegisters(Global<const u16> a, Global<const u16> b, Global<f32> out,
                                      u32 accumulate) {
  const u32 t = threadIndex();
  const auto right = place<T, majorB, swizzle>(b, N, 8192);
  fenceProxyAsyncShared();
  syncThreads();
  WgmmaA<T> left;
  unrolled<4>([&](auto i) {
    const i64 at = (t / 32 * 16 + t % 32 / 4 + i % 2 * 8) * 16 + t % 4 * 2 + i / 2 * 8;
    left.r(i) = u32(loadGlobal(a + at)) | u32(loadGlobal(a + (at + 1))) << 16;
  });
  WgmmaAccumulator<N> sum;
  sum.fill(2.0f);
  pin(sum);
  wgmmaFence();
  wgmma<majorB, negateA, negateB>(sum, left, right, accumulate != 0);
  wgmmaCommit();
  wgmma<majorB, negateA, negateB>(sum, left, right, true);
  wgmmaCommit();
  wgmmaWait<1>();
  wgmmaWait<0>(sum);
  storeSum(out, sum);
}

} // namespace

#define PRODUCT(name, ...)                                                                                   \
  SLUICE_KERNEL(name, 128)(Global<const u16> a, Global<const u16> b, Global<f32> out, u32 accumulate) {      \
    product<__VA_ARGS__>(a, b, out, accumulate);                                                             \
  }                                                                                                          \
  SLUICE_EXPORT(name)
#define PRODUCT_OF_REGISTERS(name, ...)                                                                      \
  SLUICE_KERNEL(name, 128)(Global<const u16> a, Global<const u16> b, Global<f32> out, u32 accumulate) {      \
    productOfRegisters<__VA_ARGS__>(a, b, out, accumulate);                                                  \
  }                                                                                                          \
  SLUICE_EXPORT(name)

PRODUCT(k_k_none, 64, bf16, Major::k, Major::k, Swizzle::none, false, false)
PRODUCT(k_k_32, 24, f16, Major::k, Major::k, Swizzle::bytes32, false, false)
PRODUCT(k_k_64, 136, bf16, Major::k, Major::k, Swizzle::bytes64, false, true)
PRODUCT(k_k_128, 256, bf16, Major::k, Major::k, Swizzle::bytes128, true, false)
PRODUCT(mn_k_none, 8, f16, Major::mn, Major::k, Swizzle::none, false, false)
PRODUCT(mn_mn_none, 64, bf16, Major::mn, Major::mn, Swizzle::none, false, false)
PRODUCT(mn_mn_32, 64, bf16, Major::mn, Major::mn, Swizzle::bytes32, true, true)
PRODUCT(k_mn_64, 136, f16, Major::k, Major::mn, Swizzle::bytes64, false, false)
PRODUCT(mn_mn_128, 256, f16, Major::mn, Major::mn, Swizzle::bytes128, false, false)
PRODUCT(mn_k_128, 8, bf16, Major::mn, Major::k, Swizzle::bytes128, false, false)
PRODUCT_OF_REGISTERS(r_k_128, 64, bf16, Major::k, Swizzle::bytes128, false, false)
PRODUCT_OF_REGISTERS(r_mn_128, 256, f16, Major::mn, Swizzle::bytes128, true, false)
PRODUCT_OF_REGISTERS(r_k_none, 24, f16, Major::k, Swizzle::none, false, true)
PRODUCT_OF_REGISTERS(r_mn_32, 136, bf16, Major::mn, Swizzle::bytes32, false, false)
