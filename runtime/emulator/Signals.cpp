// The handler of SIGSEGV and SIGBUS.
#include "runtime/emulator/Signals.h"

#include "runtime/emulator/Launch.h"
#include "runtime/emulator/Machine.h"
#include "runtime/emulator/Scheduler.h"

#include <csignal>
#include <mutex>

namespace sluice::emulator {

namespace {

constexpr size_t handlerStackBytes = 256 * 1024;
std::mutex handlerMutex;
int handlers = 0;
struct sigaction previousSegv, previousBus;

std::string describeFault(Thread &thread, const void *address) {
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
    return "access " + std::to_string(at - below->base) + " bytes after the start of '" + below->name + "' of " +
           std::to_string(below->bytes) + " bytes";
  return "access to memory that no primitive may reach";
}

void handle(int signal, siginfo_t *info, void *context) {
  if (sluiceEmuThread) {
    Thread &thread = currentThread();
    // The fault was raised by the kernel or by a primitive it called, never by the allocator: text may be made.
    std::string message = describeFault(thread, info->si_addr);
    if (*thread.wait.primitive)
      message += "; the thread waited last in " + std::string(thread.wait.primitive) + " at " +
                 placeOf(thread.wait.site);
    fatal(thread, "fault", Site(), message);
  }
  struct sigaction &previous = signal == SIGSEGV ? previousSegv : previousBus;
  if (previous.sa_flags & SA_SIGINFO) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else {
    sigaction(signal, &previous, nullptr);
    raise(signal);
  }
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
  sigaction(SIGSEGV, &action, &previousSegv);
  sigaction(SIGBUS, &action, &previousBus);
}

FaultHandler::~FaultHandler() {
  std::lock_guard lock(handlerMutex);
  if (--handlers)
    return;
  sigaction(SIGSEGV, &previousSegv, nullptr);
  sigaction(SIGBUS, &previousBus, nullptr);
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
