// Chooses the matrix unit's code for this machine, once.
#include "runtime/emulator/MatrixKernels.h"

namespace sluice::emulator {

#if defined(__x86_64__)
bool hasAvx2() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("x86-64-v3");
}

bool hasAvx512() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("x86-64-v4");
}
#endif

static const MatrixKernels &choose() {
#if defined(__x86_64__)
  if (hasAvx512())
    return avx512MatrixKernels;
  if (hasAvx2())
    return avx2MatrixKernels;
#endif
  return baselineMatrixKernels;
}

static const MatrixKernels &kernels = choose();

void mma(Chip chip, MmaKind kind, const uint32_t *const a[32], const uint32_t *const b[32],
         float *const d[32]) {
  kernels.mma(chip, kind, a, b, d);
}

void wgmma(Chip chip, const WgmmaOperands &operands, float *const *d) { kernels.wgmma(chip, operands, d); }

} // namespace sluice::emulator
