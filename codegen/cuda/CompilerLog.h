// The first error in what a compiler says of a kernel, told with the kernel's own line. Device headers hold
// most assertions on shapes and types, so that the place of an error is often none that the author wrote.
#pragma once

#include <string>

namespace sluice {

/// Of clang or g++: "NAME:LINE: message", where LINE is the line of the file `name` that the error stands on,
/// or else the innermost one that leads there; the error's own place if none does. The message is the text of
/// a failed assertion, or else the compiler's. Output without a located error: "the host compiler failed: " and
/// its first line.
std::string firstHostError(const std::string &output, const std::string &name);

/// Of NVRTC or ptxas, which has no lines: "NAME: message".
std::string firstDeviceError(const std::string &log, const std::string &name);

} // namespace sluice
