// What most probes share: the words that a thread reads and writes. Bundle::source() puts it in place, so
// that a kernel remains one source.

/// Word i of thread t lies at i * threads + t of its block's part.
struct Words {
  Global<const u32> from;
  Global<u32> to;
  SLUICE_DEVICE Words(Global<const u32> input, Global<u32> output, i64 reads, i64 writes)
      : from(input + (i64(blockIndex()) * reads * blockThreads() + threadIndex())),
        to(output + (i64(blockIndex()) * writes * blockThreads() + threadIndex())) {}
  SLUICE_DEVICE u32 get() {
    u32 word = loadGlobal(from);
    from = from + i64(blockThreads());
    return word;
  }
  SLUICE_DEVICE f32 getFloat() { return floatOf(get()); }
  SLUICE_DEVICE void put(u32 word) {
    storeGlobal(to, word);
    to = to + i64(blockThreads());
  }
  SLUICE_DEVICE void put(f32 value) { put(bitsOf(value)); }
  SLUICE_DEVICE void put(i32 value) { put(u32(value)); }
  SLUICE_DEVICE void put(bool value) { put(u32(value ? 1 : 0)); }
};
