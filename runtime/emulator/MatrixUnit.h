// The arithmetic of the matrix units: mma.sync and wgmma with float32 accumulation, as pure functions on
// the registers of the lanes. Knows no memory, no scheduling and no kernel.
//
// Chip::exact sums in float32, one fma after another in order of k. Chip::ampere and Chip::hopper are
// bit-exact models of the chip that runs, whatever the kernel was compiled for: a kernel for sm_80 on a
// Hopper chip has Hopper's sums. The models are those published by Fasi, Higham, Mikaitis, Pranesh (2021,
// doi 10.7717/peerj-cs.330) and Xie et al. (arXiv 2511.10909, whose reference program `mmasim` the tests
// compare with, bit for bit). One step adds L products to the accumulator:
//   1. Every product a b is exact. Its exponent is exponent(a) + exponent(b), where a subnormal has the
//      smallest exponent of its type and significands are not normalised; so a product's significand lies
//      below 4. A zero, or a product with a zero, has the exponent `zeroExponent`, which is below that of
//      any accumulator but zero.
//   2. All L products and the accumulator are aligned to the largest exponent and cut (towards zero) to F
//      bits after the point, then summed exactly.
//   3. The sum is cut (towards zero) to float32, subnormals included; beyond the largest float32 it is
//      infinite, and a zero is +0.
//   4. A NaN, an infinity times zero, or infinities of both signs give the NaN 0x7fffffff; other infinities
//      stay.
//   Ampere: F = 24, zeroExponent -132, L = 16 bytes of operand (8 of bf16 and f16, 4 of tf32): k16 takes
//   two steps.
//   Hopper: F = 25, zeroExponent -133, L = 32 bytes of operand, so that every instruction takes one step;
//   wgmma too.
// Both ignore the low 13 bits of a tf32 operand, and `exact` does so too; every NaN of `exact` is
// 0x7fffffff as well.
#pragma once

#include "codegen/cuda/device/Types.h"
#include "runtime/emulator/Emulator.h"

#include <cstdint>

namespace sluice::emulator {

/// The instructions of mma.sync that the emulator has, all m16n8 with float32 accumulators.
enum class MmaKind { bf16K16, f16K16, f16K8, tf32K8 };

/// D += A B for one warp. Lane l's registers are a[l][0..3] (f16K8: 0..1), b[l][0..1] (f16K8: 0), d[l][0..3],
/// in the order of codegen/cuda/device/Layouts.h. No alignment beyond that of the types.
void mma(Chip chip, MmaKind kind, const uint32_t *const a[32], const uint32_t *const b[32],
         float *const d[32]);

/// The 16-bit operands of wgmma m64nNk16, unswizzled. Nothing is owned.
struct WgmmaOperands {
  bool half = false;                         ///< f16; otherwise bf16.
  int n = 0;                                 ///< Multiple of 8 up to 256.
  /// Element (m, k) at a[16 m + k], or a[64 k + m] if M is contiguous.
  const uint16_t *a = nullptr;
  /// Instead of `a`: the four registers of each of the 128 lanes.
  const uint32_t *const *aRegisters = nullptr;
  /// Element (k, n) at b[16 n + k], or b[N k + n] if N is contiguous.
  const uint16_t *b = nullptr;
  device::Major majorA = device::Major::k;
  device::Major majorB = device::Major::k;
  bool negateA = false, negateB = false;
  bool accumulate = true;                    ///< Otherwise D = A B: what D held is not read.
};

/// D += A B for a warpgroup. Lane l's N / 2 accumulators are d[l][0..], in the order of
/// layout::WgmmaAccumulator. wgmma exists on Hopper only: Chip::ampere computes as Chip::hopper.
void wgmma(Chip chip, const WgmmaOperands &operands, float *const *d);

} // namespace sluice::emulator
