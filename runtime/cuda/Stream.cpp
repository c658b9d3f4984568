// Streams, memory, events and graphs over the driver's calls.
#include "runtime/cuda/Stream.h"

#include <cstdlib>
#include <string_view>
#include <utility>

namespace sluice::cuda {

Stream::Stream(std::shared_ptr<Device> device) : owner(std::move(device)) {
  owner->call([&] { owner->driver().cuStreamCreate(&stream, api::streamNonBlocking); });
  owned = true;
}

Stream::Stream(std::shared_ptr<Device> device, api::Stream borrowed)
    : owner(std::move(device)), stream(borrowed) {}

Stream::~Stream() {
  if (owned)
    owner->callQuietly([&] { owner->driver().cuStreamDestroy.quietly(stream); });
}

void Stream::synchronize() {
  owner->call([&] { owner->driver().cuStreamSynchronize(stream); });
  owner->finished(stream);
}

bool Stream::finished() {
  bool done = false;
  owner->call([&] {
    api::Result answer = owner->driver().cuStreamQuery.result(stream);
    if (answer != api::success && answer != api::notReady)
      owner->driver().cuStreamQuery.fail(answer);
    done = answer == api::success;
  });
  if (done)
    owner->finished(stream);
  return done;
}

void Stream::started(const LaunchNote &note) {
  if (recording) {
    recording->push_back(note);
    return;
  }
  owner->started(stream, note);
}

void Stream::finishIfAsked() {
  const char *wait = std::getenv("SLUICE_CUDA_SYNC");
  if (!recording && wait && std::string_view(wait) == "1")
    synchronize();
}

Memory::Memory(std::shared_ptr<Device> owner, uint64_t bytes) : device(std::move(owner)), size(bytes) {
  // The driver refuses an allocation of nothing.
  if (bytes > 0)
    device->call([&] { device->driver().cuMemAlloc(&address, bytes); });
}

Memory::Memory(Memory &&other) noexcept
    : device(std::move(other.device)), address(std::exchange(other.address, 0)),
      size(std::exchange(other.size, 0)) {}

Memory::~Memory() {
  if (address)
    device->callQuietly([&] { device->driver().cuMemFree.quietly(address); });
}

void Memory::checkSize(uint64_t bytes) const {
  if (bytes > size)
    throw UserError("expected at most " + std::to_string(size) +
                    " bytes, what the device memory holds, got " + std::to_string(bytes));
}

void Memory::write(const void *from, uint64_t bytes, Stream &stream) {
  checkSize(bytes);
  if (bytes > 0)
    device->call([&] { device->driver().cuMemcpyHtoDAsync(address, from, bytes, stream.handle()); });
  stream.synchronize();
}

void Memory::read(void *to, uint64_t bytes, Stream &stream) const {
  checkSize(bytes);
  if (bytes > 0)
    device->call([&] { device->driver().cuMemcpyDtoHAsync(to, address, bytes, stream.handle()); });
  stream.synchronize();
}

void Memory::fill(uint32_t word, Stream &stream) {
  if (size % 4 != 0)
    throw UserError("expected device memory of whole 32-bit words, got " + std::to_string(size) + " bytes");
  if (size > 0)
    device->call([&] { device->driver().cuMemsetD32Async(address, word, size / 4, stream.handle()); });
}

Event::Event(std::shared_ptr<Device> owner) : device(std::move(owner)) {
  device->call([&] { device->driver().cuEventCreate(&event, 0); });
}

Event::~Event() {
  device->callQuietly([&] { device->driver().cuEventDestroy.quietly(event); });
}

void Event::record(Stream &stream) {
  device->call([&] { device->driver().cuEventRecord(event, stream.handle()); });
}

double Event::since(const Event &start) const {
  float milliseconds = 0;
  device->call([&] {
    device->driver().cuEventSynchronize(event);
    device->driver().cuEventElapsedTime(&milliseconds, start.event, event);
  });
  return milliseconds;
}

Graph::Graph(Stream &stream, const std::function<void()> &launches) : device(stream.owner) {
  capture(stream, launches);
  try {
    device->call([&] { device->driver().cuGraphInstantiateWithFlags(&executable, graph, 0); });
  } catch (...) {
    device->callQuietly([&] { device->driver().cuGraphDestroy.quietly(graph); });
    throw;
  }
}

void Graph::capture(Stream &stream, const std::function<void()> &launches) {
  const Driver &driver = device->driver();
  // While a stream is recorded, its thread must not create a pool.
  if (device->properties().memoryPools)
    device->call([&] { device->pool(); });
  device->call([&] { driver.cuStreamBeginCapture(stream.stream, api::captureThreadLocal); });
  stream.recording = &notes;
  try {
    launches();
  } catch (...) {
    stream.recording = nullptr;
    // A stream left in capture refuses everything.
    device->callQuietly([&] {
      driver.cuStreamEndCapture.quietly(stream.stream, &graph);
      if (graph)
        driver.cuGraphDestroy.quietly(graph);
    });
    throw;
  }
  stream.recording = nullptr;
  device->call([&] { driver.cuStreamEndCapture(stream.stream, &graph); });
}

Graph::~Graph() {
  device->callQuietly([&] {
    device->driver().cuGraphExecDestroy.quietly(executable);
    device->driver().cuGraphDestroy.quietly(graph);
  });
}

void Graph::launch(Stream &stream) {
  device->call([&] { device->driver().cuGraphLaunch(executable, stream.handle()); });
  for (const LaunchNote &note : notes)
    stream.started(note);
  stream.finishIfAsked();
}

} // namespace sluice::cuda
