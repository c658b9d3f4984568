// Calls behind the approximate functions of emu/Math.h; runtime/emulator/Approximations.cpp defines them and states
// their errors.
#pragma once

extern "C" {
float sluiceEmuExp2(float value);
float sluiceEmuLog2(float value);
float sluiceEmuReciprocal(float value);
float sluiceEmuRsqrt(float value);
float sluiceEmuSqrt(float value);
float sluiceEmuTanh(float value);
}
