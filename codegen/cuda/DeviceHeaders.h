// The headers that kernels are compiled against, as part of the program: it runs without its sources.
#pragma once

#include <map>
#include <string>

namespace sluice {

/// Text by path from the root of the repository, such as "codegen/cuda/device/gpu/Memory.h".
const std::map<std::string, std::string> &deviceHeaders();

/// Of the paths and texts below `folder`; what was measured or compiled with other headers has another hash.
std::string hashOfHeaders(const std::string &folder);

} // namespace sluice
