// Tokenizers lose nothing, documents are held out whole, shards are checked, the loader repeats.

#include "TestFiles.h"

#include "models/data/Corpus.h"
#include "models/data/Documents.h"
#include "models/data/Loader.h"
#include "models/data/Shards.h"
#include "models/tokenizer/Tokenizer.h"
#include "models/tokenizer/Utf8.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>

using namespace sluice;
using namespace sluice::models;
using namespace sluice::models::test;
using testing::HasSubstr;

namespace {

std::vector<std::string> trainingTexts() {
  Folder folder;
  writeDocuments(folder);
  std::vector<std::string> texts;
  for (const Document &document : readDocuments(folder / "text", 0).training)
    texts.push_back(document.text);
  return texts;
}

void expectLossless(const Tokenizer &tokenizer) {
  std::string allBytes;
  for (int byte = 0; byte < 256; ++byte)
    allBytes.push_back(static_cast<char>(byte));
  for (const std::string &text :
       {std::string(), std::string("the people"), std::string("  two  blanks \n\n and lines\t\n "),
        std::string("na\xc3\xafve \xe2\x82\xac \xf0\x9f\x99\x82 \xe2\x96\x81 block"), allBytes,
        std::string("a\0b\xff\xc3", 5)}) {
    std::vector<int64_t> tokens = tokenizer.encode(text);
    EXPECT_EQ(tokenizer.decode(tokens), text);
    EXPECT_EQ(std::count(tokens.begin(), tokens.end(), tokenizer.boundary()), 0);
  }
  EXPECT_EQ(tokenizer.decode({tokenizer.boundary()}), "");
}

TEST(Tokenizer, BytesLoseNothing) {
  expectLossless(*makeByteTokenizer());
  EXPECT_EQ(makeByteTokenizer()->vocabulary(), 257);
}

TEST(Tokenizer, TrainedModelLosesNothingAndCompresses) {
  Folder folder;
  std::string model = trainSentencePiece(trainingTexts(), 300);
  std::unique_ptr<Tokenizer> tokenizer = loadSentencePiece(folder.write("m.model", model));
  EXPECT_EQ(tokenizer->vocabulary(), 300);
  expectLossless(*tokenizer);
  EXPECT_LT(tokenizer->encode("the people of these states").size(), 12u);
}

TEST(Tokenizer, Utf8) {
  EXPECT_EQ(withReplacements("a\xff\xe2\x82z\xe2\x82\xac"),
            "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xe2\x82\xac");
  EXPECT_EQ(withReplacements("\xed\xa0\x80").size(), 9u) << "surrogate";
  EXPECT_EQ(withReplacements("\xc0\x80").size(), 6u) << "overlong";
  EXPECT_EQ(incompleteBytes("a\xe2\x82"), 2u);
  EXPECT_EQ(incompleteBytes("a\xe2\x82\xac"), 0u);
  EXPECT_EQ(incompleteBytes("\xf0\x9f\x99"), 3u);
}

TEST(Tokenizer, TrainingRepeats) {
  EXPECT_EQ(trainSentencePiece(trainingTexts(), 300), trainSentencePiece(trainingTexts(), 300));
}

TEST(Tokenizer, ErrorsAreOneLine) {
  Folder folder;
  std::string error = errorOf([&] { loadSentencePiece(folder.write("m.model", "no model")); });
  EXPECT_THAT(error, HasSubstr("m.model: expected a SentencePiece model"));
  error = errorOf([&] { trainSentencePiece({"too short"}, 4096); });
  EXPECT_THAT(error, HasSubstr("expected text that gives a vocabulary of 4096 tokens"));
  EXPECT_EQ(error.find('\n'), std::string::npos);
}

TEST(Documents, AreHeldOutWholeByTheirNames) {
  Folder folder;
  writeDocuments(folder);
  Documents documents = readDocuments(folder / "text", 0.2);
  EXPECT_EQ(documents.training.size() + documents.heldOut.size(), 20u);
  EXPECT_FALSE(documents.heldOut.empty());
  for (const Document &document : documents.heldOut)
    EXPECT_TRUE(isHeldOut(document.name, 0.2));
  // Another document changes nothing for those that were there.
  folder.write("text/more.txt", "more");
  EXPECT_LE(readDocuments(folder / "text", 0.2).heldOut.size() - documents.heldOut.size(), 1u);
}

TEST(Documents, TheFractionHolds) {
  int heldOut = 0;
  for (int index = 0; index < 10000; ++index)
    heldOut += isHeldOut("19" + std::to_string(index) + "-President-1.txt", 0.05);
  EXPECT_NEAR(heldOut, 500, 80);
}

TEST(Documents, ErrorsNameTheFolder) {
  Folder folder;
  EXPECT_THAT(errorOf([&] { readDocuments(folder / "none", 0.1); }), HasSubstr("cannot read"));
  EXPECT_THAT(errorOf([&] { readDocuments(folder.path, 0.1); }), HasSubstr("found none in '" + folder.path));
  folder.write("a.txt", "text");
  EXPECT_THAT(errorOf([&] { readDocuments(folder.path, 1); }), HasSubstr("all 1 are held out"));
}

std::string llmcShard(int32_t magic, int32_t count, const std::vector<uint16_t> &tokens) {
  std::string text(1024, '\0');
  int32_t header[3] = {magic, 1, count};
  std::memcpy(text.data(), header, sizeof header);
  return text.append(reinterpret_cast<const char *>(tokens.data()), tokens.size() * 2);
}

TEST(Shards, ReadAcrossFiles) {
  Folder folder;
  writeShard(folder.write("s/a.u16", ""), {1, 2, 3});
  writeShard(folder.write("s/b.u16", ""), {40000, 5});
  Shards shards(folder / "s", ShardFormat::u16);
  ASSERT_EQ(shards.size(), 5);
  int64_t tokens[3];
  shards.read(2, 3, tokens);
  EXPECT_THAT(tokens, testing::ElementsAre(3, 40000, 5));
  Shards narrow(folder / "s", ShardFormat::u16, 100);
  EXPECT_THAT(errorOf([&] { narrow.read(2, 3, tokens); }),
              HasSubstr("b.u16: expected tokens below the vocabulary of 100, got 40000 at 0"));
}

TEST(Shards, LlmcHeader) {
  Folder folder;
  Shards shards(folder.write("a.bin", llmcShard(20240520, 2, {7, 8})), ShardFormat::llmc);
  EXPECT_EQ(shards.size(), 2);
  EXPECT_EQ(shards[1], 8);
  auto open = [&](const std::string &bytes) {
    return errorOf([&] { Shards(folder.write("b.bin", bytes), ShardFormat::llmc); });
  };
  EXPECT_THAT(open("short"), HasSubstr("b.bin: expected llm.c's header"));
  EXPECT_THAT(open(llmcShard(1, 2, {7, 8})), HasSubstr("got 1, version 1"));
  EXPECT_THAT(open(llmcShard(20240520, 3, {7, 8})), HasSubstr("expected 3 tokens in 1030 bytes, got 1028"));
}

TEST(Loader, EveryWindowOncePerEpochAndResumable) {
  Folder folder;
  std::vector<int64_t> stream(101);
  for (int64_t index = 0; index < 101; ++index)
    stream[index] = index;
  writeShard(folder / "a.u16", stream);
  Shards shards(folder / "a.u16", ShardFormat::u16);
  Loader loader(shards, 10, 3);
  std::set<int64_t> starts;
  int64_t windows = loader.windows();
  EXPECT_GE(windows, 8);
  for (int64_t index = 0; index < windows; ++index) {
    std::vector<int64_t> window = loader.next(1);
    ASSERT_EQ(window.size(), 11u);
    EXPECT_EQ(window.back(), window.front() + 10);
    starts.insert(window.front());
  }
  EXPECT_EQ(static_cast<int64_t>(starts.size()), windows);

  loader.next(3);
  LoaderState state = loader.state();
  EXPECT_EQ(state.epoch, 1);
  Loader other(shards, 10, 3);
  other.restore(state);
  EXPECT_EQ(other.next(20), loader.next(20));
}

TEST(Loader, TooShortStream) {
  Folder folder;
  writeShard(folder / "a.u16", {1, 2, 3});
  Shards shards(folder / "a.u16", ShardFormat::u16);
  EXPECT_THAT(errorOf([&] { Loader(shards, 3, 0); }),
              HasSubstr("sequence + 1 = 4 tokens to train on, got 3"));
}

TEST(Corpus, BoundariesStandBetweenDocuments) {
  Folder folder;
  writeDocuments(folder);
  Config config = tinyConfig(folder);
  std::filesystem::create_directories(folder / "run");
  prepareCorpus(config, folder / "run");
  Corpus corpus = openCorpus(config, folder / "run");
  Documents documents = readDocuments(folder / "text", 0.2);
  std::vector<std::vector<int64_t>> split = splitDocuments(*corpus.heldOut, corpus.tokenizer->boundary());
  ASSERT_EQ(split.size(), documents.heldOut.size());
  for (size_t index = 0; index < split.size(); ++index)
    EXPECT_EQ(corpus.tokenizer->decode(split[index]), documents.heldOut[index].text);
}

} // namespace
