// How the ports of an entry point lie in the tensors of a run: from a task to the pointers of its kernel call.
#pragma once

#include "runtime/KernelPackage.h"
#include "runtime/Tensor.h"
#include "runtime/TensorContract.h"

#include <memory>
#include <vector>

namespace sluice {

/// One kernel call.
struct TaskIndex {
  int64_t sequence, head, block;
};

/// The tasks of a run.
struct Grid {
  Grid(const Sizes &sizes, int64_t valueBlock);

  const Sizes &sizes;
  int64_t valueBlock, blocks;
  /// Sequences that are not empty, the longest first: the last tasks to start are short.
  std::vector<int64_t> order;

  int64_t count() const {
    return static_cast<int64_t>(order.size()) * sizes.valueHeads * blocks;
  }
  TaskIndex at(int64_t index) const;
  int64_t valueColumns(int64_t block) const;
};

/// Element 0 of a task's part of a tensor lies at a sum of products; a null base stays null.
struct Binding {
  char *base = nullptr;
  int64_t elementSize = 4;
  int64_t stride = 0;            ///< What the kernel is told.
  int64_t perToken = 0;          ///< In elements, of all tokens before the sequence.
  int64_t perSequence = 0;
  int64_t perHead = 0;           ///< Of the tensor's own heads.
  int64_t headGroup = 1;         ///< Value heads to one of the tensor's heads.
  int64_t perBlock = 0;
  bool firstBlockOnly = false;   ///< Null for all blocks but the first.
  /// Partial sums: copies 1, 2, ... of the tensor, `copyElements` apart, for the tasks that share its elements.
  char *copies = nullptr;
  int64_t copyElements = 0;
  int64_t copyPerSequence = 0, copyPerHead = 0, copyPerBlock = 0;

  void *pointer(const TaskIndex &task, const Sizes &sizes) const;
};

/// Of a tensor per token or per head, stored at `data` with `heads` heads.
Binding bindTensor(const Port &port, const Grid &grid, void *data, int64_t heads);
/// Of a state; `data` may be null.
Binding bindState(const Grid &grid, void *data);

/// How many tasks share an element of the tensor, numbered by the fields copyPer... of the binding.
int64_t shareTensor(const Port &port, const Grid &grid, int64_t heads, Binding &binding);

} // namespace sluice
