// SentencePiece models: loading them, and training the byte pair encoding of a run.

#include "models/tokenizer/Tokenizer.h"
#include "models/tokenizer/Utf8.h"

#include "runtime/Error.h"
#include "runtime/Files.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <cstdio>
#include <unordered_map>

namespace sluice::models {
namespace {

// What SentencePiece writes for a blank.
constexpr std::string_view blank = "\xe2\x96\x81";

class SentencePieceTokenizer : public Tokenizer {
public:
  explicit SentencePieceTokenizer(const std::string &path) {
    std::string bytes = readFile(path);
    if (!processor.LoadFromSerializedProto(bytes).ok())
      throw UserError(path + ": expected a SentencePiece model, got something else");
    int end = processor.eos_id(), begin = processor.bos_id();
    boundaryToken = end >= 0 ? end : begin;
    if (boundaryToken < 0)
      throw UserError(path + ": expected a model with an end or beginning token, got neither");
    if (processor.GetPieceSize() > 65536)
      throw UserError(path + ": expected at most 65536 tokens, got " +
                      std::to_string(processor.GetPieceSize()));
    readPieces(path);
  }

  int64_t vocabulary() const override { return processor.GetPieceSize(); }
  int64_t boundary() const override { return boundaryToken; }

  // Bytes that are no valid UTF-8 are encoded one by one, since the library would replace them.
  std::vector<int64_t> encode(std::string_view text) const override {
    std::vector<int64_t> tokens;
    size_t start = 0;
    for (size_t at = 0; at < text.size();) {
      size_t length = codePointLength(text, at);
      if (length > 0) {
        at += length;
        continue;
      }
      encodeValid(text.substr(start, at - start), tokens);
      tokens.push_back(byteToken[static_cast<unsigned char>(text[at])]);
      start = ++at;
    }
    encodeValid(text.substr(start), tokens);
    return tokens;
  }

  std::string decode(const std::vector<int64_t> &tokens) const override {
    std::string text;
    for (int64_t token : tokens)
      text += texts[token];
    return text;
  }

private:
  sentencepiece::SentencePieceProcessor processor;
  int64_t boundaryToken = 0;
  int64_t byteToken[256] = {};
  std::vector<std::string> texts; ///< What each token decodes to.

  void readPieces(const std::string &path) {
    int bytes = 0;
    for (int id = 0; id < processor.GetPieceSize(); ++id) {
      std::string piece = processor.IdToPiece(id);
      unsigned value = 0;
      if (processor.IsByte(id) && std::sscanf(piece.c_str(), "<0x%02X>", &value) == 1) {
        byteToken[value] = id;
        piece.assign(1, static_cast<char>(value));
        ++bytes;
      } else if (processor.IsControl(id) || processor.IsUnknown(id)) {
        piece.clear();
      }
      for (size_t at = piece.find(blank); at != std::string::npos; at = piece.find(blank, at + 1))
        piece.replace(at, blank.size(), " ");
      texts.push_back(piece);
    }
    if (bytes != 256)
      throw UserError(path + ": expected a model with byte fallback, got " + std::to_string(bytes) +
                      " byte tokens");
  }

  void encodeValid(std::string_view text, std::vector<int64_t> &tokens) const {
    // A NUL and the library's own blank character would not come back as themselves.
    while (!text.empty()) {
      size_t special = std::min(text.find('\0'), text.find(blank));
      std::vector<int> ids;
      processor.Encode(text.substr(0, special), &ids);
      tokens.insert(tokens.end(), ids.begin(), ids.end());
      if (special == std::string_view::npos)
        return;
      size_t length = text[special] == '\0' ? 1 : blank.size();
      for (char byte : text.substr(special, length))
        tokens.push_back(byteToken[static_cast<unsigned char>(byte)]);
      text.remove_prefix(special + length);
    }
  }
};

/// Hands the lines of the texts to the trainer.
class Lines : public sentencepiece::SentenceIterator {
public:
  explicit Lines(const std::vector<std::string> &texts) : texts(texts) { Next(); }

  bool done() const override { return finished; }
  const std::string &value() const override { return line; }
  sentencepiece::util::Status status() const override { return {}; }

  void Next() override {
    line.clear();
    while (line.empty() && text < texts.size()) {
      size_t end = std::min(texts[text].find('\n', position), texts[text].size());
      line = texts[text].substr(position, end - position);
      position = end + 1;
      if (position >= texts[text].size()) {
        position = 0;
        ++text;
      }
    }
    finished = line.empty();
  }

private:
  const std::vector<std::string> &texts;
  size_t text = 0, position = 0;
  std::string line;
  bool finished = false;
};

} // namespace

std::unique_ptr<Tokenizer> loadSentencePiece(const std::string &path) {
  return std::make_unique<SentencePieceTokenizer>(path);
}

std::string trainSentencePiece(const std::vector<std::string> &texts, int64_t vocabulary) {
  // The text is taken as it is, so that decoding gives the same bytes. One thread: the order of merges with
  // equal counts must not depend on the machine.
  std::unordered_map<std::string, std::string> options = {
      {"vocab_size", std::to_string(vocabulary)},
      {"model_type", "bpe"},
      {"byte_fallback", "true"},
      {"character_coverage", "0.99995"},
      {"normalization_rule_name", "identity"},
      {"remove_extra_whitespaces", "false"},
      {"add_dummy_prefix", "false"},
      {"split_digits", "true"},
      {"max_sentence_length", "1000000"},
      {"num_threads", "1"},
      {"minloglevel", "2"},
  };
  Lines lines(texts);
  std::string model;
  sentencepiece::util::Status status = sentencepiece::SentencePieceTrainer::Train(options, &lines, &model);
  if (!status.ok())
    throw UserError("expected text that gives a vocabulary of " + std::to_string(vocabulary) +
                    " tokens, SentencePiece says: " + status.message());
  return model;
}

} // namespace sluice::models
