// The texts of models/recurrences/*.mlir, compiled in.
#pragma once

#include <map>
#include <string>

namespace sluice {

/// By name, which is the file's name without its ending.
const std::map<std::string, std::string> &builtinTexts();

} // namespace sluice
