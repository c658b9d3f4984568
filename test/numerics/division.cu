// Divides the first number of `pairs` by the second, and the rest; see DivisionTest.cpp.
#include "Device.h"

SLUICE_KERNEL(divide_pair, 32)(Global<const i32> pairs, Global<i32> results) {
  if (threadIndex() == 5) {
    const i32 dividend = loadGlobal(pairs), divisor = loadGlobal(pairs + 1);
    storeGlobal(results, divide(dividend, divisor));
    storeGlobal(results + 1, remainder(dividend, divisor));
  }
}
SLUICE_EXPORT(divide_pair)
