// The handler of faults, and of the signal to a host thread whose kernel gets nowhere.
#include "runtime/emulator/Signals.h"

#include "runtime/emulator/Endless.h"
#include "runtime/emulator/Launch.h"
#include "runtime/emulator/Machine.h"
#include "runtime/emulator/Scheduler.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <ucontext.h>

namespace sluice::emulator {

namespace {

constexpr size_t handlerStackBytes = 256 * 1024;
std::mutex handlerMutex;
int handlers = 0;
constexpr std::array signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, overdueSignal};
std::array<struct sigaction, signals.size()> previous;

std::string describeFault(Thread &thread, int signal, const void *address) {
  if (signal == SIGFPE)
    return "integer division by zero, or with a result that the type cannot hold: expected divide or "
           "remainder";
  if (signal == SIGILL)
    return "the kernel's code ends here: what it does is not defined in C++";
  if (thread.machine->scheduler->isStackGuard(address))
    return "the thread's stack of " + std::to_string(StackPool::stackBytes / 1024) +
           " KiB overflows: expected locals that registers can hold";
  for (const std::unique_ptr<Block> &block : thread.inBlock->cluster->blocks)
    if (block->window->isGuard(address)) {
      auto offset = static_cast<const uint8_t *>(address) - block->shared;
      return "access at shared offset " + std::to_string(offset) + " of cluster rank " +
             std::to_string(block->rank) + ", which has " + std::to_string(block->sharedBytes) + " bytes";
    }
  auto at = reinterpret_cast<uint64_t>(address);
  const Allocation *below = thread.machine->launch.below(at);
  if (below && at - below->base < below->bytes + 4096)
    return "access " + std::to_string(at - below->base) + " bytes after the start of '" + below->name +
           "' of " + std::to_string(below->bytes) + " bytes";
  return "access to memory that no primitive may reach";
}

/// What would have been done without this handler.
void passOn(int signal, siginfo_t *info, void *context) {
  const auto which = std::find(signals.begin(), signals.end(), signal) - signals.begin();
  const struct sigaction &before = previous[static_cast<size_t>(which)];
  if (before.sa_flags & SA_SIGINFO) {
    before.sa_sigaction(signal, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(signal);
  } else if (signal != overdueSignal) {
    sigaction(signal, &before, nullptr);
    raise(signal);
  }
}

void handle(int signal, siginfo_t *info, void *context) {
  if (!sluiceEmuThread)
    return passOn(signal, info, context);
  Thread &thread = currentThread();
  if (signal == overdueSignal)
    return interruptEndless(
        thread, static_cast<uint64_t>(static_cast<ucontext_t *>(context)->uc_mcontext.gregs[REG_RIP]));
  // The fault was raised by the kernel or by a primitive it called, never by the allocator: text may be made.
  std::string message = describeFault(thread, signal, info->si_addr);
  if (*thread.wait.primitive)
    message += "; the thread waited last in " + std::string(thread.wait.primitive) + " at " +
               placeOf(thread.wait.site);
  fatal(thread, "fault", Site(), message);
}

} // namespace

FaultHandler::FaultHandler() {
  std::lock_guard lock(handlerMutex);
  if (handlers++)
    return;
  struct sigaction action = {};
  action.sa_sigaction = handle;
  // The handler does not return when it abandons the fibers, so the signal must not stay blocked.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (size_t i = 0; i < signals.size(); ++i)
    sigaction(signals[i], &action, &previous[i]);
}

FaultHandler::~FaultHandler() {
  std::lock_guard lock(handlerMutex);
  if (--handlers)
    return;
  for (size_t i = 0; i < signals.size(); ++i)
    sigaction(signals[i], &previous[i], nullptr);
}

AlternateStack::AlternateStack() : memory(std::make_unique<uint8_t[]>(handlerStackBytes)) {
  stack_t stack = {};
  stack.ss_sp = memory.get();
  stack.ss_size = handlerStackBytes;
  sigaltstack(&stack, nullptr);
}

AlternateStack::~AlternateStack() {
  stack_t stack = {};
  stack.ss_flags = SS_DISABLE;
  sigaltstack(&stack, nullptr);
}

} // namespace sluice::emulator
