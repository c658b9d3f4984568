// Partial sums of gradients.
#include "runtime/Gradients.h"

#include "runtime/ThreadPool.h"

#include <algorithm>
#include <cstring>

namespace sluice {

namespace {
constexpr int64_t rangeElements = 1 << 16;
}

GradientBuffer::GradientBuffer(const Port &port, const Grid &grid, const TensorView &output,
                               int64_t heads)
    : output(output), elements(output.elements()) {
  Port stored = port;
  stored.dtype = DType::f32;
  layout = bindTensor(stored, grid, firstCopy(), heads);
  copies = shareTensor(port, grid, heads, layout);
  if (copies > 1)
    others = allocate((copies - 1) * elements * sizeOf(DType::f32));
  layout.copies = static_cast<char *>(others.get());
  layout.copyElements = elements;
  if (port.perHead)
    clearEmptySequences(port, grid);
}

GradientBuffer::GradientBuffer(const Grid &grid, const TensorView &output)
    : output(output), elements(output.elements()) {
  layout = bindState(grid, firstCopy());
}

void *GradientBuffer::firstCopy() {
  if (output.dtype == DType::f32)
    return output.data;
  first = allocate(elements * sizeOf(DType::f32));
  return first.get();
}

/// No task writes the part of an empty sequence in a sum over sequences; nor any part if there is no sequence.
void GradientBuffer::clearEmptySequences(const Port &port, const Grid &grid) {
  auto clear = [&](int64_t copy) {
    char *start = copy == 0 ? layout.base
                            : layout.copies + (copy - 1) * elements * layout.elementSize;
    std::memset(start, 0, elements * layout.elementSize);
  };
  int64_t perSequence = layout.copyPerSequence;
  for (int64_t n = 0; n < grid.sizes.sequences(); ++n)
    for (int64_t part = 0; grid.sizes.tokensOf(n) == 0 && part < perSequence; ++part)
      clear(n * perSequence + part);
  if (grid.sizes.sequences() == 0)
    clear(0);
}

void GradientBuffer::sumRange(int64_t begin, int64_t end) {
  float *sum = reinterpret_cast<float *>(layout.base);
  const float *partial = static_cast<const float *>(others.get());
  for (int64_t copy = 1; copy < copies; ++copy, partial += elements)
    for (int64_t i = begin; i < end; ++i)
      sum[i] += partial[i];
  if (output.dtype != DType::f32)
    convert(DType::f32, sum + begin, output.dtype,
            static_cast<char *>(output.data) + begin * sizeOf(output.dtype), end - begin);
}

void GradientBuffer::finish(int threads) {
  if (copies <= 1 && output.dtype == DType::f32)
    return;
  int64_t ranges = (elements + rangeElements - 1) / rangeElements;
  ThreadPool::shared().forEach(ranges, threads, [&](int64_t range, int) {
    int64_t begin = range * rangeElements;
    sumRange(begin, std::min(elements, begin + rangeElements));
  });
  first.reset();
  others.reset();
}

} // namespace sluice
