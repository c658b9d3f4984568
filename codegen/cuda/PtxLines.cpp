// Follows the directives .loc and .file.
#include "codegen/cuda/PtxLines.h"

#include <map>
#include <regex>
#include <sstream>
#include <tuple>

namespace sluice {

namespace {

/// File, line, column.
using Place = std::tuple<int64_t, int64_t, int64_t>;

Place placeIn(const std::smatch &match, int group) {
  return {std::stoll(match[group]), std::stoll(match[group + 1]), std::stoll(match[group + 2])};
}

/// The number of the file whose path ends with the name.
std::optional<int64_t> fileNumber(const std::string &ptx, const std::string &name) {
  static const std::regex file("\\.file\\s+(\\d+) \"([^\"]*)\"");
  for (std::sregex_iterator each(ptx.begin(), ptx.end(), file), end; each != end; ++each)
    if (std::string path = (*each)[2]; path == name || path.ends_with("/" + name))
      return std::stoll((*each)[1]);
  return std::nullopt;
}

} // namespace

std::optional<int64_t> sourceLineOf(const std::string &ptx, int64_t line, const std::string &name) {
  static const std::regex directive(
      "\\.loc\\s+(\\d+) (\\d+) (\\d+)(?:, function_name [^,]*, inlined_at (\\d+) (\\d+) (\\d+))?");
  std::optional<int64_t> wanted = fileNumber(ptx, name);
  std::optional<Place> at;
  std::map<Place, Place> callers;
  std::istringstream lines(ptx);
  std::string text;
  std::smatch match;
  for (int64_t number = 1; number <= line && std::getline(lines, text); ++number) {
    if (text.find(".loc") == std::string::npos || !std::regex_search(text, match, directive))
      continue;
    at = placeIn(match, 1);
    if (match[4].matched)
      callers.insert_or_assign(*at, placeIn(match, 4));
    else
      callers.erase(*at);
  }
  // Bounded, should places ever name each other.
  for (size_t depth = 0; at && wanted && depth <= callers.size(); ++depth) {
    if (std::get<0>(*at) == *wanted)
      return std::get<1>(*at);
    auto caller = callers.find(*at);
    at = caller == callers.end() ? std::nullopt : std::optional(caller->second);
  }
  return std::nullopt;
}

} // namespace sluice
