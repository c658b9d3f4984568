// Probes of what the lanes of a warp and the threads of a block exchange.
#include "Device.h"
#include "Words.h"

/// 2 words in, 15 out: every lane reads another one, votes, and elects.
SLUICE_KERNEL(exchanges, 64)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  const u32 value = words.get(), choice = words.get();
  words.put(shuffle(value, choice % 32));
  words.put(shuffle(floatOf(value), (choice >> 5) % 32));
  words.put(shuffle(i32(value), blockIndex() % 32));
  for (u32 mask = 1; mask < 32; mask *= 2)
    words.put(shuffleXor(value, mask));
  words.put(shuffleUp(value, blockIndex() % 32));
  words.put(shuffleDown(value, blockIndex() % 32));
  words.put(ballotLanes((choice & 1) != 0));
  words.put(anyLane((choice & 31) == 0));
  words.put(allLanes((choice & 31) != 0));
  words.put(warpUniform(value));
  words.put(shuffleDown(floatOf(value), blockIndex() % 32));
}
SLUICE_EXPORT(exchanges)

/// 1 word in, 2 out: one leader in each warp.
SLUICE_KERNEL(election, 64)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  const u32 leaders = ballotLanes(electLane());
  words.put(u32(leaders != 0 && (leaders & (leaders - 1)) == 0));
  words.put(words.get());
}
SLUICE_EXPORT(election)

/// 1 word in, 10 out: sums and maxima over a warp and a block, always in the same order.
SLUICE_KERNEL(reductions, 256)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  Words words(input, output, reads, writes);
  const u32 bits = words.get();
  const f32 value = floatOf(bits);
  const Shared<f32> scratch = sharedMemory<f32>(0);
  words.put(warpSum(value));
  words.put(warpSum(bits));
  words.put(warpSum(i32(bits)));
  words.put(warpMax(value));
  words.put(warpMax(bits));
  words.put(warpMax(i32(bits)));
  words.put(warpInclusiveSum(value));
  words.put(blockSum(value, scratch));
  words.put(blockMax(value, scratch));
  words.put(blockInclusiveSum(value, scratch));
}
SLUICE_EXPORT(reductions)

/// 1 word in, 8 out: who a thread is, in a grid of three dimensions.
SLUICE_KERNEL(places, 96)(Global<const u32> input, Global<u32> output, i64 reads, i64 writes) {
  const i64 block =
      i64(blockIndex()) + i64(gridBlocks()) * (blockIndex<1>() + i64(gridBlocks<1>()) * blockIndex<2>());
  Global<u32> to = output + (block * writes * blockThreads() + threadIndex());
  const u32 values[8] = {threadIndex(),   laneIndex(),     warpIndex(),     blockThreads(),
                         blockIndex<1>(), blockIndex<2>(), gridBlocks<1>(), gridBlocks<2>()};
  unrolled<8>([&](auto i) { storeGlobal(to + i64(i * blockThreads()), values[i]); });
}
SLUICE_EXPORT(places)
