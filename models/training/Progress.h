// The line that says how training is doing: rewritten in place on a terminal, else printed now and then.
#pragma once

#include "models/training/Log.h"

#include <cstdint>
#include <string>

namespace sluice::models {

class Progress {
public:
  Progress(int64_t steps, int64_t every);
  ~Progress();

  void show(const StepMetrics &metrics, double secondsLeft);
  /// A line of its own that stays.
  void say(const std::string &line);

private:
  int64_t steps, every;
  bool terminal, open = false;
};

/// "2m05s"
std::string duration(double seconds);

} // namespace sluice::models
