// The matrix unit for any machine; the flags are in Numerics.cmake.
#define SLUICE_MATRIX_KERNELS baselineMatrixKernels
#include "runtime/emulator/MatrixCode.h"
