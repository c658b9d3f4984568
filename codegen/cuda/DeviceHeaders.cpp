// The hash over embedded headers.
#include "codegen/cuda/DeviceHeaders.h"

#include "runtime/Files.h"

namespace sluice {

std::string hashOfHeaders(const std::string &folder) {
  uint64_t value = hash(folder);
  for (const auto &[path, text] : deviceHeaders())
    if (path.starts_with(folder))
      value = hash(text, hash(path, value));
  return toHex(value);
}

} // namespace sluice
