// SIGTERM and SIGINT as a question that the training loop asks between steps.
#pragma once

namespace sluice::models {

/// While it lives, the first SIGTERM or SIGINT is only noted; a second one ends the process. Writing past a
/// file size limit becomes an error of the write instead of a signal.
class Signals {
public:
  Signals();
  ~Signals();
  /// SIGTERM, SIGINT, or 0 if none has come.
  static int received();
};

} // namespace sluice::models
