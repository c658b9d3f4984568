// The rules that names in the source break: comments, strings and characters do not count.
#include "codegen/cuda/KernelRules.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <regex>
#include <set>

namespace sluice {

namespace {

struct Token {
  std::string text;  ///< An identifier, a whole directive, or one other character.
  unsigned line = 1;
  bool inMacro = false;  ///< Of a #define.
};

/// Splits C++ as far as the rules need it.
class Lexer {
public:
  explicit Lexer(const std::string &text) : text(text) {}

  std::vector<Token> run() {
    while (at < text.size())
      step();
    return std::move(tokens);
  }
  static bool inName(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

private:
  char ahead(size_t distance) const { return at + distance < text.size() ? text[at + distance] : '\0'; }
  void step() {
    char c = text[at];
    if (c == '\n' || std::isspace(static_cast<unsigned char>(c)))
      advance(1);
    else if (c == '/' && ahead(1) == '/')
      skipTo("\n");
    else if (c == '/' && ahead(1) == '*')
      skipTo("*/");
    else if (c == '#')
      takeDirective();
    else if (c == '"' || c == '\'')
      skipLiteral(c);
    else if (inName(c))
      takeName();
    else
      take(1);
  }
  void advance(size_t count) {
    for (; count > 0 && at < text.size(); --count, ++at)
      line += text[at] == '\n';
  }
  void take(size_t count) {
    tokens.push_back({text.substr(at, count), line, at < macroEnd});
    advance(count);
  }
  void skipTo(const char *end) {
    // Behind the two characters that begin the comment: "/*/" does not end it.
    size_t found = text.find(end, at + 2);
    advance(found == std::string::npos ? text.size() - at : found + std::char_traits<char>::length(end) - at);
  }
  void skipLiteral(char quote) {
    advance(1);
    while (at < text.size() && text[at] != quote)
      advance(text[at] == '\\' ? 2 : 1);
    advance(1);
  }
  /// A number swallows its digit separators, so that they open no character.
  void takeName() {
    bool number = std::isdigit(static_cast<unsigned char>(text[at]));
    size_t count = 0;
    while (inName(ahead(count)) || (number && ahead(count) == '\'' && inName(ahead(count + 1))))
      ++count;
    take(count);
  }
  /// #include, #pragma and #line count as a whole; what other directives hold is looked at like the rest.
  void takeDirective() {
    size_t end = text.find('\n', at);
    std::string directive = text.substr(at, end == std::string::npos ? end : end - at);
    static const std::regex whole("^#\\s*(include|pragma|line|import|embed|[0-9]).*"), define("^#\\s*define\\b.*");
    while (end != std::string::npos && text[end - 1] == '\\')
      end = text.find('\n', end + 1);
    if (std::regex_match(directive, define))
      macroEnd = std::min(end, text.size());
    take(std::regex_match(directive, whole) ? directive.size() : 1);
  }

  const std::string &text;
  std::vector<Token> tokens;
  size_t at = 0, macroEnd = 0;
  unsigned line = 1;
};

/// Names that do not begin with two underscores, by the rule that forbids them.
const std::map<std::string, std::pair<std::string, std::string>> &forbiddenNames() {
  static const auto names = [] {
    std::map<std::string, std::pair<std::string, std::string>> names;
    auto add = [&](const char *rule, const char *expected, std::initializer_list<const char *> list) {
      for (const char *name : list)
        names[name] = {rule, expected};
    };
    add("builtin", "a primitive",
        {"threadIdx", "blockIdx",  "blockDim",  "gridDim",   "warpSize",   "clock",     "clock64",    "atomicSub",
         "atomicExch", "atomicCAS", "atomicInc", "atomicDec", "cuda",       "nvcuda",    "cooperative_groups",
         "memcpy",     "memset",    "memmove",   "assert",    "longjmp",    "setjmp",    "va_list"});
    add("printf", "no output", {"printf", "puts", "putchar", "fprintf", "vprintf"});
    add("asm", "a primitive", {"asm"});
    add("memory space", "memory through primitives", {"thread_local", "extern"});
    add("allocation", "memory through primitives", {"malloc", "new", "delete", "alloca"});
    add("exception", "no exceptions", {"throw", "try", "catch"});
    add("library", "names of Device.h", {"std"});
    add("jump", "structured control flow", {"goto"});
    add("volatile", "ordering through primitives", {"volatile"});
    add("float64", "32-bit arithmetic", {"double"});
    add("indirect call", "a call of a function by its name", {"virtual", "dynamic_cast", "typeid"});
    add("pointer", "Global or Shared", {"reinterpret_cast", "const_cast", "union"});
    add("include", "#pragma unroll", {"_Pragma"});
    return names;
  }();
  return names;
}

class TokenRules {
public:
  TokenRules(const KernelSource &source, std::vector<Token> tokens)
      : source(source), tokens(std::move(tokens)) {}

  std::vector<RuleViolation> run() {
    for (size_t i = 0; i < tokens.size(); ++i) {
      checkDirective(tokens[i]);
      checkName(i);
      if (tokens[i].text == "SLUICE_KERNEL" || tokens[i].text == "SLUICE_KERNEL_RESIDENT")
        checkEntry(i);
    }
    return std::move(found);
  }

private:
  void report(const char *rule, unsigned line, std::string expected, std::string got) {
    // What breaks a rule often has several names that break it.
    if (!found.empty() && found.back().line == line && found.back().rule == rule)
      return;
    found.push_back({rule, source.name, line, "expected " + expected + ", got " + got});
  }
  bool is(size_t index, const char *text) const { return index < tokens.size() && tokens[index].text == text; }

  void checkDirective(const Token &token) {
    if (token.text[0] != '#' || token.text.size() == 1)
      return;
    static const std::regex include("^#\\s*include\\s*\"(Device\\.h|wgmma/n[0-9]+\\.h)\".*");
    static const std::regex pragma("^#\\s*pragma\\s+(unroll|once).*");
    if (!std::regex_match(token.text, include) && !std::regex_match(token.text, pragma))
      report("include", token.line, "#include \"Device.h\" or \"wgmma/nN.h\", or #pragma unroll", token.text);
  }
  void checkName(size_t i) {
    const auto &[name, line, inMacro] = tokens[i];
    // Members and fields may be called anything.
    bool member = i > 0 && (is(i - 1, ".") || (is(i - 1, ">") && i > 1 && is(i - 2, "-")));
    auto forbidden = forbiddenNames().find(name);
    bool reported = name == "volatile" && i > 0 && is(i - 1, "asm");
    if (forbidden != forbiddenNames().end() && !member && !reported)
      report(forbidden->second.first.c_str(), line, forbidden->second.second, "'" + name + "'");
    else if (name.starts_with("__") || (name[0] == '_' && std::isupper(static_cast<unsigned char>(name[1]))))
      checkReserved(name, line);
    else if (name == "detail" && (is(i + 1, ":") || (i > 0 && is(i - 1, ":"))))
      report("detail", line, "primitives", "a name of namespace detail");
    else if (name.starts_with("sluiceEmu") || (name.starts_with("SLUICE_") && !macros().count(name)))
      report("detail", line, "primitives", "'" + name + "'");
    else
      checkPointer(i);
  }
  /// What the table of primitives lists; others differ between the sides.
  static const std::set<std::string> &macros() {
    static const std::set<std::string> names = {
#define SLUICE_MACRO(name) name,
#include "codegen/cuda/device/Primitives.inc"
    };
    return names;
  }
  /// Types of pointers, and casts to references: `*` or `&` where no operand follows.
  void checkPointer(size_t i) {
    static const std::set<std::string> afterParameters = {"const", "noexcept", "requires", "override", "final"};
    if (is(i, "*") && (is(i + 1, ")") || is(i + 1, ">") || is(i + 1, "*") || is(i + 1, "&") || is(i + 1, "const")))
      report("pointer", tokens[i].line, "Global or Shared", "a type of pointers");
    if (!is(i, "&") || !is(i + 1, ")") || i + 2 >= tokens.size())
      return;
    const std::string &next = tokens[i + 2].text;
    if (next == "(" || (Lexer::inName(next[0]) && !afterParameters.count(next)))
      report("pointer", tokens[i].line, "Global or Shared", "a cast to a reference");
  }
  void checkReserved(const std::string &name, unsigned line) {
    static const std::set<std::string> spaces = {"__constant__", "__shared__", "__managed__", "__device__",
                                                 "__grid_constant__"};
    static const std::set<std::string> bounds = {"__global__", "__launch_bounds__", "__maxnreg__",
                                                 "__cluster_dims__"};
    if (name == "__VA_ARGS__" || name == "__VA_OPT__")
      return;
    if (spaces.count(name))
      report("memory space", line, "memory through primitives", "'" + name + "'");
    else if (bounds.count(name))
      report("launch bounds", line, "SLUICE_KERNEL(name, threads)", "'" + name + "'");
    else if (name.starts_with("__asm"))
      report("asm", line, "a primitive", "'" + name + "'");
    else
      report("builtin", line, "a primitive", "'" + name + "'");
  }
  /// Index behind the parenthesis that closes the one at `open`.
  size_t close(size_t open) const {
    int depth = 0;
    for (size_t i = open; i < tokens.size(); ++i) {
      depth += is(i, "(") - is(i, ")");
      if (depth == 0)
        return i + 1;
    }
    return tokens.size();
  }
  /// SLUICE_KERNEL(name, threads)(parameters): every kernel is exported, and its tensor maps are grid constants.
  void checkEntry(size_t at) {
    if (!is(at + 1, "(") || at + 2 >= tokens.size())
      return;
    std::string name = tokens[at + 2].text;
    size_t parameters = close(at + 1);
    if (!is(parameters, "("))
      return;
    for (size_t i = parameters; i < close(parameters); ++i)
      if (is(i, "TensorMap"))
        report("tensor map", tokens[i].line, "SLUICE_TENSOR_MAP(name) as a parameter of kernel '" + name + "'",
               "TensorMap");
    // What a macro names, the rules on code look for.
    if (tokens[at].inMacro)
      return;
    for (size_t i = 0; i + 2 < tokens.size(); ++i)
      if (is(i, "SLUICE_EXPORT") && tokens[i + 2].text == name)
        return;
    report("export", tokens[at].line, "SLUICE_EXPORT(" + name + ") after the kernel", "none");
  }

  const KernelSource &source;
  std::vector<Token> tokens;
  std::vector<RuleViolation> found;
};

} // namespace

std::vector<RuleViolation> checkKernelTokens(const KernelSource &source) {
  return TokenRules(source, Lexer(source.text).run()).run();
}

} // namespace sluice
