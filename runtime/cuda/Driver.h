// The CUDA driver, libcuda.so.1: found at run time, never linked. Every call that fails throws.
#pragma once

#include "runtime/Error.h"
#include "runtime/cuda/Api.h"

#include <memory>
#include <string>

namespace sluice::cuda {

class Driver;

/// What a call of the driver answered. The message names the call, the error and what the driver says of it.
struct DriverError : UserError {
  DriverError(const std::string &message, api::Result code) : UserError(message), code(code) {}
  api::Result code;
};

/// One function of the driver. Old drivers lack some: those throw when they are called.
template <typename... Arguments> class DriverCall {
public:
  /// Throws DriverError if the driver answers an error.
  void operator()(Arguments... arguments) const {
    if (api::Result answer = result(arguments...); answer != api::success)
      fail(answer);
  }
  /// The driver's answer, whatever it is. Throws UserError if the driver lacks the function.
  api::Result result(Arguments... arguments) const {
    if (!pointer)
      failMissing();
    return pointer(arguments...);
  }
  /// For destructors: what fails there cannot be helped. Whether it succeeded.
  bool quietly(Arguments... arguments) const noexcept {
    return pointer && pointer(arguments...) == api::success;
  }
  [[noreturn]] void fail(api::Result answer) const;

private:
  friend class Driver;
  [[noreturn]] void failMissing() const;
  const Driver *driver = nullptr;
  const char *name = "";
  api::Result (*pointer)(Arguments...) = nullptr;
};

namespace detail {
template <typename Signature> struct CallOf;
template <typename... Arguments> struct CallOf<void(Arguments...)> { using type = DriverCall<Arguments...>; };
} // namespace detail

class Driver {
public:
  /// $SLUICE_LIBCUDA if set, else libcuda.so.1; kept for the process. Throws UserError in one line if there
  /// is none or it cannot be initialised, as on a machine without a GPU.
  static std::shared_ptr<const Driver> find();
  /// The same of a given library, not kept.
  static std::shared_ptr<const Driver> load(const std::string &library);
  Driver(const Driver &) = delete;
  Driver &operator=(const Driver &) = delete;

  /// "12.8", the version of CUDA that the driver knows.
  std::string version() const;

#define SLUICE_CUDA_MEMBER(name, symbol, parameters) detail::CallOf<void parameters>::type name;
  SLUICE_CUDA_FUNCTIONS(SLUICE_CUDA_MEMBER)
#undef SLUICE_CUDA_MEMBER

  [[noreturn]] void fail(const char *call, api::Result answer) const;
  [[noreturn]] void failMissing(const char *call) const;

private:
  Driver() = default;
  void *address(const char *symbol, const char *name) const;
  template <typename Call> void resolve(Call &call, const char *symbol, const char *name);

  void *handle = nullptr;
  int versionNumber = 0;
};

template <typename... Arguments> void DriverCall<Arguments...>::fail(api::Result answer) const {
  driver->fail(name, answer);
}

template <typename... Arguments> void DriverCall<Arguments...>::failMissing() const {
  driver->failMissing(name);
}

} // namespace sluice::cuda
