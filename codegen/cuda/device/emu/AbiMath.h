// Calls behind emu/Math.h: the approximate functions (runtime/emulator/Approximations.cpp states their errors), and the
// report of a division whose result PTX leaves open.
#pragma once

#include "codegen/cuda/device/emu/Abi.h"

extern "C" {
float sluiceEmuExp2(float value);
float sluiceEmuLog2(float value);
float sluiceEmuReciprocal(float value);
float sluiceEmuRsqrt(float value);
float sluiceEmuSqrt(float value);
float sluiceEmuTanh(float value);
void sluiceEmuOpenDivision(const char *primitive, sluice::device::i64 dividend, sluice::device::i64 divisor,
                           sluice::device::Site site);
}
