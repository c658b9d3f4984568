// Every collective of Collectives.h on given values; each thread writes what it got.
#include "Device.h"

SLUICE_KERNEL(collectives, 1024)
(Global<const f32> in, Global<const i32> integers, Global<f32> floats, Global<i32> whole) {
  Shared<f32> scratch = sharedMemory<f32>(0);
  i64 thread = threadIndex(), threads = blockThreads();
  f32 value = loadGlobal(in + thread);
  i32 integer = loadGlobal(integers + thread);
  storeGlobal(floats + thread, warpSum(value));
  storeGlobal(floats + (threads + thread), warpMax(value));
  storeGlobal(floats + (2 * threads + thread), warpInclusiveSum(value));
  storeGlobal(floats + (3 * threads + thread), blockSum(value, scratch));
  storeGlobal(floats + (4 * threads + thread), blockMax(value, scratch));
  storeGlobal(floats + (5 * threads + thread), blockInclusiveSum(value, scratch));
  storeGlobal(whole + thread, warpSum(integer));
  storeGlobal(whole + (threads + thread), i32(warpSum(u32(integer))));
  storeGlobal(whole + (2 * threads + thread), warpMax(integer));
  storeGlobal(whole + (3 * threads + thread), i32(warpMax(u32(integer))));
}
SLUICE_EXPORT(collectives)
