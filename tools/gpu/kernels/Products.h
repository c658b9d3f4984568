// Products of the probes of wgmma, with the operands in shared memory as they come.

/// Shared memory: A 64 x 64 at 0, B up to 256 x 64 at 8192. In which order the elements lie does not matter
/// here: what is read from where is what the probe compares.
constexpr u32 placeB = 8192;

SLUICE_DEVICE void fillShared(Words &words, u32 bytes) {
  for (u32 at = threadIndex() * 4; at < bytes; at += blockThreads() * 4)
    storeShared(sharedMemory<u32>(at), words.get());
  fenceProxyAsyncShared();
  syncThreads();
}

template <int N> SLUICE_DEVICE void putAll(Words &words, WgmmaAccumulator<N> &sum) {
  unrolled<N / 2>([&](auto i) { words.put(sum.r(i)); });
}

/// Two products of 16 along K, the second onto the first; odd blocks start from ones, even ones from nothing.
template <class T, int N, Major A, Major B, bool NegateA, bool NegateB>
SLUICE_DEVICE void multiplyShared(Words &words, Swizzle swizzle, u32 leading, u32 stride) {
  const auto a = wgmmaDescriptor(sharedMemory<T>(0), swizzle, leading, stride);
  const auto b = wgmmaDescriptor(sharedMemory<T>(placeB), swizzle, leading, stride);
  WgmmaAccumulator<N> sum;
  sum.fill(1.0f);
  pin(sum);
  wgmmaFence();
  wgmma<A, B, NegateA, NegateB>(sum, a, b, (blockIndex() & 1) != 0);
  wgmma<A, B, NegateA, NegateB>(sum, a.advance(32), b.advance(32), true);
  wgmmaCommit();
  wgmmaWait<0>(sum);
  putAll(words, sum);
}

template <class T, int N, Major B, bool NegateA, bool NegateB>
SLUICE_DEVICE void multiplyRegisters(Words &words, Swizzle swizzle, u32 leading, u32 stride) {
  WgmmaA<T> a;
  unrolled<4>([&](auto i) { a.r(i) = loadShared(sharedMemory<u32>((i * 128 + threadIndex()) * 4)); });
  const auto b = wgmmaDescriptor(sharedMemory<T>(placeB), swizzle, leading, stride);
  WgmmaAccumulator<N> sum;
  sum.fill(0.0f);
  pin(sum);
  wgmmaFence();
  wgmma<B, NegateA, NegateB>(sum, a, b, (blockIndex() & 1) == 0);
  wgmmaCommit();
  wgmmaWait<0>(sum);
  putAll(words, sum);
}
