// Faults of kernels (a stack that overflows, a stray pointer, a division by zero) become reports.
#pragma once

#include <csignal>
#include <cstdint>
#include <memory>

namespace sluice::emulator {

/// Tells a host thread that its kernel gets nowhere. Programs that do not ask for it ignore it.
constexpr int overdueSignal = SIGURG;

/// While one lives, a fault in a fiber is a report that ends the launch; faults elsewhere go where they went
/// before.
class FaultHandler {
public:
  FaultHandler();
  ~FaultHandler();
  FaultHandler(const FaultHandler &) = delete;
  FaultHandler &operator=(const FaultHandler &) = delete;
};

/// A stack of the host thread's own for the handler: the fiber's may be what overflowed.
class AlternateStack {
public:
  AlternateStack();
  ~AlternateStack();
  AlternateStack(const AlternateStack &) = delete;
  AlternateStack &operator=(const AlternateStack &) = delete;

private:
  std::unique_ptr<uint8_t[]> memory;
};

} // namespace sluice::emulator
