// The driver over the stand-in for libcuda, and what its tests launch.
#pragma once

#include "runtime/cuda/Kernel.h"
#include "runtime/cuda/Stream.h"

#include <string>

namespace sluice::test {

/// The stand-in's steering functions, see FakeCuda.h.
struct FakeControl {
  void (*reset)();
  void (*fail)(const char *call, int result, int from);
  void (*set)(const char *setting, int64_t value);
  const char *(*log)();
  int64_t (*live)();
  const void *(*parameter)(int index, int bytes);

  /// Lines of the log that start with the call's name.
  std::string calls(const std::string &name) const;
};

const FakeControl &fake();
std::shared_ptr<const cuda::Driver> fakeDriver();
/// Resets the stand-in and opens its one device.
std::shared_ptr<cuda::Device> fakeDevice();

/// 8 blocks of 128 threads and nothing else.
BoundLaunch plainLaunch();

} // namespace sluice::test
