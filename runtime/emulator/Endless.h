// Kernels that never end: the host thread that launches looks now and then whether those that run blocks get
// anywhere.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <pthread.h>
#include <vector>

namespace sluice::emulator {

class Machine;
struct Access;
struct Thread;

/// The machines of one launch while they run.
class Watch {
public:
  /// By the host thread that runs the machine.
  void begin(Machine &machine);
  void end(Machine &machine);
  /// Returns when `count` machines have ended. One whose running thread has neither waited for others nor
  /// ended for `patience` is overdue: the thread is reported at its next access, or where it is if it makes
  /// none.
  void waitFor(size_t count, std::chrono::duration<double> patience);

private:
  struct Running {
    Machine *machine;
    pthread_t thread;
    uint64_t seen;
  };
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Running> running;
  size_t ended = 0;
};

/// Of the overdue thread that runs: it goes on for ever at this access. Ends the launch.
[[noreturn]] void reportEndless(Thread &thread, const Access &access);
/// From the signal handler, with the address of the interrupted instruction. Returns if it is not the
/// kernel's own: the library may be in the middle of anything.
void interruptEndless(Thread &thread, uint64_t instruction);

} // namespace sluice::emulator
