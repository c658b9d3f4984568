// Offsets and strides of tensors in the contract's layouts.
#include "runtime/Binding.h"

#include <algorithm>

namespace sluice {

Grid::Grid(const Sizes &sizes, int64_t valueBlock)
    : sizes(sizes), valueBlock(valueBlock),
      blocks((sizes.valueDim + valueBlock - 1) / valueBlock) {
  for (int64_t n = 0; n < sizes.sequences(); ++n)
    if (sizes.tokensOf(n) > 0)
      order.push_back(n);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    int64_t tokensA = sizes.tokensOf(a), tokensB = sizes.tokensOf(b);
    return tokensA != tokensB ? tokensA > tokensB : a < b;
  });
}

TaskIndex Grid::at(int64_t index) const {
  int64_t perSequence = sizes.valueHeads * blocks;
  int64_t rest = index % perSequence;
  return {order[index / perSequence], rest / blocks, rest % blocks};
}

int64_t Grid::valueColumns(int64_t block) const {
  return std::min(valueBlock, sizes.valueDim - block * valueBlock);
}

void *Binding::pointer(const TaskIndex &task, const Sizes &sizes) const {
  if (!base || (firstBlockOnly && task.block > 0))
    return nullptr;
  int64_t offset = perToken * sizes.starts[task.sequence] + perSequence * task.sequence +
                   perHead * (task.head / headGroup) + perBlock * task.block;
  int64_t copy = copyPerSequence * task.sequence + copyPerHead * (task.head % headGroup) +
                 copyPerBlock * task.block;
  char *start = copy == 0 ? base : copies + (copy - 1) * copyElements * elementSize;
  return start + offset * elementSize;
}

Binding bindTensor(const Port &port, const Grid &grid, void *data, int64_t heads) {
  const Sizes &sizes = grid.sizes;
  Binding binding;
  binding.base = static_cast<char *>(data);
  binding.elementSize = sizeOf(port.dtype);
  switch (port.kind) {
  case Kind::scalar:
    binding.perHead = 1;
    break;
  case Kind::key:
    binding.perHead = sizes.keyDim;
    break;
  case Kind::value:
    binding.perHead = sizes.valueDim;
    binding.perBlock = grid.valueBlock;
    break;
  case Kind::matrix:
  case Kind::state:
    binding.perHead = sizes.keyDim * sizes.valueDim;
    binding.perBlock = grid.valueBlock;
    binding.stride = sizes.valueDim;
    break;
  }
  binding.headGroup = sizes.valueHeads / heads;
  if (!port.perHead)
    binding.stride = binding.perToken = heads * binding.perHead;
  return binding;
}

Binding bindState(const Grid &grid, void *data) {
  const Sizes &sizes = grid.sizes;
  Binding binding;
  binding.base = static_cast<char *>(data);
  binding.stride = sizes.valueDim;
  binding.perHead = sizes.keyDim * sizes.valueDim;
  binding.perSequence = sizes.valueHeads * binding.perHead;
  binding.perBlock = grid.valueBlock;
  return binding;
}

int64_t shareTensor(const Port &port, const Grid &grid, int64_t heads, Binding &binding) {
  bool ownColumns = port.kind == Kind::value || port.kind == Kind::matrix;
  int64_t blocks = ownColumns ? 1 : grid.blocks;
  int64_t group = port.perHead ? 1 : grid.sizes.valueHeads / heads;
  binding.copyPerBlock = ownColumns ? 0 : 1;
  binding.copyPerHead = group > 1 ? blocks : 0;
  binding.copyPerSequence = port.perHead ? blocks : 0;
  return blocks * group * (port.perHead ? grid.sizes.sequences() : 1);
}

} // namespace sluice
