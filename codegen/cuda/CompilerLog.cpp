// Three formats: notes after the error (clang), context before it (g++), "at line N of FILE" after it
// (NVRTC).
#include "codegen/cuda/CompilerLog.h"

#include <cctype>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

namespace sluice {

namespace {

struct Located {
  std::string file, line, message;
  std::string text() const { return file + ":" + line + ": " + message; }
};

std::vector<std::string> linesOf(const std::string &text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

/// The digits that begin at `at`.
std::string numberAt(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])))
    ++end;
  return std::string(text.substr(at, end - at));
}

/// Cuts ":DIGITS" from the end; nothing if there is none.
std::optional<std::string> takeNumber(std::string &text) {
  size_t at = text.rfind(':');
  if (at == std::string::npos)
    return std::nullopt;
  std::string number = numberAt(text, at + 1);
  if (number.empty() || at + 1 + number.size() != text.size())
    return std::nullopt;
  text.resize(at);
  return number;
}

/// "FILE:LINE:COLUMN: error: MESSAGE".
std::optional<Located> hostError(const std::string &line) {
  for (std::string_view mark : {": error: ", ": fatal error: "}) {
    size_t at = line.find(mark);
    if (at == std::string::npos)
      continue;
    std::string place = line.substr(0, at);
    std::optional<std::string> column = takeNumber(place);
    std::optional<std::string> number = column ? takeNumber(place) : std::nullopt;
    if (number)
      return Located{place, *number, line.substr(at + mark.size())};
  }
  return std::nullopt;
}

/// "FILE(LINE): error #NUMBER: MESSAGE", perhaps a catastrophic one.
std::optional<Located> deviceError(const std::string &line) {
  for (std::string_view mark : {"): error", "): catastrophic error"}) {
    size_t end = line.find(mark);
    size_t start = end == std::string::npos ? end : line.rfind('(', end);
    size_t colon = end == std::string::npos ? end : line.find(": ", end + mark.size());
    if (start == std::string::npos || colon == std::string::npos)
      continue;
    std::string number = numberAt(line, start + 1);
    if (!number.empty() && start + 1 + number.size() == end)
      return Located{line.substr(0, start), number, line.substr(colon + 2)};
  }
  return std::nullopt;
}

/// The line, if `text` begins with "NAME:LINE:COLUMN:" and `what`.
std::optional<std::string> lineBefore(const std::string &text, const std::string &name,
                                      std::string_view what) {
  if (!text.starts_with(name + ":"))
    return std::nullopt;
  std::string line = numberAt(text, name.size() + 1);
  size_t next = name.size() + 1 + line.size();
  std::string column = next < text.size() && text[next] == ':' ? numberAt(text, next + 1) : "";
  if (line.empty() || column.empty() || text.compare(next + 1 + column.size(), what.size(), what) != 0)
    return std::nullopt;
  return line;
}

bool isDiagnostic(const std::string &line) {
  return line.find(": note: ") != std::string::npos || line.find(": warning: ") != std::string::npos ||
         hostError(line);
}

/// The innermost line of the kernel in g++'s context before the error, or in clang's notes after it.
std::optional<std::string> hostLine(const std::vector<std::string> &lines, size_t error,
                                    const std::string &name) {
  size_t first = error;
  while (first > 0 && !isDiagnostic(lines[first - 1]))
    --first;
  for (size_t i = first; i < error; ++i)
    if (std::optional<std::string> line = lineBefore(lines[i], name, ":   "))
      return line;
  for (size_t i = error + 1; i < lines.size() && !hostError(lines[i]); ++i)
    if (std::optional<std::string> line = lineBefore(lines[i], name, ": note: "))
      return line;
  return std::nullopt;
}

/// An empty line ends what NVRTC says of an error.
std::optional<std::string> deviceLine(const std::vector<std::string> &lines, size_t error,
                                      const std::string &name) {
  constexpr std::string_view mark = " at line ";
  for (size_t i = error + 1; i < lines.size() && !lines[i].empty(); ++i) {
    size_t at = lines[i].rfind(mark);
    if (at == std::string::npos)
      continue;
    std::string line = numberAt(lines[i], at + mark.size());
    if (!line.empty() && lines[i].substr(at + mark.size() + line.size()) == " of " + name)
      return line;
  }
  return std::nullopt;
}

/// What a failed assertion says, which the device headers word as expectations: clang puts the values before
/// it, NVRTC puts it in quotes.
std::string wordsOf(const std::string &message) {
  constexpr std::string_view failed = "static assertion failed";
  if (!message.starts_with(failed))
    return message;
  std::string rest = message.substr(failed.size());
  size_t at = rest.starts_with(" due to requirement '") ? rest.find("': ") : 0;
  if (rest.starts_with(" with \"") && rest.size() > 8)
    return rest.substr(7, rest.size() - 8);
  size_t words = at == std::string::npos ? at : rest.find(": ", at);
  return words == std::string::npos ? message : rest.substr(words + 2);
}

/// A constant index out of range reaches a function that exists for its name, with clang in a note.
bool namesIndexOutOfRange(const std::vector<std::string> &lines, size_t error) {
  constexpr std::string_view name = "indexOutOfRange";
  size_t i = error;
  do {
    if (lines[i].find(name) != std::string::npos)
      return true;
  } while (++i < lines.size() && !hostError(lines[i]));
  return false;
}

} // namespace

std::string firstHostError(const std::string &output, const std::string &name) {
  std::vector<std::string> lines = linesOf(output);
  for (size_t i = 0; i < lines.size(); ++i) {
    std::optional<Located> error = hostError(lines[i]);
    if (!error)
      continue;
    std::optional<std::string> line = error->file == name ? std::nullopt : hostLine(lines, i, name);
    if (line)
      error->file = name, error->line = *line;
    error->message = namesIndexOutOfRange(lines, i) ? "expected an index below the number of registers"
                                                    : wordsOf(error->message);
    return error->text();
  }
  return "the host compiler failed: " + (lines.empty() ? "" : lines[0]);
}

std::string firstDeviceError(const std::string &log, const std::string &name) {
  std::vector<std::string> lines = linesOf(log);
  for (size_t i = 0; i < lines.size(); ++i) {
    std::optional<Located> error = deviceError(lines[i]);
    if (!error)
      continue;
    std::optional<std::string> line = error->file == name ? std::nullopt : deviceLine(lines, i, name);
    if (line)
      error->file = name, error->line = *line;
    error->message = wordsOf(error->message);
    return error->text();
  }
  for (const std::string &line : lines)
    if (line.find("error") != std::string::npos || line.find("fatal") != std::string::npos)
      return name + ": " + line;
  return name + ": " + (lines.empty() ? "" : lines[0]);
}

} // namespace sluice
