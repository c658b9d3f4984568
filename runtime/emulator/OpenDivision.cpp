// Reports integer divisions whose result PTX leaves open.
#include "codegen/cuda/device/emu/AbiMath.h"
#include "runtime/emulator/Machine.h"

using namespace sluice;

void sluiceEmuOpenDivision(const char *primitive, device::i64 dividend, device::i64 divisor,
                           device::Site site) {
  // The header's functions can be called where no kernel runs.
  if (!sluiceEmuThread)
    return;
  emulator::report(emulator::currentThread(), "open division", site,
                   std::string(primitive) + ": expected a result that the type holds, got " +
                       std::to_string(dividend) + " by " + std::to_string(divisor));
}
