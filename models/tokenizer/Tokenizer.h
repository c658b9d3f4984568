// Text to token ids and back. The byte tokenizer and the models trained here lose nothing:
// decode(encode(text))
// == text for any bytes. A model from elsewhere may normalise, or put a blank before the text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::models {

class Tokenizer {
public:
  virtual ~Tokenizer() = default;

  virtual int64_t vocabulary() const = 0;
  /// The token that stands before and between documents; encode never gives it.
  virtual int64_t boundary() const = 0;
  virtual std::vector<int64_t> encode(std::string_view text) const = 0;
  /// Boundaries decode to nothing.
  virtual std::string decode(const std::vector<int64_t> &tokens) const = 0;
};

/// The 256 bytes, and the boundary.
std::unique_ptr<Tokenizer> makeByteTokenizer();

/// Any SentencePiece model with byte fallback. Throws UserError for what is no such model.
std::unique_ptr<Tokenizer> loadSentencePiece(const std::string &path);

/// Trains byte pair encoding with byte fallback on the texts and returns the model file's bytes.
/// The same texts give the same model. Throws UserError, for example if the text is too short for the
/// vocabulary.
std::string trainSentencePiece(const std::vector<std::string> &texts, int64_t vocabulary);

} // namespace sluice::models
