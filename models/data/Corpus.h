// What a run trains and is evaluated on: its tokenizer and two streams of tokens.
#pragma once

#include "models/Config.h"
#include "models/data/Shards.h"
#include "models/tokenizer/Tokenizer.h"

#include <memory>
#include <string>
#include <vector>

namespace sluice::models {

struct Corpus {
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<Shards> training, heldOut;
};

/// Reads and splits the documents, trains the tokenizer if the configuration asks for that, and writes
/// RUN/tokenizer.model and RUN/data; shards stay where they are. Says on standard output what it does. Throws
/// UserError.
void prepareCorpus(const Config &config, const std::string &run);

/// What prepareCorpus has left. Throws UserError.
Corpus openCorpus(const Config &config, const std::string &run);
std::unique_ptr<Tokenizer> openTokenizer(const Config &config, const std::string &run);

/// The documents of a stream: the tokens between boundaries. A stream without boundaries is one document.
std::vector<std::vector<int64_t>> splitDocuments(const Shards &shards, int64_t boundary);

} // namespace sluice::models
