// Reverses rows of 512 floats, scaled: target[r][i] = scale * source[r][511 - i]. A block for each row.
#include "Device.h"

SLUICE_KERNEL(reverse_rows, 128)(Global<const f32> source, Global<f32> target, f32 scale) {
  const Shared<f32> row = sharedMemory<f32>(0);
  const i64 first = i64(blockIndex()) * 512;
  const i32 mine = i32(threadIndex()) * 4;
  cpAsync<16>(row + mine, source + (first + mine));
  cpAsyncCommit();
  cpAsyncWait<0>(); // What this thread copies has landed,
  syncThreads();    // and what the others copy.
  const Vec<f32, 4> four = loadShared<4>(row + (508 - mine));
  storeGlobal(target + (first + mine),
              Vec<f32, 4>{scale * four(3), scale * four(2), scale * four(1), scale * four(0)});
}
SLUICE_EXPORT(reverse_rows)
