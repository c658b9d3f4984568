// Queues of a GPU, and what goes into them besides kernels: memory, copies, events, recorded graphs.
#pragma once

#include "runtime/LaunchRecord.h"
#include "runtime/cuda/Device.h"

#include <functional>
#include <memory>
#include <vector>

namespace sluice::cuda {

class Stream {
public:
  /// A new stream that does not wait for the legacy default stream.
  explicit Stream(std::shared_ptr<Device> device);
  /// A stream of somebody else, who keeps it alive; PyTorch's current one, for example.
  Stream(std::shared_ptr<Device> device, api::Stream borrowed);
  ~Stream();
  Stream(const Stream &) = delete;
  Stream &operator=(const Stream &) = delete;

  Device &device() const { return *owner; }
  const std::shared_ptr<Device> &sharedDevice() const { return owner; }
  api::Stream handle() const { return stream; }

  /// Waits. Throws DriverError that names the kernel if one faulted.
  void synchronize();
  /// Whether all work is done, without waiting. Throws as synchronize() does.
  bool finished();
  /// A kernel was handed to the stream, or recorded.
  void started(const LaunchNote &note);
  /// After the kernels of one call were started: with SLUICE_CUDA_SYNC=1 in the environment waits for their
  /// end, so that a fault is not blamed on later ones. A recording does not wait.
  void finishIfAsked();

private:
  friend class Graph;
  std::shared_ptr<Device> owner;
  api::Stream stream = nullptr;
  bool owned = false;
  std::vector<LaunchNote> *recording = nullptr;
};

/// Memory of the device. Freed at once: wait for what uses it first.
class Memory {
public:
  Memory(std::shared_ptr<Device> device, uint64_t bytes);
  ~Memory();
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;
  Memory(Memory &&other) noexcept;

  void *data() const { return reinterpret_cast<void *>(address); }
  uint64_t bytes() const { return size; }
  LaunchTensor tensor() const { return {data(), size}; }
  /// Copies and waits for the stream.
  void write(const void *from, uint64_t bytes, Stream &stream);
  void read(void *to, uint64_t bytes, Stream &stream) const;
  /// Every 32-bit word; the memory holds whole words.
  void fill(uint32_t word, Stream &stream);

private:
  void checkSize(uint64_t bytes) const;
  std::shared_ptr<Device> device;
  api::Address address = 0;
  uint64_t size = 0;
};

/// A point in a stream.
class Event {
public:
  explicit Event(std::shared_ptr<Device> device);
  ~Event();
  Event(const Event &) = delete;
  Event &operator=(const Event &) = delete;

  void record(Stream &stream);
  /// Milliseconds from `start` to this event; waits for both.
  double since(const Event &start) const;

private:
  std::shared_ptr<Device> device;
  api::Event event = nullptr;
};

/// Launches that were recorded once and are handed to a stream in one call.
class Graph {
public:
  /// Runs `launches`, which must use only this stream and wait for nothing; they are recorded, not run.
  Graph(Stream &stream, const std::function<void()> &launches);
  ~Graph();
  Graph(const Graph &) = delete;
  Graph &operator=(const Graph &) = delete;

  /// On the same device.
  void launch(Stream &stream);

private:
  void capture(Stream &stream, const std::function<void()> &launches);
  std::shared_ptr<Device> device;
  api::Graph graph = nullptr;
  api::GraphExec executable = nullptr;
  std::vector<LaunchNote> notes;
};

} // namespace sluice::cuda
