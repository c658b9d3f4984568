// Notes signals.

#include "models/training/Signals.h"

#include <csignal>

namespace sluice::models {
namespace {

volatile std::sig_atomic_t lastSignal = 0;

void note(int signal) { lastSignal = signal; }

} // namespace

Signals::Signals() {
  lastSignal = 0;
  struct sigaction action = {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  std::signal(SIGXFSZ, SIG_IGN);
}

Signals::~Signals() {
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGXFSZ, SIG_DFL);
}

int Signals::received() { return lastSignal; }

} // namespace sluice::models
