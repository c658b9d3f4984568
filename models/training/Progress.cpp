// Progress on standard output.

#include "models/training/Progress.h"

#include <cmath>
#include <cstdio>
#include <unistd.h>

namespace sluice::models {

std::string duration(double seconds) {
  char text[32];
  int64_t whole = std::isfinite(seconds) && seconds > 0 ? std::llround(seconds) : 0;
  long long hours = whole / 3600, minutes = whole / 60 % 60, rest = whole % 60;
  if (hours > 0)
    std::snprintf(text, sizeof text, "%lldh%02lldm", hours, minutes);
  else if (minutes > 0)
    std::snprintf(text, sizeof text, "%lldm%02llds", minutes, rest);
  else
    std::snprintf(text, sizeof text, "%llds", rest);
  return text;
}

Progress::Progress(int64_t steps, int64_t every)
    : steps(steps), every(every), terminal(isatty(STDOUT_FILENO) == 1) {}

Progress::~Progress() {
  if (open)
    std::printf("\n");
  std::fflush(stdout);
}

void Progress::show(const StepMetrics &metrics, double secondsLeft) {
  if (!terminal && metrics.step % every != 0 && metrics.step != 1 && metrics.step != steps)
    return;
  std::printf("%sstep %lld/%lld  loss %.4f  lr %.2e  grad %.3f  %.0f tokens/s  %s left%s",
              terminal ? "\r\033[K" : "", static_cast<long long>(metrics.step), static_cast<long long>(steps),
              metrics.loss, metrics.learningRate, metrics.gradientNorm, metrics.tokensPerSecond,
              duration(secondsLeft).c_str(), terminal ? "" : "\n");
  open = terminal;
  std::fflush(stdout);
}

void Progress::say(const std::string &line) {
  std::printf("%s%s\n", open ? "\n" : "", line.c_str());
  open = false;
  std::fflush(stdout);
}

} // namespace sluice::models
