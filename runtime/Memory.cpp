// Memory for tensors. Fresh memory costs a page fault for every page that is touched and the time to clear it, which
// a kernel notices; so large blocks are huge pages, and a few that were freed are kept for the next run.
#include "runtime/Tensor.h"

#include <cstdlib>
#include <mutex>
#include <new>
#include <sys/mman.h>
#include <vector>

namespace sluice {

namespace {

constexpr int64_t hugePage = int64_t(1) << 21;
constexpr int64_t keptBytes = int64_t(1) << 28;

struct Block {
  void *memory = nullptr;
  int64_t bytes = 0;
};

/// Freed blocks, the oldest first.
class FreeBlocks {
public:
  /// The smallest block that is large enough and not much larger; a null block if there is none.
  Block take(int64_t bytes) {
    std::lock_guard lock(mutex);
    auto best = blocks.end();
    for (auto block = blocks.begin(); block != blocks.end(); ++block)
      if (block->bytes >= bytes && block->bytes <= bytes + bytes / 4 &&
          (best == blocks.end() || block->bytes < best->bytes))
        best = block;
    if (best == blocks.end())
      return {};
    Block taken = *best;
    blocks.erase(best);
    total -= taken.bytes;
    return taken;
  }

  void give(Block block) {
    std::lock_guard lock(mutex);
    blocks.push_back(block);
    total += block.bytes;
    while (total > keptBytes) {
      total -= blocks.front().bytes;
      std::free(blocks.front().memory);
      blocks.erase(blocks.begin());
    }
  }

private:
  std::mutex mutex;
  std::vector<Block> blocks;
  int64_t total = 0;
};

/// Never destroyed: tensors with static storage may be freed after it would be.
FreeBlocks &freeBlocks() {
  static FreeBlocks *blocks = new FreeBlocks;
  return *blocks;
}

void *allocateAligned(int64_t bytes, int64_t alignment) {
  void *memory = nullptr;
  if (posix_memalign(&memory, static_cast<size_t>(alignment), static_cast<size_t>(bytes)) != 0)
    throw std::bad_alloc();
  return memory;
}

} // namespace

std::shared_ptr<void> allocate(int64_t bytes) {
  if (bytes < 2 * hugePage)
    return {allocateAligned((std::max<int64_t>(bytes, 1) + 63) / 64 * 64, 64), std::free};
  Block block = freeBlocks().take(bytes);
  if (!block.memory) {
    block = {allocateAligned(bytes, hugePage), bytes};
    madvise(block.memory, static_cast<size_t>(bytes), MADV_HUGEPAGE);
  }
  return {block.memory, [block](void *) { freeBlocks().give(block); }};
}

} // namespace sluice
