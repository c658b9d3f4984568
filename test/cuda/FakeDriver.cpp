// Loads the stand-in.
#include "test/cuda/FakeDriver.h"

#include <dlfcn.h>
#include <sstream>
#include <stdexcept>

namespace sluice::test {

const FakeControl &fake() {
  static const FakeControl control = [] {
    void *library = dlopen(SLUICE_FAKE_CUDA, RTLD_NOW);
    if (!library)
      throw std::runtime_error(dlerror());
    auto find = [&](auto &function, const char *name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
    };
    FakeControl found;
    find(found.reset, "fakeCudaReset");
    find(found.fail, "fakeCudaFail");
    find(found.set, "fakeCudaSet");
    find(found.log, "fakeCudaLog");
    find(found.live, "fakeCudaLive");
    find(found.parameter, "fakeCudaParameter");
    return found;
  }();
  return control;
}

std::string FakeControl::calls(const std::string &name) const {
  std::istringstream lines(log());
  std::string line, found;
  while (std::getline(lines, line))
    if (line == name || line.starts_with(name + " "))
      found += line + "\n";
  return found;
}

std::shared_ptr<const cuda::Driver> fakeDriver() {
  static std::shared_ptr<const cuda::Driver> driver = cuda::Driver::load(SLUICE_FAKE_CUDA);
  return driver;
}

std::shared_ptr<cuda::Device> fakeDevice() {
  fake().reset();
  return cuda::Device::open(fakeDriver(), 0);
}

BoundLaunch plainLaunch() {
  BoundLaunch launch;
  launch.kernel = "scan";
  launch.grid = {8, 1, 1};
  return launch;
}

} // namespace sluice::test
