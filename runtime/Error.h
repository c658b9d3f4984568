// The one exception type for mistakes of the user: the driver prints it as one line and exits with 2.
#pragma once

#include <stdexcept>
#include <string>

namespace sluice {

/// Something in the user's input is at fault. The message is one line, lower case, without a full stop,
/// and says what was expected, what was found, and where.
struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

} // namespace sluice
