// Binds the ports of an entry point to tensors and calls it for every task.
#include "runtime/Launch.h"

#include "runtime/Binding.h"
#include "runtime/Error.h"
#include "runtime/Gradients.h"
#include "runtime/ThreadPool.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <list>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace sluice {

namespace {

/// While it lives, this thread's denormal numbers are zero: strong gates make many, and each costs a hundred
/// cycles. The caller's setting comes back afterwards.
class FlushDenormals {
public:
#if defined(__SSE__)
  FlushDenormals() : saved(_mm_getcsr()) { _mm_setcsr(saved | flushToZero | denormalsAreZero); }
  ~FlushDenormals() { _mm_setcsr(saved); }
  FlushDenormals(const FlushDenormals &) = delete;

private:
  static constexpr unsigned flushToZero = 0x8000, denormalsAreZero = 0x40;
  unsigned saved;
#endif
};

constexpr int64_t convertedAtOnce = 1 << 16;

/// Where the records of a saved port lie: for each sequence those of each head and block.
struct SavedLayout {
  std::vector<int64_t> starts{0};  // Records before each sequence, of all its tasks.
  std::vector<int64_t> records;    // Of one task of each sequence.

  SavedLayout(const Grid &grid, int64_t step, int64_t every) {
    int64_t tasks = grid.sizes.valueHeads * grid.blocks;
    for (int64_t n = 0; n < grid.sizes.sequences(); ++n) {
      int64_t steps = (grid.sizes.tokensOf(n) + step - 1) / step;
      records.push_back((steps + every - 1) / every);
      starts.push_back(starts.back() + records.back() * tasks);
    }
  }
  int64_t recordOf(const TaskIndex &task, const Grid &grid) const {
    return starts[task.sequence] +
           (task.head * grid.blocks + task.block) * records[task.sequence];
  }
};

/// One run of one entry point.
class Launch {
public:
  Launch(const LoadedPackage &kernels, const ViewMap &inputs, const ViewMap &outputs,
         const RunOptions &options, bool backward)
      : entry(kernels.entry(options.form, backward)), inputs(inputs),
        outputs(outputs),
        sizes(checkTensors(signatureOf(kernels.package()), inputs, backward)),
        grid(sizes, kernels.package().valueBlock),
        threads(options.threads > 0 ? options.threads : ThreadPool::availableThreads()) {}

  std::shared_ptr<Saved> forward(Form form, bool save) {
    auto saved = std::make_shared<Saved>();
    saved->form = form;
    saved->step = entry.point->step;
    if (save)
      allocateSaved(*saved);
    bindPorts(*saved);
    call();
    copyStates("initial_state", "final_state");
    return save ? saved : nullptr;
  }

  void backward(const Saved &saved) {
    bindPorts(saved);
    call();
    for (GradientBuffer &gradient : gradients)
      gradient.finish(threads);
    copyStates("dfinal_state", "dinitial_state");
  }

private:
  struct Operand {
    Binding binding;
    char *records = nullptr;     // Saved ports only.
    int64_t recordElements = 0;
    const SavedLayout *layout = nullptr;
  };

  const TensorView *find(const ViewMap &tensors, const std::string &name) const {
    auto found = tensors.find(name);
    return found == tensors.end() ? nullptr : &found->second;
  }

  void allocateSaved(Saved &saved) const {
    for (const Port &port : entry.point->ports) {
      if (port.role != PortRole::saved)
        continue;
      SavedLayout layout(grid, entry.point->step, port.every);
      int64_t bytes = layout.starts.back() * port.recordElements * sizeOf(DType::f32);
      saved.parts[port.name] = {allocate(bytes), port.recordElements, port.every};
      saved.bytes += bytes;
    }
  }

  /// The tensor's own memory, or a copy in the type that the kernel reads.
  void *dataAs(DType dtype, const TensorView *view) {
    if (!view || view->dtype == dtype)
      return view ? view->data : nullptr;
    int64_t elements = view->elements();
    std::shared_ptr<void> copy = allocate(elements * sizeOf(dtype));
    kept.push_back(copy);
    int64_t parts = (elements + convertedAtOnce - 1) / convertedAtOnce;
    ThreadPool::shared().forEach(parts, threads, [&](int64_t part, int) {
      int64_t begin = part * convertedAtOnce;
      convert(view->dtype, static_cast<const char *>(view->data) + begin * sizeOf(view->dtype),
              dtype, static_cast<char *>(copy.get()) + begin * sizeOf(dtype),
              std::min(convertedAtOnce, elements - begin));
    });
    return copy.get();
  }

  int64_t headsOf(const Port &port) const {
    const TensorView *argument = find(inputs, port.name);
    bool ownHeads = argument && port.kind == Kind::key && !port.perHead;
    return ownHeads ? argument->shape[2] : sizes.valueHeads;
  }

  /// A result without value columns is computed by every block; the first one's is kept.
  Binding bindResult(const Port &port) {
    const TensorView *output = find(outputs, port.name);
    assert(output && output->dtype == port.dtype && "results must have memory of their type");
    Binding binding = bindTensor(port, grid, output->data, sizes.valueHeads);
    int64_t copies = shareTensor(port, grid, sizes.valueHeads, binding);
    if (copies > 1) {
      binding.copyElements = output->elements();
      kept.push_back(allocate((copies - 1) * output->elements() * sizeOf(port.dtype)));
      binding.copies = static_cast<char *>(kept.back().get());
    }
    return binding;
  }

  /// A cotangent without value columns belongs to the first block, or it would count once for each.
  Binding bindCotangent(const Port &port) {
    void *data = dataAs(port.dtype, find(inputs, "d" + port.name));
    Binding binding = bindTensor(port, grid, data, sizes.valueHeads);
    binding.firstBlockOnly = port.kind == Kind::scalar || port.kind == Kind::key;
    return binding;
  }

  Binding bindGradient(const Port &port) {
    const TensorView *output = find(outputs, "d" + port.name);
    if (!output)
      return {};
    return gradients.emplace_back(port, grid, *output, headsOf(port)).binding();
  }

  Binding bind(const Port &port) {
    switch (port.role) {
    case PortRole::argument:
      return bindTensor(port, grid, dataAs(port.dtype, find(inputs, port.name)), headsOf(port));
    case PortRole::result:
      return bindResult(port);
    case PortRole::cotangent:
      return bindCotangent(port);
    case PortRole::gradient:
      return bindGradient(port);
    case PortRole::initialState:
      return bindState(grid, dataAs(DType::f32, find(inputs, "initial_state")));
    case PortRole::stateCotangent:
      return bindState(grid, dataAs(DType::f32, find(inputs, "dfinal_state")));
    case PortRole::finalState: {
      const TensorView *output = find(outputs, "final_state");
      return bindState(grid, output ? output->data : nullptr);
    }
    case PortRole::stateGradient: {
      const TensorView *output = find(outputs, "dinitial_state");
      return output ? gradients.emplace_back(grid, *output).binding() : Binding{};
    }
    case PortRole::saved:
      break;
    }
    return {};
  }

  void bindPorts(const Saved &saved) {
    for (const Port &port : entry.point->ports) {
      Operand &operand = operands.emplace_back();
      if (port.role != PortRole::saved) {
        operand.binding = bind(port);
        continue;
      }
      auto part = saved.parts.find(port.name);
      if (part == saved.parts.end())
        continue;
      assert(part->second.recordElements == port.recordElements &&
             part->second.every == port.every && saved.step == entry.point->step &&
             "forward and backward must agree on what is saved");
      operand.records = static_cast<char *>(part->second.data.get());
      operand.recordElements = port.recordElements;
      operand.layout = &layouts.emplace_back(grid, entry.point->step, port.every);
    }
  }

  void *pointerOf(const Operand &operand, const TaskIndex &task) const {
    if (!operand.records)
      return operand.binding.pointer(task, sizes);
    return operand.records + operand.layout->recordOf(task, grid) * operand.recordElements *
                                 sizeOf(DType::f32);
  }

  void call() const {
    std::vector<int64_t> strides;
    for (const Operand &operand : operands)
      strides.push_back(operand.binding.stride);
    int64_t workers = std::max<int64_t>(1, std::min<int64_t>(threads, grid.count()));
    int64_t scratchBytes = (entry.point->scratchBytes + 63) / 64 * 64;
    std::shared_ptr<void> scratch = allocate(workers * scratchBytes);
    ThreadPool::shared().forEach(grid.count(), static_cast<int>(workers),
                                 [&](int64_t index, int worker) {
      TaskIndex task = grid.at(index);
      std::vector<void *> pointers;
      for (const Operand &operand : operands)
        pointers.push_back(pointerOf(operand, task));
      KernelTask kernelTask{sizes.tokensOf(task.sequence), grid.valueColumns(task.block),
                            static_cast<char *>(scratch.get()) + worker * scratchBytes,
                            pointers.data(), strides.data()};
      [[maybe_unused]] FlushDenormals flush;
      entry.function(&kernelTask);
    });
  }

  /// The state of an empty sequence passes through, as does its cotangent.
  void copyStates(const std::string &from, const std::string &to) const {
    const TensorView *source = find(inputs, from), *target = find(outputs, to);
    int64_t elements = sizes.valueHeads * sizes.keyDim * sizes.valueDim;
    for (int64_t n = 0; target && n < sizes.sequences(); ++n) {
      if (sizes.tokensOf(n) > 0)
        continue;
      char *there = static_cast<char *>(target->data) + n * elements * sizeOf(target->dtype);
      if (source)
        convert(source->dtype,
                static_cast<const char *>(source->data) + n * elements * sizeOf(source->dtype),
                target->dtype, there, elements);
      else
        std::memset(there, 0, elements * sizeOf(target->dtype));
    }
  }

  const LoadedPackage::Entry entry;
  const ViewMap &inputs, &outputs;
  const Sizes sizes;
  const Grid grid;
  const int threads;
  std::vector<Operand> operands;
  std::list<SavedLayout> layouts;
  std::list<GradientBuffer> gradients;
  std::vector<std::shared_ptr<void>> kept;
};

TensorMap allocateAll(const ViewMap &outputs) {
  TensorMap tensors;
  for (const auto &[name, view] : outputs)
    tensors[name] = Tensor::empty(view.dtype, view.shape);
  return tensors;
}

} // namespace

std::shared_ptr<const Saved> runForward(const LoadedPackage &kernels, const ViewMap &inputs,
                                        const ViewMap &outputs, const RunOptions &options,
                                        bool save) {
  return Launch(kernels, inputs, outputs, options, false).forward(options.form, save);
}

void runBackward(const LoadedPackage &kernels, const ViewMap &inputs, const Saved &saved,
                 const ViewMap &outputs, const RunOptions &options) {
  RunOptions sameForm = options;
  sameForm.form = saved.form;
  Launch(kernels, inputs, outputs, sameForm, true).backward(saved);
}

TensorMap run(const LoadedPackage &kernels, const TensorMap &inputs, bool gradients,
              const RunOptions &options) {
  ViewMap views = viewsOf(inputs);
  Signature signature = signatureOf(kernels.package());
  Sizes sizes = checkTensors(signature, views, gradients);
  TensorMap outputs = allocateAll(forwardOutputs(signature, sizes, kernels.package().dtype));
  auto saved = runForward(kernels, views, viewsOf(outputs), options, gradients);
  if (!gradients)
    return outputs;
  TensorMap computed = allocateAll(gradientOutputs(signature, views));
  runBackward(kernels, views, *saved, viewsOf(computed), options);
  outputs.merge(computed);
  return outputs;
}

} // namespace sluice
