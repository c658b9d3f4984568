// Formulas of sizes: checked when they are made, evaluated at each launch by the same recursive descent.
#include "runtime/Error.h"
#include "runtime/LaunchRecord.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace sluice {

namespace {

// Intermediate values of one operation: two 64-bit operands cannot overflow it.
using Wide = __int128;

bool isNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }

/// What a message repeats: a damaged package may hold formulas of any length.
std::string shortened(const std::string &text) {
  return text.size() > 60 ? text.substr(0, 60) + "..." : text;
}

/// sum := product (('+' | '-') product)*, product := unary (('*' | '/' | '%') unary)*,
/// unary := '-' unary | integer | name | function '(' sum ',' sum ')' | '(' sum ')'.
class Formula {
public:
  using Sizes = std::map<std::string, int64_t>;
  /// Without sizes only the syntax is checked, and every value is 0.
  Formula(const std::string &text, const Sizes *sizes) : text(text), sizes(sizes) {}

  int64_t whole() {
    int64_t value = sum();
    skipBlanks();
    if (at != text.size())
      failExpecting("an operator or the end");
    return value;
  }

private:
  const std::string &text;
  const Sizes *sizes;
  size_t at = 0;
  int depth = 0;

  [[noreturn]] void fail(const std::string &message) const {
    throw UserError("formula '" + shortened(text) + "': " + message);
  }

  [[noreturn]] void failExpecting(const char *what) const {
    std::string got = at < text.size() ? "'" + text.substr(at, 1) + "'" : "the end";
    fail(std::string("expected ") + what + " at position " + std::to_string(at + 1) + ", got " + got);
  }

  void skipBlanks() {
    while (at < text.size() && text[at] == ' ')
      ++at;
  }

  bool take(char expected) {
    skipBlanks();
    if (at >= text.size() || text[at] != expected)
      return false;
    ++at;
    return true;
  }

  void require(char expected) {
    if (!take(expected))
      failExpecting(std::string({'\'', expected, '\''}).c_str());
  }

  int64_t narrow(Wide value) const {
    if (value < std::numeric_limits<int64_t>::min() || value > std::numeric_limits<int64_t>::max())
      fail("expected values of 64 bits, got an overflow");
    return static_cast<int64_t>(value);
  }

  /// The quotient, rounded down.
  int64_t divide(Wide a, Wide b) const {
    if (!sizes)
      return 0;
    if (b == 0)
      fail("expected a divisor other than 0, got 0");
    Wide quotient = a / b;
    return narrow(quotient - (a % b != 0 && (a < 0) != (b < 0)));
  }

  int64_t sum() {
    int64_t value = product();
    while (true) {
      if (take('+'))
        value = narrow(Wide(value) + product());
      else if (take('-'))
        value = narrow(Wide(value) - product());
      else
        return value;
    }
  }

  int64_t product() {
    int64_t value = unary();
    while (true) {
      if (take('*')) {
        value = narrow(Wide(value) * unary());
      } else if (take('/')) {
        value = divide(value, unary());
      } else if (take('%')) {
        int64_t divisor = unary();
        value = narrow(value - Wide(divide(value, divisor)) * divisor);
      } else {
        return value;
      }
    }
  }

  int64_t unary() {
    // A damaged package must not exhaust the stack.
    if (++depth > 100)
      fail("expected at most 100 levels of nesting, got more");
    bool negative = take('-');
    skipBlanks();
    int64_t value;
    if (at < text.size() && isDigit(text[at]))
      value = integer(negative);
    else if (negative)
      value = narrow(-Wide(unary()));
    else
      value = primary();
    --depth;
    return value;
  }

  /// The sign belongs to the literal, so that the least integer can be spelled.
  int64_t integer(bool negative) {
    size_t start = at;
    while (at < text.size() && isDigit(text[at]))
      ++at;
    std::string digits = (negative ? "-" : "") + text.substr(start, at - start);
    int64_t value = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc())
      fail("expected an integer of 64 bits, got " + shortened(digits));
    return value;
  }

  int64_t primary() {
    if (take('(')) {
      int64_t value = sum();
      require(')');
      return value;
    }
    if (at >= text.size() || !isNameStart(text[at]))
      failExpecting("a number, a name or '('");
    size_t start = at;
    while (at < text.size() && (isNameStart(text[at]) || isDigit(text[at])))
      ++at;
    std::string name = text.substr(start, at - start);
    return take('(') ? call(name) : valueOf(name);
  }

  int64_t valueOf(const std::string &name) const {
    if (!sizes)
      return 0;
    auto found = sizes->find(name);
    if (found == sizes->end())
      fail("unknown size '" + shortened(name) + "'");
    return found->second;
  }

  int64_t call(const std::string &function) {
    if (function != "ceildiv" && function != "min" && function != "max")
      fail("expected the function ceildiv, min or max, got " + shortened(function));
    int64_t a = sum();
    require(',');
    int64_t b = sum();
    require(')');
    if (function == "min")
      return std::min(a, b);
    if (function == "max")
      return std::max(a, b);
    return narrow(-Wide(divide(-Wide(a), b)));
  }
};

} // namespace

SizeExpression::SizeExpression(std::string text) : formula(std::move(text)) {
  Formula(formula, nullptr).whole();
}

std::optional<int64_t> SizeExpression::constant() const {
  try {
    return evaluate({});
  } catch (const UserError &) {
    return std::nullopt;
  }
}

int64_t SizeExpression::evaluate(const std::map<std::string, int64_t> &sizes) const {
  return Formula(formula, &sizes).whole();
}

} // namespace sluice
