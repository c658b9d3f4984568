// Tables in plain text, columns aligned.
#pragma once

#include <string>
#include <vector>

namespace sluice {

class Table {
public:
  explicit Table(std::vector<std::string> header) : rows{std::move(header)} {}
  void add(std::vector<std::string> row) { rows.push_back(std::move(row)); }
  /// The first column is aligned to the left, the others as told.
  std::string text(bool numbers = true) const;

private:
  std::vector<std::vector<std::string>> rows;
};

/// "1.23" with so many digits after the point.
std::string fixed(double value, int digits);
/// "1.2e-07".
std::string scientific(double value);

} // namespace sluice
