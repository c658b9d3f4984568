// Loads libcuda and turns its answers into errors.
#include "runtime/cuda/Driver.h"

#include <cstdlib>
#include <dlfcn.h>
#include <mutex>

namespace sluice::cuda {

namespace {

/// A driver offers functions of its own version and older: this is the oldest with all that sluice calls.
constexpr int interfaceVersion = 12000;

using GetProcAddress = api::Result (*)(const char *, void **, int, uint64_t, int *);

} // namespace

std::shared_ptr<const Driver> Driver::find() {
  static std::mutex mutex;
  // Never unloaded: the driver's threads may outlive ours.
  static std::shared_ptr<const Driver> &found = *new std::shared_ptr<const Driver>;
  std::lock_guard lock(mutex);
  if (!found) {
    const char *chosen = std::getenv("SLUICE_LIBCUDA");
    found = load(chosen && *chosen ? chosen : "libcuda.so.1");
  }
  return found;
}

std::shared_ptr<const Driver> Driver::load(const std::string &library) {
  std::shared_ptr<Driver> driver(new Driver);
  driver->handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!driver->handle)
    throw UserError("CUDA driver not found: " + std::string(dlerror()));
#define SLUICE_CUDA_RESOLVE(name, symbol, parameters) driver->resolve(driver->name, symbol, #name);
  SLUICE_CUDA_FUNCTIONS(SLUICE_CUDA_RESOLVE)
#undef SLUICE_CUDA_RESOLVE
  if (!driver->cuInit.pointer)
    throw UserError("expected a CUDA driver, got a library without cuInit: " + library);
  driver->cuInit(0);
  driver->cuDriverGetVersion(&driver->versionNumber);
  return driver;
}

void *Driver::address(const char *symbol, const char *name) const {
  if (void *found = dlsym(handle, symbol))
    return found;
  // The exported names of later drivers may change; this function knows the plain ones.
  auto lookUp = reinterpret_cast<GetProcAddress>(dlsym(handle, "cuGetProcAddress_v2"));
  void *found = nullptr;
  if (!lookUp || lookUp(name, &found, interfaceVersion, 0, nullptr) != api::success)
    return nullptr;
  return found;
}

template <typename Call> void Driver::resolve(Call &call, const char *symbol, const char *name) {
  call.driver = this;
  call.name = name;
  call.pointer = reinterpret_cast<decltype(call.pointer)>(address(symbol, name));
}

std::string Driver::version() const {
  return std::to_string(versionNumber / 1000) + "." + std::to_string(versionNumber % 1000 / 10);
}

void Driver::fail(const char *call, api::Result answer) const {
  auto textOf = [&](const auto &ask) {
    const char *text = nullptr;
    return ask.pointer && ask.pointer(answer, &text) == api::success && text ? std::string(text)
                                                                             : std::string();
  };
  std::string error = textOf(cuGetErrorName), meaning = textOf(cuGetErrorString);
  throw DriverError("CUDA: " + std::string(call) + ": " +
                        (error.empty() ? "error " + std::to_string(answer) : error) +
                        (meaning.empty() ? "" : " (" + meaning + ")"),
                    answer);
}

void Driver::failMissing(const char *call) const {
  throw UserError("CUDA: expected a driver with " + std::string(call) + ", got one of version " + version() +
                  " without it");
}

} // namespace sluice::cuda
