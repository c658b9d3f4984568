// The byte tokenizer: for tests and synthetic tasks.

#include "models/tokenizer/Tokenizer.h"

namespace sluice::models {
namespace {

class ByteTokenizer : public Tokenizer {
public:
  int64_t vocabulary() const override { return 257; }
  int64_t boundary() const override { return 256; }

  std::vector<int64_t> encode(std::string_view text) const override {
    std::vector<int64_t> tokens;
    tokens.reserve(text.size());
    for (char character : text)
      tokens.push_back(static_cast<unsigned char>(character));
    return tokens;
  }

  std::string decode(const std::vector<int64_t> &tokens) const override {
    std::string text;
    for (int64_t token : tokens)
      if (token < 256)
        text.push_back(static_cast<char>(token));
    return text;
  }
};

} // namespace

std::unique_ptr<Tokenizer> makeByteTokenizer() { return std::make_unique<ByteTokenizer>(); }

} // namespace sluice::models
