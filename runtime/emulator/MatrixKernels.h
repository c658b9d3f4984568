// The matrix unit compiled for several instruction sets, and the choice among them. All give the same bits.
#pragma once

#include "runtime/emulator/MatrixUnit.h"

namespace sluice::emulator {

/// Entry points of one instruction set; see MatrixUnit.h.
struct MatrixKernels {
  void (*mma)(Chip chip, MmaKind kind, const uint32_t *const *a, const uint32_t *const *b, float *const *d);
  void (*wgmma)(Chip chip, const WgmmaOperands &operands, float *const *d);
};

extern const MatrixKernels baselineMatrixKernels;
#if defined(__x86_64__)
extern const MatrixKernels avx2MatrixKernels, avx512MatrixKernels;
bool hasAvx2();    ///< This machine runs `avx2MatrixKernels`.
bool hasAvx512();
#endif

} // namespace sluice::emulator
