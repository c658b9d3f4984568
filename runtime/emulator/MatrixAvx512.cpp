// The matrix unit for machines with AVX-512 (x86-64-v4); the flags are in Numerics.cmake.
#define SLUICE_MATRIX_KERNELS avx512MatrixKernels
#include "runtime/emulator/MatrixCode.h"
