// Shuffles, votes and election: data moves between the lanes of a warp, memory is not ordered.
#include "runtime/emulator/Machine.h"
#include "runtime/emulator/Mutation.h"

using namespace sluice::emulator;

namespace {

struct ShuffleCall {
  uint32_t value, lane;
};

bool shuffleLanes(Warp &warp) {
  uint32_t given[32];
  for (unsigned lane = 0; lane < 32; ++lane)
    given[lane] = static_cast<const ShuffleCall *>(warp.arguments[lane])->value;
  for (void *argument : warp.arguments) {
    auto &call = *static_cast<ShuffleCall *>(argument);
    call.value = given[call.lane];
  }
  return true;
}

bool vote(Warp &warp) {
  uint32_t result = 0;
  for (unsigned lane = 0; lane < 32; ++lane)
    result |= *static_cast<const uint32_t *>(warp.arguments[lane]) << lane;
  for (void *argument : warp.arguments)
    *static_cast<uint32_t *>(argument) = result;
  return true;
}

bool drawLeader(Warp &warp) {
  uint32_t leader = warp.block->machine->random(32);
  for (unsigned lane = 0; lane < 32; ++lane)
    *static_cast<uint32_t *>(warp.arguments[lane]) = lane == leader;
  return true;
}

} // namespace

extern "C" {

void sluiceEmuShuffle(unsigned *value, unsigned lane, const char *primitive, sluice::device::Site site) {
  Thread &thread = currentThread();
  ShuffleCall call{*value, lane};
  thread.machine->meet(thread, {primitive, site}, &call, shuffleLanes);
  *value = call.value;
}

unsigned sluiceEmuBallot(int predicate, const char *primitive, sluice::device::Site site) {
  Thread &thread = currentThread();
  uint32_t bit = predicate != 0;
  thread.machine->meet(thread, {primitive, site}, &bit, vote);
  return bit;
}

int sluiceEmuElect(sluice::device::Site site) {
  Thread &thread = currentThread();
  uint32_t elected = 0;
  thread.machine->meet(thread, {"electLane", site}, &elected, drawLeader);
  return static_cast<int>(elected);
}

} // extern "C"
