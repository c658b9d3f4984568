// Where UTF-8 is valid, and where it is not.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::models {

/// Bytes of the code point at `at`; 0 if there is none (RFC 3629: no overlong forms, surrogates, nor beyond
/// U+10FFFF).
size_t codePointLength(std::string_view text, size_t at);

/// How many bytes at the end may be the beginning of a code point.
size_t incompleteBytes(std::string_view text);

/// Each byte that belongs to no code point becomes U+FFFD.
std::string withReplacements(std::string_view text);

} // namespace sluice::models
