// The matrix unit for machines with AVX2, FMA and F16C (x86-64-v3); the flags are in Numerics.cmake.
#define SLUICE_MATRIX_KERNELS avx2MatrixKernels
#include "runtime/emulator/MatrixCode.h"
