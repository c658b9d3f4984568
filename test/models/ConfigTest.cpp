// Configurations: every key documented, unknown keys and wrong values refused with their place, --set,
// presets.

#include "TestFiles.h"

#include "models/Config.h"
#include "runtime/Files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace sluice;
using namespace sluice::models;
using namespace sluice::models::test;
using testing::HasSubstr;

namespace {

const std::string demo = SLUICE_SOURCE_DIR "/models/configs/demo.toml";

std::string errorIn(const std::string &text, const std::vector<std::string> &settings = {}) {
  Folder folder;
  std::string path = folder.write("run.toml", text);
  std::string error = errorOf([&] { loadConfig(path, settings); });
  EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  return error;
}

TEST(Config, DemoDocumentsEveryKey) {
  // Line by line, "key =" of each section that writeConfig prints must stand in the demo.
  std::istringstream resolved(writeConfig(loadConfig(demo)));
  std::string text = readFile(demo), section;
  for (std::string line; std::getline(resolved, line);) {
    if (line.empty() || line[0] == '#')
      continue;
    if (line[0] == '[')
      section = line;
    size_t start = text.find("\n" + section + "\n");
    ASSERT_NE(start, std::string::npos) << section;
    std::string key = line.substr(0, line.find('=')),
                body = text.substr(start, text.find("\n[", start + 1) - start);
    EXPECT_THAT(body, HasSubstr("\n" + key)) << section;
  }
}

TEST(Config, ResolvedConfigurationReadsBack) {
  Folder folder;
  Config config = loadConfig(demo, {"training.learning_rate=0.1", "model.pattern=[\"gated_delta_net\"]"});
  std::string text = writeConfig(config);
  EXPECT_EQ(writeConfig(loadConfig(folder.write("config.toml", text))), text);
}

TEST(Config, UnknownKeyNamesFileAndLine) {
  std::string error = errorIn("[model]\nlayers = 2\nlayer = 3\n");
  EXPECT_THAT(error, HasSubstr("run.toml:3: unknown key 'model.layer', expected one of preset, layers"));
}

TEST(Config, UnknownSectionNamesFileAndLine) {
  EXPECT_THAT(errorIn("\n[modle]\nlayers = 2\n"),
              HasSubstr("run.toml:2: expected one of the sections model"));
}

TEST(Config, WrongTypes) {
  EXPECT_THAT(errorIn("[model]\nlayers = \"two\"\n"),
              HasSubstr("run.toml:2: expected model.layers to be an integer, got string"));
  EXPECT_THAT(errorIn("[model]\ntie_embeddings = 1\n"), HasSubstr("to be true or false, got integer"));
  EXPECT_THAT(errorIn("[model]\npattern = []\n"), HasSubstr("to be a list of one or more strings"));
  EXPECT_THAT(errorIn("model = 3\n"), HasSubstr("run.toml:1: expected [model] to be a section"));
}

TEST(Config, WrongValues) {
  EXPECT_THAT(errorIn("[gated_delta_net]\nkey_dim = 8\n"),
              HasSubstr("run.toml:2: expected gated_delta_net.key_dim to be from 16 to 256, got 8"));
  EXPECT_THAT(errorIn("[gated_delta_net]\nnormalization = \"l3\"\n"),
              HasSubstr("to be one of l2, l1, none, got 'l3'"));
  EXPECT_THAT(errorIn("[model]\npattern = [\"attention\"]\n"), HasSubstr("got 'attention'"));
  EXPECT_THAT(errorIn("[gated_delta_net]\nchunk = 48\n"), HasSubstr("to be 16, 32, 64 or 128, got 48"));
  EXPECT_THAT(errorIn("[gated_delta_net]\nvalue_heads = 6\n"), HasSubstr("multiple of heads = 4, got 6"));
  EXPECT_THAT(errorIn("[training]\nlearning_rate = nan\n"), HasSubstr("training.learning_rate"));
}

TEST(Config, SyntaxErrorNamesFileAndLine) {
  EXPECT_THAT(errorIn("[model]\nlayers = = 2\n"), HasSubstr("run.toml:2: expected TOML"));
}

TEST(Config, MissingFile) {
  EXPECT_THAT(errorOf([] { loadConfig("/nowhere/run.toml"); }), HasSubstr("cannot read '/nowhere/run.toml'"));
}

TEST(Config, SettingsWinOverTheFile) {
  Config config = loadConfig(demo, {"training.steps=7", "training.dtype=bf16", "training.warmup_steps=2"});
  EXPECT_EQ(config.training.steps, 7);
  EXPECT_EQ(config.training.dtype, "bf16");
  EXPECT_THAT(errorIn("", {"model.layer=3"}), HasSubstr("--set model.layer: unknown key"));
  EXPECT_THAT(errorIn("", {"layers=3"}), HasSubstr("--set: expected section.key=value, got 'layers=3'"));
}

TEST(Config, PathsAreRelativeToTheFileOrTheWorkingFolder) {
  Folder folder;
  std::string path = folder.write("sub/a.toml", "[data]\npath = \"../text\"\n");
  EXPECT_EQ(loadConfig(path).data.path, std::filesystem::canonical(folder.path).string() + "/text");
  EXPECT_EQ(loadConfig(path, {"data.path=text"}).data.path,
            (std::filesystem::current_path() / "text").string());
  EXPECT_EQ(loadConfig(path, {"data.path=sotu"}).data.path, "sotu");
}

TEST(Config, PresetsGiveWayToKeys) {
  Folder folder;
  Config config = loadConfig(folder.write("a.toml", "[model]\npreset = \"gdn-h1-1.3b\"\nlayers = 2\n"));
  EXPECT_EQ(config.model.layers, 2);
  EXPECT_EQ(config.model.width, 2304);
  EXPECT_EQ(config.gatedDeltaNet.valueDim, 384);
  EXPECT_EQ(config.model.pattern[1], "sliding_window_attention");
  for (const std::string &name : presetNames())
    EXPECT_EQ(errorOf([&] { loadConfig(demo, {"model.preset=" + name}); }), "") << name;
}

TEST(Config, ResumeMayOnlyChangeWhatDoesNotMatter) {
  Config before = loadConfig(demo);
  EXPECT_EQ(differenceForResume(before, loadConfig(demo, {"logging.every=1", "checkpoint.keep=9"})), "");
  EXPECT_EQ(differenceForResume(before, loadConfig(demo, {"training.batch=3"})), "training.batch = 8, got 3");
}

} // namespace
