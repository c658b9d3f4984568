// Kernels that measure the emulator itself: threads that do nothing, and blocks that wait for each other.
#include "Device.h"

SLUICE_KERNEL(nothing, 1024)(u32 unused) {}
SLUICE_EXPORT(nothing)

/// Every block counts itself in and waits for all others.
SLUICE_KERNEL(meeting, 512)(Global<u32> counter) {
  syncThreads();
  if (threadIndex() == 0) {
    addCounter<Order::release>(counter, 1);
    waitCounter(counter, gridBlocks());
  }
  syncThreads();
}
SLUICE_EXPORT(meeting)
