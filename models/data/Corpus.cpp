// From a folder of text, or of shards, to the streams of a run.

#include "models/data/Corpus.h"

#include "models/data/Documents.h"
#include "runtime/Error.h"
#include "runtime/Files.h"

#include <cstdio>
#include <filesystem>

namespace sluice::models {
namespace {

namespace fs = std::filesystem;

std::string modelFile(const std::string &run) { return run + "/tokenizer.model"; }
std::string trainingFile(const std::string &run) { return run + "/data/training.u16"; }
std::string heldOutFile(const std::string &run) { return run + "/data/held_out.u16"; }

/// Puts the SentencePiece model of the run in place.
void prepareTokenizer(const Config &config, const Documents &documents, const std::string &run) {
  if (config.tokenizer.kind != "sentencepiece")
    return;
  if (!config.tokenizer.model.empty()) {
    loadSentencePiece(config.tokenizer.model);
    writeFile(modelFile(run), readFile(config.tokenizer.model));
    return;
  }
  std::vector<std::string> texts;
  for (const Document &document : documents.training)
    texts.push_back(document.text);
  std::printf("tokenizer: training %lld tokens of byte pair encoding on %zu documents\n",
              static_cast<long long>(config.tokenizer.vocabulary), texts.size());
  std::fflush(stdout);
  writeFile(modelFile(run), trainSentencePiece(texts, config.tokenizer.vocabulary));
}

/// A boundary stands before every document, so that the first token of each is predicted from it.
std::vector<int64_t> tokensOf(const std::vector<Document> &documents, const Tokenizer &tokenizer) {
  std::vector<int64_t> stream;
  for (const Document &document : documents) {
    stream.push_back(tokenizer.boundary());
    std::vector<int64_t> tokens = tokenizer.encode(document.text);
    stream.insert(stream.end(), tokens.begin(), tokens.end());
  }
  return stream;
}

ShardFormat formatOf(const DataConfig &data) {
  return data.kind == "llmc" ? ShardFormat::llmc : ShardFormat::u16;
}

} // namespace

void prepareCorpus(const Config &config, const std::string &run) {
  if (config.data.kind != "documents") {
    prepareTokenizer(config, {}, run);
    openCorpus(config, run);
    return;
  }
  Documents documents = readDocuments(resolveDataPath(config.data.path), config.data.heldOutFraction);
  prepareTokenizer(config, documents, run);
  std::unique_ptr<Tokenizer> tokenizer = openTokenizer(config, run);
  std::vector<int64_t> training = tokensOf(documents.training, *tokenizer);
  std::vector<int64_t> heldOut = tokensOf(documents.heldOut, *tokenizer);
  fs::create_directories(run + "/data");
  writeShard(trainingFile(run), training);
  writeShard(heldOutFile(run), heldOut);
  std::printf("data: %zu documents with %zu tokens to train on, %zu with %zu held out\n",
              documents.training.size(), training.size(), documents.heldOut.size(), heldOut.size());
  std::fflush(stdout);
}

std::unique_ptr<Tokenizer> openTokenizer(const Config &config, const std::string &run) {
  return config.tokenizer.kind == "bytes" ? makeByteTokenizer() : loadSentencePiece(modelFile(run));
}

Corpus openCorpus(const Config &config, const std::string &run) {
  bool documents = config.data.kind == "documents";
  Corpus corpus;
  corpus.tokenizer = openTokenizer(config, run);
  ShardFormat format = documents ? ShardFormat::u16 : formatOf(config.data);
  auto open = [&](const std::string &path) {
    return std::make_unique<Shards>(path, format, corpus.tokenizer->vocabulary());
  };
  corpus.training = open(documents ? trainingFile(run) : config.data.path);
  corpus.heldOut = open(documents ? heldOutFile(run) : config.data.heldOutPath);
  return corpus;
}

std::vector<std::vector<int64_t>> splitDocuments(const Shards &shards, int64_t boundary) {
  std::vector<int64_t> stream(shards.size());
  shards.read(0, shards.size(), stream.data());
  std::vector<std::vector<int64_t>> documents;
  std::vector<int64_t> current;
  for (int64_t token : stream) {
    if (token != boundary) {
      current.push_back(token);
    } else if (!current.empty()) {
      documents.push_back(std::move(current));
      current.clear();
    }
  }
  if (!current.empty())
    documents.push_back(std::move(current));
  return documents;
}

} // namespace sluice::models
