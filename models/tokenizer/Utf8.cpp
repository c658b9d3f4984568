// Checks UTF-8.

#include "models/tokenizer/Utf8.h"

#include <algorithm>

namespace sluice::models {
namespace {

size_t lengthFromFirst(unsigned char first) {
  if (first < 0x80)
    return 1;
  if (first >= 0xC2 && first < 0xE0)
    return 2;
  if (first >= 0xE0 && first < 0xF0)
    return 3;
  return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

/// Whether a second byte may follow a first one that starts three or four bytes.
bool secondFits(unsigned char first, unsigned char second) {
  bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  bool surrogate = first == 0xED && second > 0x9F;
  bool beyond = first == 0xF4 && second > 0x8F;
  return !overlong && !surrogate && !beyond;
}

} // namespace

size_t codePointLength(std::string_view text, size_t at) {
  auto byte = [&](size_t index) { return static_cast<unsigned char>(text[index]); };
  size_t length = lengthFromFirst(byte(at));
  if (length == 0 || at + length > text.size())
    return 0;
  for (size_t index = 1; index < length; ++index)
    if ((byte(at + index) & 0xC0) != 0x80)
      return 0;
  return length < 3 || secondFits(byte(at), byte(at + 1)) ? length : 0;
}

size_t incompleteBytes(std::string_view text) {
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
    unsigned char byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80)
      continue;
    return lengthFromFirst(byte) > back ? back : 0;
  }
  return 0;
}

std::string withReplacements(std::string_view text) {
  std::string valid;
  for (size_t at = 0; at < text.size();) {
    size_t length = codePointLength(text, at);
    valid += length ? std::string(text.substr(at, length)) : std::string("\xef\xbf\xbd");
    at += std::max<size_t>(length, 1);
  }
  return valid;
}

} // namespace sluice::models
