// From lines of PTX, by which ptxas speaks, back to lines of the source.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sluice {

/// The line of the source `name` that line `line` of the PTX, from 1 on, was made of: of what is inlined into
/// each other there, the innermost that lies in that source. Nothing where the PTX does not say; it needs
/// line information.
std::optional<int64_t> sourceLineOf(const std::string &ptx, int64_t line, const std::string &name);

} // namespace sluice
